// SPDX-License-Identifier: GPL-2.0-only
/*
 * spare.c - backing files that are kept for later opens
 *
 * BACKING offers a file while FUSE is asked to open; whoever opens takes the
 * offer, and the file outlives the open as the inode's spare.
 *
 * A spare holds the file open at the owner, and its frames.  So there are few,
 * the oldest go first, and they go
 *  - when the file changes otherwise than by being read (tidy looks at its
 *    word): it may have been removed, and its space is wanted;
 *  - when it is opened for writing: a file that is open for writing at the
 *    owner is asked about each time, and the proxy has one struct file for all;
 *  - when frames are short at the owner (words_full);
 *  - with the inode: drop_caches, memory pressure here.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "box/region.h"
#include "cache/cache.h"
#include "client/file.h"
#include "sharedpc_limits.h"

#define SPARE_PART	16		/* of the region's frames, at most */
#define OFFERS_MAX	64		/* opens that FUSE is answered at one time */
#define TIDY		(LIMIT_TIDY_MS * HZ / 1000)

static uint spare_files = 1024;

static int spare_files_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_uint(val, kp);

	if (!err)
		cache_shed_all();
	return err;
}

static const struct kernel_param_ops spare_files_ops = {
	.set = spare_files_set,
	.get = param_get_uint,
};
module_param_cb(spare_files, &spare_files_ops, &spare_files, 0644);
MODULE_PARM_DESC(spare_files, "files of a mount kept open for later opens; 0: none");

/* A backing file that BACKING gave while FUSE was asked to open. */
struct offer {
	struct list_head list;
	u64 node;
	struct file *file;
};

/* The oldest offer that is one too many, or the one for @node; with spare_lock. */
static struct file *offer_remove(struct offer *o)
{
	struct file *file = o->file;

	list_del(&o->list);
	kfree(o);
	return file;
}

void spare_offer(struct cache_mount *m, u64 node, struct file *file)
{
	struct offer *o = kmalloc(sizeof(*o), GFP_KERNEL);
	struct file *oldest = o ? NULL : file;

	spin_lock(&m->spare_lock);
	if (o) {
		o->node = node;
		o->file = file;
		list_add_tail(&o->list, &m->offers);
		m->offers_count++;
	}
	/* Of a mount whose owner we are they are real.c's, which needs each. */
	if (m->session && m->offers_count > OFFERS_MAX) {
		m->offers_count--;
		oldest = offer_remove(list_first_entry(&m->offers, struct offer, list));
	}
	spin_unlock(&m->spare_lock);
	if (oldest)
		fput(oldest);
}

struct file *spare_take_offer(struct cache_mount *m, u64 node)
{
	struct file *file = NULL;
	struct offer *o;

	spin_lock(&m->spare_lock);
	list_for_each_entry_reverse(o, &m->offers, list)
		if (o->node == node) {
			m->offers_count--;
			file = offer_remove(o);
			break;
		}
	spin_unlock(&m->spare_lock);
	return file;
}

/* With spare_lock: the oldest offer for @node, if there are more than @nr. */
static struct offer *offer_surplus(struct cache_mount *m, u64 node, u32 nr)
{
	struct offer *o, *oldest = NULL;
	u32 found = 0;

	list_for_each_entry(o, &m->offers, list) {
		if (o->node != node)
			continue;
		oldest = oldest ?: o;
		found++;
	}
	return found > nr ? oldest : NULL;
}

void spare_trim(struct cache_mount *m, struct cache_inode *ci)
{
	struct file *file;
	struct offer *o;

	if (!ci || !READ_ONCE(m->offers_count))
		return;
	do {
		file = NULL;
		spin_lock(&m->spare_lock);
		o = offer_surplus(m, ci->node, atomic_read(&ci->opening));
		if (o) {
			m->offers_count--;
			file = offer_remove(o);
		}
		spin_unlock(&m->spare_lock);
		if (file)
			fput(file);
	} while (file);
}

static void offers_drop(struct cache_mount *m)
{
	struct offer *o, *next;
	LIST_HEAD(all);

	spin_lock(&m->spare_lock);
	list_splice_init(&m->offers, &all);
	m->offers_count = 0;
	spin_unlock(&m->spare_lock);
	list_for_each_entry_safe(o, next, &all, list)
		fput(offer_remove(o));
}

/* With spare_lock: @ci keeps nothing any more; the file, for fput. */
static struct file *spare_remove(struct cache_mount *m, struct cache_inode *ci)
{
	struct file *file = ci->spare;

	if (!file)
		return NULL;
	list_del_init(&ci->spare_node);
	m->spare_count--;
	ci->spare = NULL;
	return file;
}

void spare_drop(struct cache_mount *m, struct cache_inode *ci)
{
	struct file *file;

	if (!READ_ONCE(ci->spare))
		return;
	spin_lock(&m->spare_lock);
	file = spare_remove(m, ci);
	spin_unlock(&m->spare_lock);
	if (file)
		fput(file);
}

/* The oldest, or NULL. */
static struct file *spare_remove_oldest(struct cache_mount *m)
{
	struct cache_inode *ci;

	ci = list_first_entry_or_null(&m->spares, struct cache_inode, spare_node);
	return ci ? spare_remove(m, ci) : NULL;
}

void spare_shed(struct cache_mount *m)
{
	struct file *file;

	if (m->session)	/* else they are real.c's */
		offers_drop(m);
	do {
		spin_lock(&m->spare_lock);
		file = spare_remove_oldest(m);
		spin_unlock(&m->spare_lock);
		if (file)
			fput(file);
	} while (file);
}

struct file *spare_get(struct cache_mount *m, struct cache_inode *ci)
{
	struct file *file = NULL;

	if (!READ_ONCE(ci->spare) || cache_useless(m))
		return NULL;
	spin_lock(&m->spare_lock);
	if (ci->spare) {
		file = get_file(ci->spare);
		list_move_tail(&ci->spare_node, &m->spares);
	}
	spin_unlock(&m->spare_lock);
	return file;
}

void spare_add(struct cache_mount *m, struct cache_inode *ci, struct file *file)
{
	struct file *old, *oldest = NULL;

	spin_lock(&m->spare_lock);
	old = spare_remove(m, ci);
	ci->spare = file;
	ci->spare_gen = ci->word ? words_read(ci->word) : 0;
	list_add_tail(&ci->spare_node, &m->spares);
	if (++m->spare_count > READ_ONCE(spare_files))
		oldest = spare_remove_oldest(m);
	spin_unlock(&m->spare_lock);
	if (old)
		fput(old);
	if (oldest)
		fput(oldest);
	schedule_delayed_work(&m->tidy, TIDY);
}

/* With spare_lock: has @ci's file changed since it was kept? */
static bool spare_changed(const struct cache_inode *ci)
{
	return !ci->word || words_read(ci->word) != ci->spare_gen;
}

/* One file that must go, or NULL: from the first that changed, then by age. */
static struct file *spare_next(struct cache_mount *m)
{
	u64 frames = 0, most = region_pages_of(m->owner) / SPARE_PART;
	struct cache_inode *ci;

	list_for_each_entry(ci, &m->spares, spare_node) {
		if (spare_changed(ci))
			return spare_remove(m, ci);
		frames += atomic64_read(&sharedpc_file(file_inode(ci->spare))->held);
	}
	return frames > most ? spare_remove_oldest(m) : NULL;
}

static void spare_tidy(struct work_struct *work)
{
	struct cache_mount *m = container_of(to_delayed_work(work), struct cache_mount, tidy);
	u64 full = words_full(m->owner);
	struct file *file;
	u32 left;

	if (xchg(&m->shed, false) || READ_ONCE(m->dead) || full != m->full)
		spare_shed(m);
	m->full = full;
	do {
		spin_lock(&m->spare_lock);
		file = spare_next(m);
		left = m->spare_count;
		spin_unlock(&m->spare_lock);
		if (file)
			fput(file);
	} while (file);
	if (left)
		schedule_delayed_work(&m->tidy, TIDY);
}

void spare_init(struct cache_mount *m)
{
	spin_lock_init(&m->spare_lock);
	INIT_LIST_HEAD(&m->spares);
	INIT_LIST_HEAD(&m->offers);
	m->full = words_full(m->owner);
	INIT_DELAYED_WORK(&m->tidy, spare_tidy);
}

/* No inode is left, so that nothing is kept. */
void spare_exit(struct cache_mount *m)
{
	cancel_delayed_work_sync(&m->tidy);
	offers_drop(m);
}
