// SPDX-License-Identifier: GPL-2.0-only
/*
 * xattr.c - extended attributes and ACLs that are not there
 *
 * Every exec asks for security.capability, every `ls -l` for an ACL, and hardly
 * any file has one: that a file has none at all is known with its attributes.
 * What is there is asked for.
 */
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include "cache/cache.h"

static bool has_none(const struct inode *inode)
{
	const struct known *k;
	bool none;

	rcu_read_lock();
	k = cache_known(inode);
	none = k && !(k->flags & SHAREDPC_LOOK_XATTR);
	rcu_read_unlock();
	cache_count(cache_mount_of(inode->i_sb), none ? CACHE_XATTR_HIT : CACHE_XATTR_ASK);
	return none;
}

/* @name has something behind @prefix. */
static bool is_below(const char *name, const char *prefix, size_t len)
{
	return !strncmp(name, prefix, len) && name[len];
}

/* A name that no file system knows is an error of another kind. */
static bool may_be_there(const char *name)
{
	return is_below(name, XATTR_USER_PREFIX, XATTR_USER_PREFIX_LEN) ||
	       is_below(name, XATTR_TRUSTED_PREFIX, XATTR_TRUSTED_PREFIX_LEN) ||
	       is_below(name, XATTR_SECURITY_PREFIX, XATTR_SECURITY_PREFIX_LEN);
}

int cache_xattr_get(const struct xattr_handler *handler, struct dentry *d,
		    struct inode *inode, const char *name, void *value, size_t size)
{
	const struct xattr_handler *fuse = cache_mount_of(inode->i_sb)->fuse_xattrs[0];

	if (may_be_there(name) && has_none(inode))
		return -ENODATA;
	return fuse->get(fuse, d, inode, name, value, size);
}

ssize_t cache_listxattr(struct dentry *d, char *list, size_t size)
{
	if (has_none(d_inode(d)))
		return 0;
	return cache_fuse_iops(d_inode(d))->listxattr(d, list, size);
}

struct posix_acl *cache_get_acl(struct mnt_idmap *idmap, struct dentry *d, int type)
{
	if (has_none(d_inode(d)))
		return NULL;
	return cache_fuse_iops(d_inode(d))->get_acl(idmap, d, type);
}
