// SPDX-License-Identifier: GPL-2.0-only
/*
 * list.c - directories' contents
 *
 * FUSE keeps a listing as long as the directory's i_version is what it was
 * when the listing was begun (fuse_readdir_cached): so where a reading begins,
 * i_version goes on if the directory's word has since the last one, and what FUSE
 * keeps is true as long as the word says so.
 *
 * What comes with a listing's entries (READDIRPLUS) is taken in when FUSE has
 * made their dentries.
 */
#include <linux/iversion.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include "cache/cache.h"

#define VERSION_STEP	(1ULL << 20)	/* FUSE counts our own changes in between */

static DEFINE_MUTEX(ops_lock);
static const struct file_operations *fuse_ops;
static struct file_operations ops;

/* With the inode's lock: a version that no listing has. */
static void version_next(struct inode *dir)
{
	inode_set_iversion_queried(dir, inode_peek_iversion(dir) + VERSION_STEP);
}

/*
 * FUSE looks at the version only where a reading begins, and takes a reader on
 * in any listing that is complete.  Without its pages it finds it useless.
 */
static void listing_drop(struct inode *dir)
{
	truncate_inode_pages(dir->i_mapping, 0);
}

/*
 * The word is read under the lock: nobody with an older word may undo what one with a newer has set, or the
 * latter would take an old listing for a new one.
 */
static void version_set(struct inode *dir, struct cache_inode *ci)
{
	bool remember = ci->word && !cache_useless(cache_mount_of(dir->i_sb));
	bool changed = false;
	u64 word;

	spin_lock(&ci->lock);
	word = remember ? words_read(ci->word) : 0;
	if (!remember || word != ci->listed) {
		ci->listed = word;
		version_next(dir);
		changed = true;
	}
	spin_unlock(&ci->lock);
	if (changed)
		listing_drop(dir);
}

/*
 * FUSE puts an answer into a listing that another has begun meanwhile, if it
 * fits, and takes it for as new as that (fuse_add_dirent_to_cache).  So if
 * somebody has begun one of another version since @before, neither stays.
 */
static void version_check(struct inode *dir, struct cache_inode *ci, u64 before)
{
	bool changed;

	spin_lock(&ci->lock);
	changed = inode_peek_iversion(dir) != before;
	if (changed)
		version_next(dir);
	spin_unlock(&ci->lock);
	if (changed)
		listing_drop(dir);
}

static int list_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	struct cache_inode *ci = cache_inode(dir);
	u64 version, turn;
	int err;

	if (ci && !ctx->pos)
		version_set(dir, ci);
	version = inode_peek_iversion(dir);
	turn = show_turn(dir);
	cache_count(cache_mount_of(dir->i_sb), CACHE_LIST_READ);
	err = fuse_ops->iterate_shared(file, ctx);
	if (ci)
		version_check(dir, ci, version);
	entry_learn_all(file->f_path.dentry, turn);
	return err;
}

void list_wrap(struct inode *inode)
{
	if (!S_ISDIR(inode->i_mode))
		return;
	mutex_lock(&ops_lock);
	if (!fuse_ops) {
		ops = *inode->i_fop;
		ops.owner = THIS_MODULE;
		ops.iterate_shared = list_iterate;
		ops.lock = lock_file;
		ops.flock = lock_flock;
		fuse_ops = inode->i_fop;
	}
	if (inode->i_fop == fuse_ops)
		WRITE_ONCE(inode->i_fop, &ops);
	mutex_unlock(&ops_lock);
}
