/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bitmap.h - bitmaps of up to 64 bits
 */
#ifndef TEST_KERNEL_BITMAP_H
#define TEST_KERNEL_BITMAP_H

#include <linux/types.h>
#include "kernel.h"

#define DECLARE_BITMAP(name, bits) \
	unsigned long name[1]; \
	_Static_assert((bits) < 64, "a longer bitmap")

static inline unsigned long bitmap_mask(u32 first, u32 nr)
{
	return ((1UL << nr) - 1) << first;
}

#define bitmap_weight(map, bits)	((u32)__builtin_popcountl((map)[0]))

static inline void bitmap_set(unsigned long *map, u32 first, u32 nr)
{
	if (map[0] & bitmap_mask(first, nr))
		kernel_fail("a bit is set that was set");
	map[0] |= bitmap_mask(first, nr);
}

static inline void bitmap_clear(unsigned long *map, u32 first, u32 nr)
{
	if (~map[0] & bitmap_mask(first, nr))
		kernel_fail("a bit is cleared that was clear");
	map[0] &= ~bitmap_mask(first, nr);
}

static inline unsigned long bitmap_find_next_zero_area(const unsigned long *map, u32 bits,
						       u32 start, u32 nr, unsigned long align)
{
	u32 first;

	for (first = start; first + nr <= bits; first++)
		if (!(map[0] & bitmap_mask(first, nr)))
			return first;
	return bits;
}

#endif
