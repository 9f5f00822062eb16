// SPDX-License-Identifier: GPL-2.0-only
/*
 * pagetable.c - the identity map that an image's first CPU starts with
 *
 * 2 MiB pages over the first 2 MiB (trampoline, in the low chunk) and over
 * the slice, which is all that the kernel's unpacker touches before it builds
 * its own map.  The top table must lie below 4 GiB, as the CPU loads it in
 * 32-bit mode: it is in the low chunk.  The others are in the slice:
 *
 *	top[512 GiB] -> one page per 512 GiB -> one page per GiB
 */
#include <string.h>

#include "boot/load/slice.h"

#define PRESENT_RW	0x3
#define LARGE		0x80
#define GIB		(1ull << 30)
#define TOP		(1ull << 39)
#define MIB2		(2ull << 20)
#define ENTRIES		512

static uint64_t units(uint64_t start, uint64_t size, uint64_t unit)
{
	return (start + size - 1) / unit - start / unit + 1;
}

/* An upper bound: the low part never shares a table with the slice's. */
uint64_t pagetable_pages(const struct slice *slice)
{
	return 2 + units(slice->mem.start, slice->mem.size, GIB) +
		units(slice->mem.start, slice->mem.size, TOP);
}

struct builder {
	uint64_t *tables;
	uint64_t phys;
	uint64_t used;
};

/* The table that @entry points to, made if there is none yet. */
static uint64_t *descend(struct builder *b, uint64_t *entry)
{
	if (!*entry)
		*entry = (b->phys + b->used++ * SLICE_PAGE) | PRESENT_RW;
	return b->tables + ((*entry & ~(uint64_t)(SLICE_PAGE - 1)) - b->phys) / 8;
}

static void map_range(struct builder *b, uint64_t *top, uint64_t start, uint64_t end)
{
	for (uint64_t a = start & ~(MIB2 - 1); a < end; a += MIB2) {
		uint64_t *p3 = descend(b, &top[a / TOP % ENTRIES]);
		uint64_t *p2 = descend(b, &p3[a / GIB % ENTRIES]);

		p2[a / MIB2 % ENTRIES] = a | PRESENT_RW | LARGE;
	}
}

void pagetable_fill(const struct slice *slice, uint64_t *top, uint64_t *tables,
		    uint64_t phys)
{
	struct builder b = { .tables = tables, .phys = phys };

	memset(top, 0, SLICE_PAGE);
	memset(tables, 0, pagetable_pages(slice) * SLICE_PAGE);
	map_range(&b, top, 0, MIB2);
	map_range(&b, top, slice->mem.start, slice->mem.start + slice->mem.size);
}
