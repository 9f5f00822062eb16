/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xarray.h - an XArray for tests: chunks in a list, which go when it is destroyed
 *
 * As there, who looks something up needs no lock, and a node that is not there yet takes
 * memory, which may fail: see kernel_short.
 */
#ifndef TEST_KERNEL_XARRAY_H
#define TEST_KERNEL_XARRAY_H

#include <linux/slab.h>
#include <linux/spinlock.h>

#define XA_CHUNK	64

typedef u32 xa_mark_t;
#define XA_MARK_0	0U
#define XA_MARK_1	1U
#define XA_MARK_2	2U
#define XA_MARKS	3
#define XA_PRESENT	8U

struct xa_node {
	struct xa_node *next;
	unsigned long first;
	void *slot[XA_CHUNK];
	u64 mark[XA_MARKS];
};

struct xarray {
	spinlock_t xa_lock;
	struct xa_node *head;
};

#define XA_FLAGS_LOCK_BH	0
#define XA_FLAGS_ALLOC1		0	/* the only one that there is of XA_FLAGS_ALLOC */
#define xa_limit_31b		INT_MAX
#define DEFINE_XARRAY_FLAGS(xa, flags) \
	struct xarray xa = { .xa_lock.mutex = PTHREAD_MUTEX_INITIALIZER }
#define xa_init_flags(xa, flags)	xa_init(xa)
#define xa_lock(xa)		spin_lock(&(xa)->xa_lock)
#define xa_unlock(xa)		spin_unlock(&(xa)->xa_lock)
#define xa_lock_bh(xa)		spin_lock_bh(&(xa)->xa_lock)
#define xa_unlock_bh(xa)	spin_unlock_bh(&(xa)->xa_lock)

static inline void *xa_mk_value(unsigned long v)
{
	return (void *)(v << 1 | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

static inline int xa_err(const void *entry)
{
	return IS_ERR(entry) ? (int)PTR_ERR(entry) : 0;
}

#define xa_is_err(entry)	IS_ERR(entry)

void xa_init(struct xarray *xa);
void xa_destroy(struct xarray *xa);
bool xa_empty(const struct xarray *xa);
void *xa_load(struct xarray *xa, unsigned long index);
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long last, u32 filter);
void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long last, u32 filter);
bool xa_get_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);

/* With the lock. */
void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *__xa_erase(struct xarray *xa, unsigned long index);
void __xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
void __xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);

/* They take it. */
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *xa_erase(struct xarray *xa, unsigned long index);
void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry, gfp_t gfp);
/* 1 to @last, from *@next on: 0; 1: it went round; -EBUSY: none is free. */
int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry, u32 last, u32 *next, gfp_t gfp);
int xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp);
void xa_set_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);
void xa_clear_mark(struct xarray *xa, unsigned long index, xa_mark_t mark);

#define xa_store_bh(...)	kernel_bh(xa_store(__VA_ARGS__))
#define xa_erase_bh(...)	kernel_bh(xa_erase(__VA_ARGS__))
#define xa_cmpxchg_bh(...)	kernel_bh(xa_cmpxchg(__VA_ARGS__))
#define xa_alloc_cyclic_bh(...)	kernel_bh(xa_alloc_cyclic(__VA_ARGS__))
#define xa_reserve_bh(...)	kernel_bh(xa_reserve(__VA_ARGS__))

#define kernel_xa_each(xa, index, entry, begin, last, filter)			\
	for (index = begin, entry = xa_find(xa, &index, last, filter); entry;	\
	     entry = xa_find_after(xa, &index, last, filter))
#define xa_for_each(xa, index, entry) \
	kernel_xa_each(xa, index, entry, 0, ULONG_MAX, XA_PRESENT)
#define xa_for_each_range(xa, index, entry, first, last) \
	kernel_xa_each(xa, index, entry, first, last, XA_PRESENT)
#define xa_for_each_marked(xa, index, entry, filter) \
	kernel_xa_each(xa, index, entry, 0, ULONG_MAX, filter)

#endif
