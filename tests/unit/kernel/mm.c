// SPDX-License-Identifier: GPL-2.0-only
/*
 * mm.c - frames and memory maps, see linux/mm.h and linux/mmu_notifier.h
 */
#include <linux/mmu_notifier.h>

struct page kernel_page[KERNEL_PAGES];
void (*kernel_page_freed)(struct page *page);
bool kernel_undirtied, kernel_unordered;

void kernel_mm_init(struct mm_struct *mm)
{
	pthread_rwlock_init(&mm->mmap_lock, NULL);
	pthread_mutex_init(&mm->mutex, NULL);
	pthread_cond_init(&mm->cond, NULL);
	mm->seq = 2;
}

void kernel_change_begin(struct mm_struct *mm, const struct mmu_notifier_range *range)
{
	struct mmu_interval_notifier *mni[KERNEL_NOTIFIERS];
	unsigned long seq;
	u32 i, nr = 0;

	pthread_mutex_lock(&mm->mutex);
	mm->changing++;
	mm->seq |= 1;
	seq = mm->seq;
	for (i = 0; i < KERNEL_NOTIFIERS; i++)
		if (mm->mni[i] && mm->mni[i]->start < range->end &&
		    range->start < mm->mni[i]->end)
			mni[nr++] = mm->mni[i];
	pthread_mutex_unlock(&mm->mutex);
	/* They stay: who removes one waits for the end. */
	for (i = 0; i < nr; i++)
		mni[i]->ops->invalidate(mni[i], range, seq);
}

void kernel_change_end(struct mm_struct *mm)
{
	pthread_mutex_lock(&mm->mutex);
	if (!--mm->changing) {
		mm->seq++;
		pthread_cond_broadcast(&mm->cond);
	}
	pthread_mutex_unlock(&mm->mutex);
	kernel_jitter();
}

int mmu_interval_notifier_insert(struct mmu_interval_notifier *mni, struct mm_struct *mm,
				 unsigned long start, unsigned long length,
				 const struct mmu_interval_notifier_ops *ops)
{
	u32 i;

	might_sleep();
	mni->ops = ops;
	mni->mm = mm;
	mni->start = start;
	mni->end = start + length;
	pthread_mutex_lock(&mm->mutex);
	mmu_interval_set_seq(mni, mm->changing ? mm->seq : mm->seq - 1);
	for (i = 0; i < KERNEL_NOTIFIERS && mm->mni[i]; i++)
		;
	if (i == KERNEL_NOTIFIERS)
		kernel_fail("too many maps for this test");
	mm->mni[i] = mni;
	pthread_mutex_unlock(&mm->mutex);
	return 0;
}

/* With the mutex. */
static void wait_over(struct mm_struct *mm, unsigned long seq)
{
	while (mm->seq == seq)
		pthread_cond_wait(&mm->cond, &mm->mutex);
}

void mmu_interval_notifier_remove(struct mmu_interval_notifier *mni)
{
	struct mm_struct *mm = mni->mm;
	u32 i;

	might_sleep();
	pthread_mutex_lock(&mm->mutex);
	for (i = 0; mm->mni[i] != mni; i++)
		;
	mm->mni[i] = NULL;
	if (mm->changing)
		wait_over(mm, mm->seq);
	pthread_mutex_unlock(&mm->mutex);
}

unsigned long mmu_interval_read_begin(struct mmu_interval_notifier *mni)
{
	struct mm_struct *mm = mni->mm;
	unsigned long seq;

	might_sleep();
	pthread_mutex_lock(&mm->mutex);
	seq = READ_ONCE(mni->seq);
	wait_over(mm, seq);
	pthread_mutex_unlock(&mm->mutex);
	return seq;
}
