/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_ATOMIC_H
#define TEST_KERNEL_ATOMIC_H

#include <linux/types.h>
#include "kernel.h"

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

#define atomic_read(a)		__atomic_load_n(&(a)->counter, __ATOMIC_RELAXED)
#define atomic_set(a, n)	__atomic_store_n(&(a)->counter, n, __ATOMIC_RELAXED)
#define atomic_add(n, a)	((void)__atomic_fetch_add(&(a)->counter, n, __ATOMIC_RELAXED))
#define atomic_inc(a)		atomic_add(1, a)
#define atomic_dec(a)		atomic_add(-1, a)
#define atomic_inc_return(a)	__atomic_add_fetch(&(a)->counter, 1, __ATOMIC_SEQ_CST)
#define atomic64_read(a)	atomic_read(a)
#define atomic64_set(a, n)	atomic_set(a, n)
#define atomic64_add(n, a)	atomic_add(n, a)
#define atomic64_inc(a)		atomic_add(1, a)
#define atomic64_dec(a)		atomic_add(-1, a)
#define atomic64_inc_return(a)	__atomic_add_fetch(&(a)->counter, 1, __ATOMIC_SEQ_CST)

/* With them something is handed over. */
static inline bool test_and_set_bit_lock(int bit, unsigned long *word)
{
	return __atomic_fetch_or(word, 1UL << bit, __ATOMIC_ACQUIRE) >> bit & 1;
}

static inline void clear_bit_unlock(int bit, unsigned long *word)
{
	__atomic_fetch_and(word, ~(1UL << bit), __ATOMIC_RELEASE);
}

#endif
