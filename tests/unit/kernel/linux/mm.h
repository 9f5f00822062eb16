/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mm.h - frames with a count of references
 *
 * What happens to one that has none any more is the test's: kernel_page_freed.
 */
#ifndef TEST_KERNEL_MM_H
#define TEST_KERNEL_MM_H

#include <pthread.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define PHYS_PFN(a)	((unsigned long)((a) >> PAGE_SHIFT))
#define PFN_PHYS(n)	((u64)(n) << PAGE_SHIFT)

#define KERNEL_PAGES	256	/* of the box */
#define KERNEL_PFN	0x1000	/* the first one's number */

#define KERNEL_PAGE_FIELDS						\
	int refcount;							\
	bool dirty;							\
	struct address_space *mapping;					\
	unsigned long index;						\
	pthread_mutex_t lock

struct page {
	KERNEL_PAGE_FIELDS;
};

/* One page each. */
struct folio {
	KERNEL_PAGE_FIELDS;
};

struct vm_area_struct {
	struct file *vm_file;
};

extern struct page kernel_page[KERNEL_PAGES];
extern void (*kernel_page_freed)(struct page *page);
extern bool kernel_undirtied;	/* no page gets dirty: a control */

static inline struct page *pfn_to_page(unsigned long pfn)
{
	if (pfn - KERNEL_PFN >= KERNEL_PAGES)
		kernel_fail("a frame that is none");
	return &kernel_page[pfn - KERNEL_PFN];
}

static inline unsigned long page_to_pfn(const struct page *page)
{
	return page - kernel_page + KERNEL_PFN;
}

#define page_folio(page)	((struct folio *)(page))

static inline void get_page(struct page *page)
{
	if (__atomic_fetch_add(&page->refcount, 1, __ATOMIC_RELAXED) < 1)
		kernel_fail("a reference to a page that is free");
}

static inline void put_page(struct page *page)
{
	int left = __atomic_sub_fetch(&page->refcount, 1, __ATOMIC_ACQ_REL);

	if (left < 0)
		kernel_fail("a page is put that nobody has");
	if (!left)
		kernel_page_freed(page);
}

static inline bool folio_mark_dirty(struct folio *folio)
{
	might_sleep();
	return !kernel_undirtied && !__atomic_exchange_n(&folio->dirty, true, __ATOMIC_ACQ_REL);
}

static inline void folio_clear_dirty(struct folio *folio)
{
	__atomic_store_n(&folio->dirty, false, __ATOMIC_RELEASE);
}

static inline bool folio_test_dirty(const struct folio *folio)
{
	return __atomic_load_n(&folio->dirty, __ATOMIC_ACQUIRE);
}

static inline void folio_lock(struct folio *folio)
{
	might_sleep();
	pthread_mutex_lock(&folio->lock);
}

static inline bool folio_trylock(struct folio *folio)
{
	kernel_jitter();
	return !pthread_mutex_trylock(&folio->lock);
}

static inline void folio_unlock(struct folio *folio)
{
	pthread_mutex_unlock(&folio->lock);
	kernel_jitter();
}

#define folio_get(folio)		get_page((struct page *)(folio))
#define folio_put(folio)		put_page((struct page *)(folio))
/* Whoever sees the last one gone sees what it was for. */
#define folio_ref_count(folio)		__atomic_load_n(&(folio)->refcount, __ATOMIC_ACQUIRE)
#define page_ref_count(page)		folio_ref_count(page)
#define folio_mark_uptodate(folio)	((void)(folio))

/* The test's. */
void unmap_mapping_pages(struct address_space *mapping, unsigned long first,
			 unsigned long nr, bool even_cows);

/* Nothing here is freed that a reader could be looking at. */
#define rcu_read_lock()			kernel_jitter()
#define rcu_read_unlock()		kernel_jitter()
#define is_zone_device_page(page)	false
#define cond_resched()			might_sleep()
#define hweight64(word)			((u32)__builtin_popcountll(word))

#endif
