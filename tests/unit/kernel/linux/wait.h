/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wait.h - who sleeps looks again when it is woken, and not before
 *
 * So a wake-up that is missing shows.
 */
#ifndef TEST_KERNEL_WAIT_H
#define TEST_KERNEL_WAIT_H

#include <pthread.h>
#include <linux/jiffies.h>
#include <linux/spinlock.h>

/* One that is woken alone. */
struct kernel_sleeper {
	struct kernel_sleeper *next;
	u32 woken;
};

typedef struct {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	u32 wakes;
	struct kernel_sleeper *alone;	/* in turn */
} wait_queue_head_t;

#define DECLARE_WAIT_QUEUE_HEAD(q) wait_queue_head_t q = {	\
	.mutex = PTHREAD_MUTEX_INITIALIZER,			\
	.cond = PTHREAD_COND_INITIALIZER,			\
}

void init_waitqueue_head(wait_queue_head_t *q);
void wake_up_all(wait_queue_head_t *q);
void wake_up(wait_queue_head_t *q);	/* of those that are woken alone the first */

u32 kernel_wait_begin(wait_queue_head_t *q);
/* Sleep until somebody wakes who came after @wakes: what is left, 0, or -ERESTARTSYS. */
long kernel_wait(wait_queue_head_t *q, u32 wakes, bool killable, long left);

#define kernel_wait_event(q, condition, killable, timeout) ({		\
	long left_ = (timeout);						\
	u32 wakes_;							\
									\
	might_sleep();							\
	while (!(condition)) {						\
		wakes_ = kernel_wait_begin(&(q));			\
		if (condition)						\
			break;						\
		left_ = kernel_wait(&(q), wakes_, killable, left_);	\
		if (left_ < 0)						\
			break;						\
		if (!left_) {						\
			left_ = (condition) ? 1 : 0;			\
			break;						\
		}							\
	}								\
	left_;								\
})

/* The last of those that are woken alone, until it is woken: 0, or -ERESTARTSYS. */
void kernel_alone_begin(wait_queue_head_t *q, struct kernel_sleeper *s);
int kernel_alone_wait(wait_queue_head_t *q, struct kernel_sleeper *s);
void kernel_alone_end(wait_queue_head_t *q, struct kernel_sleeper *s);

/* The condition takes what there is: who is killed looks once more, as in the kernel. */
#define wait_event_interruptible_exclusive(q, condition) ({		\
	struct kernel_sleeper s_ = { .woken = 1 };			\
	int err_ = 0;							\
									\
	might_sleep();							\
	for (;;) {							\
		if (condition) {					\
			err_ = 0;					\
			break;						\
		}							\
		if (err_)						\
			break;						\
		if (READ_ONCE(s_.woken))				\
			kernel_alone_begin(&(q), &s_);			\
		else							\
			err_ = kernel_alone_wait(&(q), &s_);		\
	}								\
	kernel_alone_end(&(q), &s_);					\
	err_;								\
})

#define wait_event(q, condition) \
	((void)kernel_wait_event(q, condition, false, LONG_MAX))
#define wait_event_timeout(q, condition, timeout) \
	kernel_wait_event(q, condition, false, timeout)
#define wait_event_killable_timeout(q, condition, timeout) \
	kernel_wait_event(q, condition, true, timeout)
#define wait_event_interruptible_timeout(q, condition, timeout) \
	kernel_wait_event(q, condition, true, timeout)

#endif
