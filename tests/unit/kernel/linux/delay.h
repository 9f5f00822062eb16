/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_DELAY_H
#define TEST_KERNEL_DELAY_H

#include <linux/jiffies.h>
#include "kernel.h"

/* In real time. */
static inline void usleep_range(unsigned long least, unsigned long most)
{
	might_sleep();
	kernel_nap(least);
}

static inline void schedule_timeout_killable(long timeout)
{
	might_sleep();
	kernel_nap(timeout * kernel_jiffy_us);
}

#endif
