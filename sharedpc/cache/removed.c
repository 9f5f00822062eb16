// SPDX-License-Identifier: GPL-2.0-only
/*
 * removed.c - files that have no name any more, by another image's doing
 *
 * FUSE keeps what it knows until memory is short, and the owner's proxy keeps every node that
 * we know: so the space of a file that the owner or another client has removed would be held
 * for long, by names that are none.  The proxy sees such a node, and says so again and again
 * (REMOVED) until it is forgotten.  Its names go here, and unless somebody has it (O_PATH, a
 * working directory) the inode with them, which FUSE's FORGET tells.  Who has it keeps it,
 * with no link, as it is on a local file system.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "cache/cache.h"
#include "cache/mount.h"
#include "sharedpc_wire.h"

#define REMOVALS	4096	/* that wait; the others are said again */

struct removal {
	struct work_struct work;
	struct cache_mount *m;		/* with a reference */
	u64 node;
};

static struct workqueue_struct *works;
static atomic_t removals;

/*
 * As rmdir(2) here would have: nothing is looked up in it any more, as who has it may do, and
 * holds it.  Who has its lock may wait for the owner, so we do not wait for him: it is said
 * again.
 */
static void dir_dies(struct inode *dir)
{
	if (!inode_trylock(dir))
		return;
	dir->i_flags |= S_DEAD;
	inode_unlock(dir);
}

/*
 * Who watches it hears that it has gone when its last dentry does, which may have been
 * before we knew that this was for good.
 */
static void watch_dies(struct inode *inode)
{
	bool has_gone;

	spin_lock(&inode->i_lock);
	has_gone = hlist_empty(&inode->i_dentry);
	spin_unlock(&inode->i_lock);
	if (has_gone)
		fsnotify_inoderemove(inode);
}

void removed_inode(struct inode *inode)
{
	struct cache_inode *ci = cache_inode(inode);
	bool watched = READ_ONCE(inode->i_fsnotify_marks), again;
	struct dentry *d;

	if (inode == d_inode(inode->i_sb->s_root))
		return;
	if (S_ISDIR(inode->i_mode))
		dir_dies(inode);
	if (watched) {	/* FUSE drops an inode whatever links it has */
		spin_lock(&ci->lock);
		clear_nlink(inode);
		spin_unlock(&ci->lock);
	}
	do {
		d = d_find_alias(inode);
		again = d && !d_unhashed(d);
		if (again)
			d_invalidate(d);
		else if (d)	/* a directory's, which has gone before */
			shrink_dcache_parent(d);
		dput(d);
	} while (again);
	if (watched)
		watch_dies(inode);
}

static void removed_work(struct work_struct *work)
{
	struct removal *r = container_of(work, struct removal, work);
	struct super_block *sb = cache_hold(r->m);
	struct inode *inode;

	if (sb) {
		inode = cache_find_inode(sb, r->node);
		if (inode)
			removed_inode(inode);
		iput(inode);
		deactivate_super(sb);
	}
	cache_put(r->m);
	kfree(r);
	atomic_dec(&removals);
}

/* Who says it says it again: it need not be kept. */
void cache_removed(u32 owner, const struct sharedpc_msg *msg)
{
	struct removal *r;

	if (atomic_inc_return(&removals) > REMOVALS)
		goto drop;
	r = kmalloc(sizeof(*r), GFP_NOWAIT | __GFP_NOWARN);
	if (!r)
		goto drop;
	r->m = cache_find_mount(owner, msg->server, msg->file);
	if (!r->m) {
		kfree(r);
		goto drop;
	}
	r->node = msg->pos;
	INIT_WORK(&r->work, removed_work);
	queue_work(works, &r->work);
	return;

drop:
	atomic_dec(&removals);
}

int removed_init(void)
{
	works = alloc_workqueue("sharedpc-removed", WQ_UNBOUND, 1);
	return works ? 0 : -ENOMEM;
}

void removed_exit(void)
{
	destroy_workqueue(works);
}
