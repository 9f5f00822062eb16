/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image.h - what ccboot.ko knows of an image
 *
 * Locks, outermost first:
 *	images_lock	mutex: one ioctl at a time; all fields but the next
 *	run_lock	spinlock, irqs off: state, cause and end_ns while the
 *			state is LENT, RUNNING, DYING or STUCK; taken by the
 *			watcher's timer and by the fence
 */
#ifndef CCBOOT_KMOD_IMAGE_H
#define CCBOOT_KMOD_IMAGE_H

#include <linux/completion.h>
#include <linux/workqueue.h>
#include "ccboot.h"

struct image {
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
	struct work_struct end;		/* DYING to LENT or STUCK */
	struct completion fenced;	/* no CPU of it runs (or STUCK) */
	struct completion ended;	/* the same, and everybody knows */
};

int image_add(const struct ccboot_image *spec);
int image_remove(u32 id);
int image_lend(u32 id);
int image_return(u32 id);
int image_start(u32 id);
int image_stop(u32 id);
int image_ring(u32 id);
int image_status(struct ccboot_status *status);

/* Is the CPU lent to an image?  Called with CPU hot-plug locked. */
bool image_has_cpu(unsigned int cpu);
/*
 * May ccctl map [start, start + size)?  0; -EPERM: it does not lie in one range
 * of one added image; -EBUSY: @write, and that image's CPUs may run.
 */
int image_may_map(u64 start, u64 size, bool write);

int image_init(void);
void image_exit(void);

/*
 * cpu.c.  All take APIC ids and may be called with interrupts off; the SIPI
 * waits 200 us.
 */
void cpu_init_all(const u32 *apic, u32 count);
void cpu_sipi(u32 apic, u64 page);
u32 cpu_read_msrs(struct ccboot_msr *msr, u32 max);

/* mem.c */
int mem_usable(const struct sharedpc_range *range);
int mem_set_ctl(const struct sharedpc_range *range);
int mem_mmap(struct file *file, struct vm_area_struct *vma);

#endif
