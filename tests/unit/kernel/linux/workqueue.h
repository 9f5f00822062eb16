/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_WORKQUEUE_H
#define TEST_KERNEL_WORKQUEUE_H

struct work_struct {
	void (*func)(struct work_struct *work);
};

struct delayed_work {
	struct work_struct work;
};

#define INIT_WORK(w, f) ((w)->func = (f))

#endif
