/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * range.h - a range of physical memory
 */
#ifndef BOOT_RANGE_H
#define BOOT_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/* [start, start + size) on one node. Bytes. */
struct range {
	uint64_t start;
	uint64_t size;
	int node;
};

/* Bytes of those on @node, or of all for @node -1. */
uint64_t range_sum(const struct range *ranges, int n, int node);
/* An empty range overlaps nothing. */
bool range_overlaps(const struct range *a, const struct range *b);
/* For qsort(): by start. */
int range_compare(const void *a, const void *b);

#endif
