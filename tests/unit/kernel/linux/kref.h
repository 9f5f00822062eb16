/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_KREF_H
#define TEST_KERNEL_KREF_H

#include <linux/atomic.h>

struct kref {
	int count;
};

static inline void kref_init(struct kref *ref)
{
	ref->count = 1;
}

static inline void kref_get(struct kref *ref)
{
	if (__atomic_fetch_add(&ref->count, 1, __ATOMIC_RELAXED) < 1)
		kernel_fail("a reference to what is free");
}

static inline int kref_put(struct kref *ref, void (*release)(struct kref *ref))
{
	int left = __atomic_sub_fetch(&ref->count, 1, __ATOMIC_ACQ_REL);

	if (left < 0)
		kernel_fail("a reference is put that nobody has");
	if (!left)
		release(ref);
	return !left;
}

#endif
