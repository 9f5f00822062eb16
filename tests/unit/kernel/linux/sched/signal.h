/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_SCHED_SIGNAL_H
#define TEST_KERNEL_SCHED_SIGNAL_H

#include <linux/jiffies.h>
#include "kernel.h"

static inline bool fatal_signal_pending(struct task_struct *task)
{
	return __atomic_load_n(&task->killed, __ATOMIC_RELAXED);
}

#define signal_pending(task) fatal_signal_pending(task)

#endif
