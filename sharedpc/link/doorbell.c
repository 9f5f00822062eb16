// SPDX-License-Identifier: GPL-2.0-only
/*
 * doorbell.c - the interrupt from one image to another
 *
 * Every image takes one vector from its own kernel's vector domain and
 * publishes (APIC id, vector) in its slot; others send that vector to that
 * APIC with an ordinary IPI.  The id is the physical one, which every image knows
 * the CPU by; what a kernel calls a vector's destination may be a logical id (in
 * x2APIC's cluster mode it is), which means something to itself.  There is nothing in the doorbell itself: who
 * hears it looks at all its incoming rings.  A doorbell may be lost (the
 * other image just died or has not come up), so listeners also look four
 * times a second: see peer.c.
 *
 * The vector lives on CPU 0 of the image and is kept there.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <asm/apic.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>
#include "box/ctl.h"
#include "link/doorbell.h"

static int virq;
static void (*handler)(void);

static irqreturn_t doorbell_irq(int irq, void *data)
{
	handler();
	return IRQ_HANDLED;
}

int doorbell_init(void (*rung)(void))
{
	struct sharedpc_slot *slot = ctl_slot(ctl_self);
	struct irq_alloc_info info = { .mask = cpumask_of(0) };
	struct irq_data *data;
	unsigned int cpu;
	int err;

	handler = rung;
	virq = irq_domain_alloc_irqs(x86_vector_domain, 1, NUMA_NO_NODE, &info);
	if (virq < 0) {
		pr_err("doorbell: no interrupt vector: %d\n", virq);
		return virq;
	}
	irq_set_handler(virq, handle_edge_irq);
	irq_set_status_flags(virq, IRQ_MOVE_PCNTXT);
	err = request_irq(virq, doorbell_irq, IRQF_NOBALANCING, "sharedpc", &virq);
	if (err)
		goto free_virq;
	irq_set_affinity(virq, cpumask_of(0));
	data = irq_get_irq_data(virq);
	cpu = cpumask_first(irq_data_get_effective_affinity_mask(data));
	WRITE_ONCE(slot->doorbell_apic, per_cpu(x86_cpu_to_apicid, cpu));
	/* The vector says that the pair is valid: see doorbell_ring. */
	smp_store_release(&slot->doorbell_vector, irqd_cfg(data)->vector);
	return 0;

free_virq:
	irq_dispose_mapping(virq);
	return err;
}

void doorbell_exit(void)
{
	WRITE_ONCE(ctl_slot(ctl_self)->doorbell_vector, 0);
	free_irq(virq, &virq);
	irq_dispose_mapping(virq);
}

/* Ring image @image's bell.  Any context, NMI excepted. */
void doorbell_ring(u32 image)
{
	struct sharedpc_slot *slot = ctl_slot(image);
	/* Pairs with the release in doorbell_init. */
	u32 vector = smp_load_acquire(&slot->doorbell_vector);
	u32 apic_id = READ_ONCE(slot->doorbell_apic);
	unsigned long flags;

	if (vector < FIRST_EXTERNAL_VECTOR || vector >= FIRST_SYSTEM_VECTOR)
		return;
	/*
	 * What was put into a ring must be visible before the interrupt is:
	 * an x2APIC write is not ordered behind earlier stores.
	 */
	weak_wrmsr_fence();
	local_irq_save(flags);
	if (apic->safe_wait_icr_idle)
		apic->safe_wait_icr_idle();
	apic->icr_write(APIC_DM_FIXED | APIC_DEST_PHYSICAL | vector, apic_id);
	local_irq_restore(flags);
}
