// SPDX-License-Identifier: GPL-2.0-only
/*
 * xarray.c - an XArray for tests, see linux/xarray.h
 */
#include <stdlib.h>
#include <linux/xarray.h>

static char zero;		/* its address is in a slot that is reserved */
#define ZERO	((void *)&zero)

bool kernel_acyclic;

void xa_init(struct xarray *xa)
{
	spin_lock_init(&xa->xa_lock);
	xa->head = NULL;
}

void xa_destroy(struct xarray *xa)
{
	struct xa_node *node = xa->head, *next;

	for (; node; node = next) {
		next = node->next;
		free(node);
	}
	xa->head = NULL;
}

/* The chunk of @index; else, if @before, where the one is to be put in. */
static struct xa_node *node_find(struct xarray *xa, unsigned long index,
				 struct xa_node ***before)
{
	struct xa_node **from = &xa->head, *node;

	for (;; from = &node->next) {
		node = __atomic_load_n(from, __ATOMIC_ACQUIRE);
		if (before)
			*before = from;
		if (!node || node->first > index)
			return NULL;
		if (index - node->first < XA_CHUNK)
			return node;
	}
}

static void *raw_load(struct xarray *xa, unsigned long index)
{
	struct xa_node *node = node_find(xa, index, NULL);

	return node ? __atomic_load_n(&node->slot[index % XA_CHUNK], __ATOMIC_ACQUIRE) : NULL;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	void *entry = raw_load(xa, index);

	kernel_jitter();
	return entry == ZERO ? NULL : entry;
}

static bool node_marked(const struct xa_node *node, unsigned long index, xa_mark_t mark)
{
	return __atomic_load_n(&node->mark[mark], __ATOMIC_RELAXED) >> (index % XA_CHUNK) & 1;
}

bool xa_get_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	struct xa_node *node = node_find(xa, index, NULL);

	return node && node_marked(node, index, mark);
}

/* What a look for @filter finds at @index, or NULL. */
static void *node_match(struct xa_node *node, unsigned long index, u32 filter)
{
	void *entry = __atomic_load_n(&node->slot[index % XA_CHUNK], __ATOMIC_ACQUIRE);

	if (!entry || entry == ZERO ||
	    (filter != XA_PRESENT && !node_marked(node, index, filter)))
		return NULL;
	return entry;
}

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long last, u32 filter)
{
	struct xa_node *node = __atomic_load_n(&xa->head, __ATOMIC_ACQUIRE);
	unsigned long i;
	void *entry;

	kernel_jitter();
	for (; node; node = __atomic_load_n(&node->next, __ATOMIC_ACQUIRE)) {
		for (i = max(*index, node->first);
		     i - node->first < XA_CHUNK && i <= last; i++) {
			entry = node_match(node, i, filter);
			if (!entry)
				continue;
			*index = i;
			return entry;
		}
	}
	return NULL;
}

void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long last, u32 filter)
{
	if (*index >= last)
		return NULL;
	++*index;
	return xa_find(xa, index, last, filter);
}

bool xa_empty(const struct xarray *xa)
{
	unsigned long index = 0;

	return !xa_find((struct xarray *)xa, &index, ULONG_MAX, XA_PRESENT);
}

static struct xa_node *node_make(unsigned long index, struct xa_node **before)
{
	struct xa_node *node = calloc(1, sizeof(*node));

	node->first = index - index % XA_CHUNK;
	node->next = *before;
	__atomic_store_n(before, node, __ATOMIC_RELEASE);
	return node;
}

static void *raw_store(struct xarray *xa, unsigned long index, void *entry)
{
	struct xa_node **before, *node;
	xa_mark_t mark;
	void *old;

	kernel_held(&xa->xa_lock);
	node = node_find(xa, index, &before);
	if (!node && !entry)
		return NULL;
	/* Whether a node is there already depends on others: nobody may rely on it. */
	if (entry && !(node && node->slot[index % XA_CHUNK]) && kernel_no_memory())
		return ERR_PTR(-ENOMEM);
	node = node ?: node_make(index, before);
	for (mark = 0; !entry && mark < XA_MARKS; mark++)
		__xa_clear_mark(xa, index, mark);
	old = __atomic_exchange_n(&node->slot[index % XA_CHUNK], entry, __ATOMIC_ACQ_REL);
	return old == ZERO ? NULL : old;
}

void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	return raw_store(xa, index, entry);
}

void *__xa_erase(struct xarray *xa, unsigned long index)
{
	return raw_store(xa, index, NULL);
}

/* A reserved slot can have one, too. */
void __xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	struct xa_node *node = node_find(xa, index, NULL);

	kernel_held(&xa->xa_lock);
	if (node && node->slot[index % XA_CHUNK])
		__atomic_fetch_or(&node->mark[mark], 1ULL << (index % XA_CHUNK),
				  __ATOMIC_RELAXED);
}

void __xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	struct xa_node *node = node_find(xa, index, NULL);

	kernel_held(&xa->xa_lock);
	if (node)
		__atomic_fetch_and(&node->mark[mark], ~(1ULL << (index % XA_CHUNK)),
				   __ATOMIC_RELAXED);
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void *old;

	kernel_reclaim(gfp);
	xa_lock(xa);
	old = raw_store(xa, index, entry);
	xa_unlock(xa);
	return old;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	return xa_store(xa, index, NULL, 0);
}

void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp)
{
	void *is, *err = NULL;

	kernel_reclaim(gfp);
	xa_lock(xa);
	is = raw_load(xa, index);
	if (is == old)
		err = raw_store(xa, index, entry);
	xa_unlock(xa);
	return IS_ERR(err) ? err : is;
}

/* With the lock.  0: none. */
static u32 free_find(struct xarray *xa, u32 from, u32 last)
{
	u32 i;

	for (i = from; i <= last; i++)
		if (!raw_load(xa, i))
			return i;
	return 0;
}

int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry, u32 last, u32 *next, gfp_t gfp)
{
	u32 from = kernel_acyclic ? 1 : max_t(u32, *next, 1), i;
	bool round;
	void *err;

	kernel_reclaim(gfp);
	xa_lock(xa);
	i = free_find(xa, from, last);
	round = !i;
	i = i ?: free_find(xa, 1, from - 1);
	/* It is there before anybody can find it. */
	if (i)
		*id = i;
	err = i ? raw_store(xa, i, entry) : ERR_PTR(-EBUSY);
	if (!IS_ERR(err))
		*next = i + 1;
	xa_unlock(xa);
	return IS_ERR(err) ? PTR_ERR(err) : round;
}

int xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp)
{
	return xa_err(xa_cmpxchg(xa, index, NULL, ZERO, gfp));
}

void xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	xa_lock(xa);
	__xa_set_mark(xa, index, mark);
	xa_unlock(xa);
}

void xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	xa_lock(xa);
	__xa_clear_mark(xa, index, mark);
	xa_unlock(xa);
}
