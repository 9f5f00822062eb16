/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_JIFFIES_H
#define TEST_KERNEL_JIFFIES_H

#include <linux/types.h>

#define HZ	100

unsigned long kernel_jiffies(void);
u64 ktime_get_ns(void);		/* of real time */
#define NSEC_PER_USEC	1000
#define jiffies			kernel_jiffies()
#define msecs_to_jiffies(ms)	DIV_ROUND_UP((unsigned long)(ms) * HZ, 1000)
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)

#endif
