/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mmu_notifier.h - who is told before pages of a memory map change, as in mm/mmu_notifier.c
 */
#ifndef TEST_KERNEL_MMU_NOTIFIER_H
#define TEST_KERNEL_MMU_NOTIFIER_H

#include <pthread.h>
#include <linux/mm.h>

#define KERNEL_NOTIFIERS	4	/* of a memory map */

enum mmu_notifier_event {
	MMU_NOTIFY_UNMAP,
	MMU_NOTIFY_CLEAR,
	MMU_NOTIFY_PROTECTION_PAGE,
};

struct mmu_notifier_range {
	unsigned long start, end;
	enum mmu_notifier_event event;
};

#define mmu_notifier_range_blockable(range) true

struct mmu_interval_notifier {
	const struct mmu_interval_notifier_ops *ops;
	struct mm_struct *mm;
	unsigned long start, end;
	unsigned long seq;
};

struct mmu_interval_notifier_ops {
	bool (*invalidate)(struct mmu_interval_notifier *mni,
			   const struct mmu_notifier_range *range, unsigned long seq);
};

struct mm_struct {
	pthread_rwlock_t mmap_lock;
	pthread_mutex_t mutex;		/* all below */
	pthread_cond_t cond;		/* seq has changed */
	struct mmu_interval_notifier *mni[KERNEL_NOTIFIERS];
	unsigned long seq;		/* odd while something changes */
	u32 changing;
};

extern bool kernel_unordered;	/* a grant does not see that pages have changed: a control */

void kernel_mm_init(struct mm_struct *mm);
/* Pages of [start, end) are about to change: all are told.  They have. */
void kernel_change_begin(struct mm_struct *mm, const struct mmu_notifier_range *range);
void kernel_change_end(struct mm_struct *mm);

int mmu_interval_notifier_insert(struct mmu_interval_notifier *mni, struct mm_struct *mm,
				 unsigned long start, unsigned long length,
				 const struct mmu_interval_notifier_ops *ops);
void mmu_interval_notifier_remove(struct mmu_interval_notifier *mni);
unsigned long mmu_interval_read_begin(struct mmu_interval_notifier *mni);

static inline void mmu_interval_set_seq(struct mmu_interval_notifier *mni, unsigned long seq)
{
	WRITE_ONCE(mni->seq, seq);
}

static inline bool mmu_interval_read_retry(struct mmu_interval_notifier *mni,
					   unsigned long seq)
{
	return !kernel_unordered && READ_ONCE(mni->seq) != seq;
}

#define mmap_read_lock(mm)	pthread_rwlock_rdlock(&(mm)->mmap_lock)
#define mmap_read_unlock(mm)	pthread_rwlock_unlock(&(mm)->mmap_lock)

struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr);

#endif
