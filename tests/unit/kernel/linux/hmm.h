/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_HMM_H
#define TEST_KERNEL_HMM_H

#include <linux/mmu_notifier.h>

#define HMM_PFN_VALID		(1UL << 63)
#define HMM_PFN_WRITE		(1UL << 62)
#define HMM_PFN_REQ_FAULT	HMM_PFN_VALID
#define HMM_PFN_REQ_WRITE	HMM_PFN_WRITE

struct hmm_range {
	struct mmu_interval_notifier *notifier;
	unsigned long notifier_seq;
	unsigned long start, end;
	unsigned long *hmm_pfns;
	unsigned long pfn_flags_mask;
};

/* The test's: pages are faulted into current->mm. */
int hmm_range_fault(struct hmm_range *range);

static inline struct page *hmm_pfn_to_page(unsigned long pfn)
{
	return pfn_to_page(pfn & ~(HMM_PFN_VALID | HMM_PFN_WRITE));
}

#endif
