/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_RANDOM_H
#define TEST_KERNEL_RANDOM_H

#include "kernel.h"

#define get_random_u32()	kernel_random()
#define get_random_u64()	((u64)kernel_random() << 32 | kernel_random())

#endif
