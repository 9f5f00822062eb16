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

uint64_t range_sum(const struct range *ranges, int n, int node)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < n; i++)
		if (node < 0 || ranges[i].node == node)
			sum += ranges[i].size;
	return sum;
}

int range_compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}
