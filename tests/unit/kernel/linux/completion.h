/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_COMPLETION_H
#define TEST_KERNEL_COMPLETION_H

#include <linux/wait.h>

struct completion {
	u32 done;
	wait_queue_head_t wait;
};

void init_completion(struct completion *c);
void complete(struct completion *c);
bool completion_done(struct completion *c);
long wait_for_completion_timeout(struct completion *c, long timeout);
long wait_for_completion_killable_timeout(struct completion *c, long timeout);

static inline void reinit_completion(struct completion *c)
{
	c->done = 0;
}

#endif
