/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_HASH_H
#define TEST_KERNEL_HASH_H

#include <linux/types.h>

static inline u32 hash_64(u64 value, u32 bits)
{
	return value * 0x61c8864680b583ebULL >> (64 - bits);
}

#define hash_ptr(p, bits) hash_64((unsigned long)(p), bits)

#endif
