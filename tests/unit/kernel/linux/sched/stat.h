/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/sched.h>

#define single_task_running()	kernel_chance(2)
