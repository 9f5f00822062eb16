// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpu.c - INIT and SIPI to CPUs that this kernel has given away
 *
 * The CPUs are off-line here, so the kernel's own ways to reach them are
 * closed; their local APICs are not.  INIT stops a CPU at an instruction
 * boundary and leaves it waiting for SIPI; SIPI starts it in real mode at a
 * page below 1 MiB (Intel SDM volume 3, 10.6 and 9.4).
 *
 * cpu_read_msrs() lists the memory types of this CPU (MTRRs, PAT) for the
 * trampoline to set: real CPUs keep them over INIT, QEMU's do not, and what
 * is mapped without them is uncached.
 */
#include <linux/delay.h>
#include <linux/iopoll.h>
#include <linux/preempt.h>
#include <asm/apic.h>
#include <asm/mtrr.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include "lent.h"

#define ICR_WAIT_US	1000

static void icr_wait(void)
{
	u32 icr;

	if (!x2apic_enabled())	/* which has no busy bit */
		read_poll_timeout_atomic(apic->read, icr, !(icr & APIC_ICR_BUSY), 1,
					 ICR_WAIT_US, false, APIC_ICR);
}

/*
 * The busy bit is this CPU's: stay here until it clears.  In x2APIC mode the
 * write to ICR is one to an MSR that orders nothing: the fence has what was
 * written to memory before seen by whoever gets the interrupt.
 */
static void icr_send(u32 apicid, u32 command)
{
	preempt_disable();
	icr_wait();
	weak_wrmsr_fence();
	apic->icr_write(command, apicid);
	icr_wait();
	preempt_enable();
}

void cpu_init_all(const u32 *apicid, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		icr_send(apicid[i], APIC_INT_LEVELTRIG | APIC_INT_ASSERT |
			 APIC_DM_INIT);
	for (i = 0; i < count; i++)
		icr_send(apicid[i], APIC_INT_LEVELTRIG | APIC_DM_INIT);
}

void cpu_sipi(u32 apicid, u64 page)
{
	icr_send(apicid, APIC_DM_STARTUP | (u32)(page >> 12));
	udelay(200);
}

static u32 msr_add(struct ccboot_msr *msr, u32 n, u32 max, u32 index)
{
	u64 value;

	if (n >= max || rdmsrl_safe(index, &value))
		return n;
	msr[n].index = index;
	msr[n].reserved = 0;
	msr[n].value = value;
	return n + 1;
}

/*
 * The default type is last, as its enable bit switches the others on.
 * Returns how many were read.
 */
u32 cpu_read_msrs(struct ccboot_msr *msr, u32 max)
{
	static const u32 fixed[] = {
		MSR_MTRRfix64K_00000, MSR_MTRRfix16K_80000, MSR_MTRRfix16K_A0000,
		MSR_MTRRfix4K_C0000, MSR_MTRRfix4K_C8000, MSR_MTRRfix4K_D0000,
		MSR_MTRRfix4K_D8000, MSR_MTRRfix4K_E0000, MSR_MTRRfix4K_E8000,
		MSR_MTRRfix4K_F0000, MSR_MTRRfix4K_F8000,
	};
	u64 cap = 0;
	u32 n = 0, i;

	n = msr_add(msr, n, max, MSR_IA32_CR_PAT);
	if (!boot_cpu_has(X86_FEATURE_MTRR) || rdmsrl_safe(MSR_MTRRcap, &cap))
		return n;
	for (i = 0; (cap & BIT(8)) && i < ARRAY_SIZE(fixed); i++)
		n = msr_add(msr, n, max, fixed[i]);
	for (i = 0; i < (cap & 0xff) && n + 3 <= max; i++) {
		n = msr_add(msr, n, max, MTRRphysBase_MSR(i));
		n = msr_add(msr, n, max, MTRRphysMask_MSR(i));
	}
	return msr_add(msr, n, max, MSR_MTRRdefType);
}
