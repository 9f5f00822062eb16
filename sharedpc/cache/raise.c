// SPDX-License-Identifier: GPL-2.0-only
/*
 * raise.c - what others have done to what is watched here, as events of our own inodes
 *
 * An event comes with the nodes that it is about; their inodes, if there are any, get it by
 * fsnotify(), as the VFS would have called it.  What is not known here of a child (nobody has
 * looked it up) is an inode that stands for it, which nobody watches.
 *
 * What has been removed loses its names here, so that it goes, with its watches and
 * IN_DELETE_SELF, as soon as nobody here has it open.
 */
#include <linux/fsnotify_backend.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "cache/cache.h"

/* A cookie is another kernel's: not to be taken for one of ours, which count from 0. */
#define COOKIE(m, cookie)	(BIT(31) | (m)->owner << 28 | ((cookie) & GENMASK(27, 0)))

struct raising {
	struct cache_mount *m;
	struct super_block *sb;
	struct inode *stranger;		/* NULL: not needed yet */
	bool over;			/* that some are lost has been said */
};

/* The child of that name, as far as it is known here, else the one that stands for it. */
static struct inode *child_of(struct raising *r, struct inode *dir, struct qstr *name)
{
	struct dentry *above = d_find_any_alias(dir), *d = NULL;
	struct inode *inode = NULL;

	if (above)
		d = d_hash_and_lookup(above, name);
	if (!IS_ERR_OR_NULL(d)) {
		inode = d_really_is_positive(d) ? igrab(d_inode(d)) : NULL;
		dput(d);
	}
	dput(above);
	if (inode)
		return inode;
	if (!r->stranger) {
		r->stranger = new_inode(r->sb);
		/* It may have been another one's memory; FUSE's evict wants no file. */
		if (r->stranger)
			r->stranger->i_mode = 0;
	}
	return r->stranger ? igrab(r->stranger) : NULL;
}

static void raise_in(struct raising *r, u32 mask, struct inode *dir, struct qstr *name,
		     struct inode *inode, u32 cookie)
{
	struct inode *child = inode ? igrab(inode) : child_of(r, dir, name);

	if (!child)
		return;
	if (mask & ALL_FSNOTIFY_DIRENT_EVENTS)
		fsnotify(mask, child, FSNOTIFY_EVENT_INODE, dir, name, NULL, cookie);
	else
		fsnotify(mask | FS_EVENT_ON_CHILD, child, FSNOTIFY_EVENT_INODE, dir, name,
			 child, 0);
	iput(child);
}

static void raise_one(struct raising *r, const struct ccfs_event *e, struct qstr *name)
{
	u32 cookie = e->cookie ? COOKIE(r->m, e->cookie) : 0;
	struct inode *inode = cache_find_inode(r->sb, e->node);
	struct inode *dir = cache_find_inode(r->sb, e->dir);
	u32 mask = e->mask & (CCFS_EVENT_ALL | FS_ISDIR);

	if (dir && mask)
		raise_in(r, mask, dir, name, inode, cookie);
	else if (inode && mask)
		fsnotify(mask, inode, FSNOTIFY_EVENT_INODE, NULL, NULL, inode, 0);
	if (inode && e->flags & CCFS_EVENT_REMOVED)
		removed_inode(inode);
	else if (inode && !watched_mask(inode))
		watched_gone(inode);
	if (dir && !watched_mask(dir))
		watched_gone(dir);
	iput(inode);
	iput(dir);
}

/* The event at @at, of which @left bytes are there; its length, or -EINVAL. */
static int raise_at(struct raising *r, const void *at, u32 left)
{
	char text[NAME_MAX + 1] = "";
	struct ccfs_event e;
	struct qstr name;

	if (left < sizeof(e))
		return -EINVAL;
	memcpy(&e, at, sizeof(e));
	if (e.len > NAME_MAX || e.len > left - sizeof(e) || !e.dir == !!e.len)
		return -EINVAL;
	memcpy(text, at + sizeof(e), e.len);
	if (strlen(text) != e.len || strchr(text, '/'))
		return -EINVAL;
	name = (struct qstr)QSTR_INIT(text, e.len);
	if (e.mask & CCFS_EVENT_OVERFLOW && !r->over)
		overflow_raise(r->sb);
	r->over |= e.mask & CCFS_EVENT_OVERFLOW;
	raise_one(r, &e, &name);
	cache_count(r->m, CACHE_EVENT);
	return sizeof(e) + e.len;
}

int cache_raise(struct cache_mount *m, const struct sharedpc_raise *want)
{
	struct raising r = { .m = m };
	void *events;
	u32 pos = 0;
	int len = 0;

	if (want->bytes > CCFS_EVENTS_MAX)
		return -EINVAL;
	events = vmemdup_user(u64_to_user_ptr(want->events), want->bytes);
	if (IS_ERR(events))
		return PTR_ERR(events);
	r.sb = cache_hold(m);
	while (r.sb && pos < want->bytes && len >= 0) {
		len = raise_at(&r, events + pos, want->bytes - pos);
		pos += len;
		cond_resched();
	}
	iput(r.stranger);
	if (r.sb)
		deactivate_super(r.sb);
	kvfree(events);
	return min(len, 0);
}
