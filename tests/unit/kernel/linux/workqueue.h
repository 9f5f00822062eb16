/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * workqueue.h - work for soft interrupts: of one CPU, one after the other
 */
#ifndef TEST_KERNEL_WORKQUEUE_H
#define TEST_KERNEL_WORKQUEUE_H

#include "kernel.h"

struct work_struct {
	void (*func)(struct work_struct *work);
	bool pending;
	struct work_struct *next;
};

struct delayed_work {
	struct work_struct work;
};

#define INIT_WORK(w, f)		((w)->func = (f))
#define DECLARE_WORK(w, f)	struct work_struct w = { .func = (f) }

#define system_bh_highpri_wq	NULL	/* there is no other */
bool queue_work(void *unused, struct work_struct *work);
void cancel_work_sync(struct work_struct *work);

#endif
