// SPDX-License-Identifier: GPL-2.0-only
/*
 * whose.c - what a process, or an open file, that has locks is called at the owner
 *
 * The kernel knows whose a lock is by an address, which somebody else may have tomorrow,
 * when the owner has not yet heard that the locks are gone.  So he has a name as long as he
 * has a lock, or an unlock of his is on its way: a number that is given once.
 */
#include <linux/hashtable.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "cache/whose.h"

struct whose {
	struct hlist_node node;
	const void *who;
	u64 name;
	u32 uses;
	u32 doubted;			/* how often */
};

static DEFINE_HASHTABLE(all, 10);
static DEFINE_SPINLOCK(lock);
static atomic64_t last;

static const void *who_of(const struct file_lock *fl)
{
	return fl->c.flc_flags & FL_FLOCK ? fl->c.flc_file : fl->c.flc_owner;
}

bool whose_same(const struct file_lock *a, const struct file_lock *b)
{
	return who_of(a) == who_of(b);
}

/* With lock. */
static struct whose *find(const void *who)
{
	struct whose *w;

	hash_for_each_possible(all, w, node, (unsigned long)who)
		if (w->who == who)
			return w;
	return NULL;
}

u64 whose_new(void)
{
	return atomic64_inc_return(&last) ?: atomic64_inc_return(&last);
}

u64 whose_find(const struct file_lock *fl)
{
	struct whose *w;
	u64 name = 0;

	spin_lock(&lock);
	w = find(who_of(fl));
	if (w) {
		w->uses++;
		name = w->name;
	}
	spin_unlock(&lock);
	return name;
}

u64 whose_get(const struct file_lock *fl)
{
	struct whose *new, *w;
	u64 name = whose_find(fl);

	if (name)
		return name;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return 0;
	new->who = who_of(fl);
	new->name = whose_new();
	spin_lock(&lock);
	w = find(new->who);
	if (!w) {
		w = new;
		new = NULL;
		hash_add(all, &w->node, (unsigned long)w->who);
	}
	w->uses++;
	name = w->name;
	spin_unlock(&lock);
	kfree(new);
	return name;
}

void whose_put(const struct file_lock *fl)
{
	struct whose *gone = NULL, *w;

	spin_lock(&lock);
	w = find(who_of(fl));
	if (!WARN_ON_ONCE(!w) && !--w->uses) {
		hash_del(&w->node);
		gone = w;
	}
	spin_unlock(&lock);
	kfree(gone);
}

void whose_doubt(const struct file_lock *fl)
{
	spin_lock(&lock);
	find(who_of(fl))->doubted++;
	spin_unlock(&lock);
}

u32 whose_doubts(const struct file_lock *fl)
{
	u32 n;

	spin_lock(&lock);
	n = find(who_of(fl))->doubted;
	spin_unlock(&lock);
	return n;
}

/* Under the kernel's spin locks. */
static void mark_copy(struct file_lock *new, struct file_lock *fl)
{
	whose_find(new);
}

static void mark_release(struct file_lock *fl)
{
	whose_put(fl);
}

static const struct file_lock_operations marked = {
	.fl_copy_lock		= mark_copy,
	.fl_release_private	= mark_release,
};

void whose_mark(struct file_lock *fl)
{
	fl->fl_ops = &marked;
}

/* An earlier life of this image had others. */
void whose_init(void)
{
	atomic64_set(&last, get_random_u64());
}
