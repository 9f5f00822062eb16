// SPDX-License-Identifier: GPL-2.0-only
/*
 * place.c - the slice allocator: sizes onto a machine's RAM. See place.h.
 *
 * Free RAM is an array of ranges, the highest first; taking from a range leaves up to
 * two. The numbers are small (a handful of images), so every search is linear.
 */
#include "boot/plan/place.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "boot/plan/plan.h"
#include "boot/text/array.h"

struct space {
	struct range *free;
	int n;
};

static int highest_first(const void *a, const void *b)
{
	return range_compare(b, a);
}

static int space_add(struct space *space, uint64_t start, uint64_t end,
		     int node)
{
	struct range range = { start, end - start, node };
	int err = start < end ? array_append(&space->free, &space->n, sizeof(range), &range) : 0;

	if (space->n)
		qsort(space->free, space->n, sizeof(range), highest_first);
	return err;
}

static int space_init(struct space *space, const struct topology *topo,
		      uint64_t floor, uint64_t ceiling)
{
	int i, err = 0;

	memset(space, 0, sizeof(*space));
	for (i = 0; !err && i < topo->nram; i++) {
		const struct range *ram = &topo->ram[i];
		uint64_t start = ram->start < floor ? floor : ram->start;
		uint64_t end = ram->start + ram->size;

		err = space_add(space, start, end < ceiling ? end : ceiling,
				ram->node);
	}
	return err;
}

/* Where kexec's leftovers begin, see PLAN_TOP. */
static uint64_t kexec_top(const struct topology *topo)
{
	const struct range *last = &topo->ram[topo->nram - 1];

	return topo->nram ? last->start + last->size - PLAN_TOP : 0;
}

/* Take [start, start + size) out of free range @i, which contains it. */
static int space_cut(struct space *space, int i, uint64_t start, uint64_t size)
{
	struct range was = space->free[i];
	int err;

	memmove(&space->free[i], &space->free[i + 1],
		(--space->n - i) * sizeof(was));
	err = space_add(space, was.start, start, was.node);
	if (!err)
		err = space_add(space, start + size, was.start + was.size,
				was.node);
	return err;
}

/* Highest aligned start of @size bytes in @range. False: it does not fit. */
static bool fit_top(const struct range *range, uint64_t size, uint64_t align,
		    uint64_t *start)
{
	if (size > range->size)
		return false;
	*start = (range->start + range->size - size) & ~(align - 1);
	return *start >= range->start;
}

static int take_highest(struct space *space, const struct place_item *item,
			struct range *out)
{
	uint64_t start;
	int i;

	for (i = 0; i < space->n; i++) {
		if (space->free[i].node != item->node ||
		    !fit_top(&space->free[i], item->size, item->align, &start))
			continue;
		*out = (struct range){ start, item->size, item->node };
		return space_cut(space, i, start, item->size);
	}
	return -ENOSPC;
}

/* All items of @node one below the other in @piece. False: they do not fit. */
static bool stack_items(const struct range *piece,
			const struct place_item *items, int n, int node,
			struct range *out)
{
	struct range left = *piece;
	uint64_t start;
	int i;

	for (i = 0; i < n; i++) {
		if (items[i].node != node)
			continue;
		if (!fit_top(&left, items[i].size, items[i].align, &start))
			return false;
		out[i] = (struct range){ start, items[i].size, node };
		left.size = start - left.start;
	}
	return true;
}

/* The highest piece that takes all items of @node. */
static bool place_stacked(const struct space *space,
			  const struct place_item *items, int n, int node,
			  struct range *out)
{
	int i;

	for (i = 0; i < space->n; i++)
		if (space->free[i].node == node &&
		    stack_items(&space->free[i], items, n, node, out))
			return true;
	return false;
}

/* The largest first, others as they were. */
static int largest_first(const void *a, const void *b)
{
	const struct place_item *const *x = a, *const *y = b;

	if ((*x)->size != (*y)->size)
		return (*x)->size < (*y)->size ? 1 : -1;
	return *x < *y ? -1 : 1;
}

/* Each of the @n in @order as high as it fits. */
static int place_single(const struct topology *topo, const struct place_item *items,
			const struct place_item **order, int n, struct range *out,
			int *bad, uint64_t *free_bytes)
{
	struct space space;
	int i, err = space_init(&space, topo, PLAN_FLOOR, kexec_top(topo));

	for (i = 0; !err && i < n; i++) {
		*bad = order[i] - items;
		*free_bytes = range_sum(space.free, space.n, order[i]->node);
		err = take_highest(&space, order[i], &out[*bad]);
	}
	free(space.free);
	return err;
}

static int place_node(const struct topology *topo,
		      const struct place_item *items, int n, int node,
		      struct range *out, int *bad, uint64_t *free_bytes)
{
	const struct place_item **order = calloc(n, sizeof(*order));
	struct space space;
	uint64_t ignored_bytes;
	int i, count = 0, ignored, err;

	err = space_init(&space, topo, PLAN_FLOOR, kexec_top(topo));
	if (!order)
		err = -ENOMEM;
	if (err || place_stacked(&space, items, n, node, out))
		goto out_free;
	for (i = 0; i < n; i++)
		if (items[i].node == node)
			order[count++] = &items[i];
	err = place_single(topo, items, order, count, out, bad, free_bytes);
	if (err == -ENOSPC) {
		qsort(order, count, sizeof(*order), largest_first);
		err = place_single(topo, items, order, count, out, &ignored,
				   &ignored_bytes);
	}
out_free:
	free(space.free);
	free(order);
	return err;
}

int place_items(const struct topology *topo, const struct place_item *items,
		int n, int *bad, uint64_t *free_bytes)
{
	struct range *out = calloc(n, sizeof(*out));
	int i, err = 0;

	if (!out)
		return -ENOMEM;
	for (i = 0; !err && i < topo->nnodes; i++)
		err = place_node(topo, items, n, topo->nodes[i], out, bad,
				 free_bytes);
	for (i = 0; !err && i < n; i++)
		*items[i].out = out[i];
	free(out);
	return err;
}

int place_rest(const struct topology *topo, const struct range *taken, int n,
	       struct range **out, int *nout)
{
	struct space space;
	int i, j, err = space_init(&space, topo, 0, UINT64_MAX);

	for (i = 0; !err && i < n; i++)
		for (j = 0; !err && j < space.n; j++) {
			const struct range *hole = &space.free[j];

			if (!range_overlaps(hole, &taken[i]))
				continue;
			err = space_cut(&space, j, taken[i].start,
					taken[i].size);
			break;
		}
	if (err) {
		free(space.free);
		return err;
	}
	*out = space.free;
	*nout = space.n;
	return 0;
}
