/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lent.h - what is lent to an image: its CPUs, its memory, and what runs there
 *
 * Locks, outermost first:
 *	images_lock	mutex: one ioctl at a time; all fields but the next
 *	run_lock	spinlock, irqs off: state; cause and end_ns while that
 *			is LENT, RUNNING, DYING or STUCK; taken by the watcher's
 *			timer, by the fence, and by who maps an image's memory
 */
#ifndef CCBOOT_KMOD_LENT_H
#define CCBOOT_KMOD_LENT_H

#include <linux/completion.h>
#include <linux/workqueue.h>
#include "ccboot.h"

struct lent {
	u32 id;
	u32 state;			/* enum ccboot_state */
	u32 cause;			/* enum ccboot_cause */
	u32 starts;
	u64 start_ns;
	u64 end_ns;
	u32 nr_cpus;
	u32 *cpu;			/* logical numbers */
	u32 *apic;			/* their APIC ids */
	struct sharedpc_range mem;
	struct sharedpc_range low;
	char name[SHAREDPC_NAME_MAX];
	void *page;			/* the trampoline page, write-back */
	void *copy;			/* what it held at START */
	struct work_struct end;		/* DYING: stop its CPUs, or STUCK */
	struct work_struct leave;	/* DYING to LENT: all others let go of it */
	struct completion fenced;	/* no CPU of it runs (or STUCK) */
};

int lent_add(const struct ccboot_image *spec);
/* CCBOOT_IOC_REMOVE, LEND, RETURN and START; -ENOTTY: @cmd is none of these. */
int lent_call(unsigned int cmd, u32 id);
int lent_stop(u32 id);
int lent_ring(u32 id);
int lent_status(struct ccboot_status *status);

/* Is the CPU lent to an image?  Called with CPU hot-plug locked. */
bool lent_has_cpu(unsigned int cpu);
/*
 * May ccctl map [start, start + size)?  0; -EPERM: it does not lie in one range
 * of one added image; -EBUSY: @write, and that image's CPUs may run.
 */
int lent_may_map(u64 start, u64 size, bool write);

int lent_init(void);
void lent_exit(void);

/*
 * cpu.c.  All take APIC ids and may be called with interrupts off; the SIPI
 * waits 200 us.
 */
void cpu_init_all(const u32 *apic, u32 count);
void cpu_sipi(u32 apic, u64 page);
u32 cpu_read_msrs(struct ccboot_msr *msr, u32 max);

/* mem.c */
int mem_usable(const struct sharedpc_range *range);
bool mem_inside(u64 start, u64 size, const struct sharedpc_range *range);
int mem_set_ctl(const struct sharedpc_range *range);
int mem_mmap(struct file *file, struct vm_area_struct *vma);

#endif
