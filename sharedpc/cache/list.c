// SPDX-License-Identifier: GPL-2.0-only
/*
 * list.c - directories' contents
 *
 * FUSE keeps a listing as long as the directory's i_version is what it was
 * when the listing was begun (fuse_readdir_cached): so at the beginning of each
 * reading i_version is set from the directory's word, and what FUSE keeps is
 * true as long as the word says so.  FUSE itself counts i_version up at
 * changes made here; the word's values are set far apart, so that none of those
 * is ever equal to a later word.
 *
 * What comes with a listing's entries (READDIRPLUS) is taken in when FUSE has
 * made their dentries.
 */
#include <linux/iversion.h>
#include <linux/module.h>
#include "cache/cache.h"

#define VERSION_SHIFT	20	/* our own changes between two words */

static DEFINE_MUTEX(ops_lock);
static const struct file_operations *fuse_ops;
static struct file_operations ops;

/*
 * Nobody with an older word may undo what one with a newer has set, or the
 * latter would take an old listing for a new one.
 */
static void version_set(struct inode *dir, struct cache_inode *ci)
{
	bool remember = ci->word && !cache_useless(cache_mount_of(dir->i_sb));
	u64 now, want;

	spin_lock(&ci->lock);
	now = inode_peek_iversion(dir);
	want = remember ? words_read(ci->word) << VERSION_SHIFT : 0;
	if (!remember || (s64)(want - now) > 0)
		inode_set_iversion_queried(dir, remember ? want : now + 1);
	spin_unlock(&ci->lock);
}

/*
 * FUSE puts an answer into a listing that another has begun meanwhile, if it
 * fits, and takes it for as new as that (fuse_add_dirent_to_cache).  So if
 * somebody has begun one of another version since @before, neither stays.
 */
static void version_check(struct inode *dir, struct cache_inode *ci, u64 before)
{
	u64 now;

	spin_lock(&ci->lock);
	now = inode_peek_iversion(dir);
	if (now != before)
		inode_set_iversion_queried(dir, now + 1);
	spin_unlock(&ci->lock);
}

static int list_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	struct cache_inode *ci = cache_inode(dir);
	u64 version;
	int err;

	if (ci && !ctx->pos)
		version_set(dir, ci);
	version = inode_peek_iversion(dir);
	cache_count(CACHE_LIST_READ);
	err = fuse_ops->iterate_shared(file, ctx);
	if (ci)
		version_check(dir, ci, version);
	entry_learn_all(file->f_path.dentry);
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
		fuse_ops = inode->i_fop;
	}
	if (inode->i_fop == fuse_ops)
		WRITE_ONCE(inode->i_fop, &ops);
	mutex_unlock(&ops_lock);
}
