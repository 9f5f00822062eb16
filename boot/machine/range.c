// SPDX-License-Identifier: GPL-2.0-only
/*
 * range.c - a range of physical memory, see range.h
 */
#include "boot/machine/range.h"

bool range_overlaps(const struct range *a, const struct range *b)
{
	return a->size && b->size && a->start < b->start + b->size &&
	       b->start < a->start + a->size;
}

int range_compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}
