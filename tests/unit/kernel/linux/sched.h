/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_SCHED_H
#define TEST_KERNEL_SCHED_H

#include "kernel.h"

#define need_resched()		kernel_chance(100)
#define cpu_relax()		kernel_jitter()
#define sched_set_fifo_low(t)	((void)(t))

#endif
