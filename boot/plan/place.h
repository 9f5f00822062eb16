/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * place.h - the slice allocator: sizes onto a machine's RAM.
 *
 * Every item has a node, a size and an alignment. Items of one node go into one
 * piece of RAM, from its top downwards, one below the other, if any piece takes
 * them all (the highest that does); else each goes to the highest place it fits,
 * in the order given, or if that fails the largest first. So low memory stays
 * with the boot image, and the same input gives the same places.
 *
 * Nothing is placed below PLAN_FLOOR or in the last PLAN_TOP bytes of RAM.
 */
#ifndef BOOT_PLACE_H
#define BOOT_PLACE_H

#include "boot/machine/topology.h"

struct place_item {
	int node;
	uint64_t size;		/* bytes, not 0 */
	uint64_t align;		/* power of two */
	struct range *out;	/* where it went; not changed on failure */
	const char *what;	/* for who says that it does not fit, ... */
	const char *image;	/* of this image, or NULL ... */
	int line;
};

/*
 * Place all @n items on @topo's RAM. 0, -ENOMEM, or -ENOSPC with the index of
 * an item that does not fit in *@bad and in *@free the bytes that are free on
 * its node besides the items placed before it.
 */
int place_items(const struct topology *topo, const struct place_item *items,
		int n, int *bad, uint64_t *free_bytes);

/*
 * @topo's RAM without the @n ranges in @taken: *@out (malloc'ed) and *@nout.
 * 0 or -ENOMEM.
 */
int place_rest(const struct topology *topo, const struct range *taken, int n,
	       struct range **out, int *nout);

#endif
