// SPDX-License-Identifier: GPL-2.0-only
/*
 * space.c - fallocate(2): what FUSE refuses to hand on
 *
 * It knows no mode that moves what lies behind a range, or that unshares it: those the owner
 * is asked for directly, once.  On the owner's own mount they stay refused.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include "cache/cache.h"

#define OURS	(FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE)

bool space_is_ours(const struct file *file, int mode)
{
	const struct cache_mount *m = cache_mount_of(file_inode(file)->i_sb);

	return mode & OURS && m->session && m->ask;
}

long space_allocate(struct file *file, int mode, loff_t pos, loff_t len)
{
	struct inode *inode = file_inode(file);
	struct cache_mount *m = cache_mount_of(inode->i_sb);
	struct known known;
	int err;

	/* They may take long, and are not to have all of the slots for names. */
	if (down_killable(&m->space))
		return -EINTR;
	show_change_begin(inode);
	do {
		err = direct_allocate(inode, mode, pos, len);
		if (err == DIRECT_NOT)
			err = direct_pause(m) ?: DIRECT_NOT;
	} while (err == DIRECT_NOT);
	show_change_end(inode);
	up(&m->space);
	/* It is open for writing: what FUSE is told of its size it shows. */
	if (!err)
		cache_look(inode, &known);
	return err;
}
