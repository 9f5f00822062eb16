/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * spinlock.h - spinlocks are mutexes here, which the thread sanitizer knows
 *
 * Who holds one may not sleep: what may says might_sleep().  One that a soft interrupt has
 * taken may not be taken with bottom halves on elsewhere, ever.
 */
#ifndef TEST_KERNEL_SPINLOCK_H
#define TEST_KERNEL_SPINLOCK_H

#include <pthread.h>
#include <linux/minmax.h>
#include <linux/types.h>
#include "kernel.h"

typedef struct {
	pthread_mutex_t mutex;
	pthread_t holder;
	bool held;
	u32 met;		/* bits: by a soft interrupt, with bottom halves on */
} spinlock_t;

#define DEFINE_SPINLOCK(l) spinlock_t l = { .mutex = PTHREAD_MUTEX_INITIALIZER }

void spin_lock_init(spinlock_t *l);
void spin_lock(spinlock_t *l);
void spin_unlock(spinlock_t *l);
void kernel_held(spinlock_t *l);	/* it is, by this thread, or the test ends */

#define spin_lock_bh(l)			(kernel_bh_off(), spin_lock(l))
#define spin_unlock_bh(l)		(spin_unlock(l), kernel_bh_on())
#define spin_lock_irqsave(l, f)		((f) = 0, spin_lock_bh(l))
#define spin_unlock_irqrestore(l, f)	((void)(f), spin_unlock_bh(l))
/* What takes a lock itself, with bottom halves off. */
#define kernel_bh(call) ({		\
	kernel_bh_off();		\
	__auto_type got_ = (call);	\
	kernel_bh_on();			\
	got_;				\
})

#endif
