// SPDX-License-Identifier: GPL-2.0-only
/*
 * flags.c - flags of files and the like, for lsattr(1) and chattr(1)
 *
 * FUSE asks for them by an open of its own, which nobody else of us sees: what ccfs offered
 * with that is given back here.
 */
#include <linux/fs.h>
#include <linux/fileattr.h>
#include "cache/cache.h"

int cache_fileattr_get(struct dentry *d, struct fileattr *fa)
{
	struct inode *inode = d_inode(d);
	int err = cache_fuse_iops(inode)->fileattr_get(d, fa);

	spare_trim(cache_mount_of(inode->i_sb), cache_inode(inode));
	return err;
}

int cache_fileattr_set(struct mnt_idmap *idmap, struct dentry *d, struct fileattr *fa)
{
	struct inode *inode = d_inode(d);
	int err = cache_fuse_iops(inode)->fileattr_set(idmap, d, fa);

	spare_trim(cache_mount_of(inode->i_sb), cache_inode(inode));
	return err;
}
