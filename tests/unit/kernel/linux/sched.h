/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_SCHED_H
#define TEST_KERNEL_SCHED_H

#include "kernel.h"

/* Interrupt a thread's sleep: its test says how. */
#define TIF_NOTIFY_SIGNAL	17
#define TASK_INTERRUPTIBLE	1
struct wait_queue_entry {
	void *private;
};
void set_tsk_thread_flag(struct task_struct *task, int flag);
int default_wake_function(struct wait_queue_entry *e, unsigned int mode, int flags, void *key);

#define need_resched()		kernel_chance(100)
#define cpu_relax()		kernel_jitter()
#define sched_set_fifo_low(t)	((void)(t))

#endif
