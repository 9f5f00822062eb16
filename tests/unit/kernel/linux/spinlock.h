/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * spinlock.h - the few kernel words that sharedpc/link/ring.c needs, in user space
 *
 * So that the very file that runs in the kernel runs under sanitizers and
 * between threads too: see test-ring.c.
 */
#ifndef TEST_KERNEL_SPINLOCK_H
#define TEST_KERNEL_SPINLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef pthread_mutex_t spinlock_t;

#define spin_lock_init(l)		pthread_mutex_init(l, NULL)
#define spin_lock_irqsave(l, f)		((f) = 0, pthread_mutex_lock(l))
#define spin_unlock_irqrestore(l, f)	((void)(f), pthread_mutex_unlock(l))

#define unlikely(x)			__builtin_expect(!!(x), 0)
#define READ_ONCE(x)			__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)		__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
/* What C11 calls it; its users say what it pairs with. */
#define smp_load_acquire(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
/* The same. */
#define smp_store_release(p, v)		__atomic_store_n(p, v, __ATOMIC_RELEASE)

#endif
