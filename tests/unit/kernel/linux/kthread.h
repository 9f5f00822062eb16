/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_KTHREAD_H
#define TEST_KERNEL_KTHREAD_H

#include "kernel.h"

struct task_struct *kthread_run(int (*run)(void *arg), void *arg, const char *name);
/* Who sleeps notices when his time is up, not before. */
int kthread_stop(struct task_struct *task);
bool kthread_should_stop(void);

#endif
