// SPDX-License-Identifier: GPL-2.0-only
/*
 * permission.c - who may
 *
 * Where a name is answered without the owner, nobody else looks whether the
 * caller may use it: so that is decided here, for all kinds of files, as the
 * owner would decide it.  For the owner a caller is his file system uid, gid
 * and groups: with uid 0 he has all capabilities, else none, whatever this
 * kernel gave him (proxyd/export/cred.c).
 *
 * Left to the owner: whoever is somebody else there (squash); an ACL that matters for the caller and could not be
 * fetched, and the search of a directory of which no name is remembered, since
 * each look-up in it is asked.
 */
#include <linux/cred.h>
#include <linux/uidgid.h>
#include "cache/cache.h"

#define LEFT_TO_OWNER	1
#define ROOT		1	/* FUSE's node id */

/* Root: everything, but to run a file somebody must be allowed to. */
static int may_root(const struct kstat *st, int mask)
{
	if (S_ISDIR(st->mode) || !(mask & MAY_EXEC) || st->mode & 0111)
		return 0;
	return -EACCES;
}

static int may_acl(const struct known *k, int mask)
{
	/* Pairs with cache_learn_acl. */
	const struct posix_acl *acl = smp_load_acquire(&k->acl);

	return acl ? acl_may(acl, &k->stat, mask) : LEFT_TO_OWNER;
}

/* Under RCU: 0, -EACCES, -EPERM or LEFT_TO_OWNER. */
static int may(const struct known *k, int mask)
{
	unsigned int mode = k->stat.mode;

	if (mask & MAY_WRITE && k->stat.attributes & STATX_ATTR_IMMUTABLE)
		return -EPERM;
	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if (uid_eq(current_fsuid(), GLOBAL_ROOT_UID))
		return may_root(&k->stat, mask);
	if (uid_eq(current_fsuid(), k->stat.uid))
		mode >>= 6;
	else if (k->flags & SHAREDPC_LOOK_ACL && mode & 0070)
		return may_acl(k, mask);	/* Linux: not if its mask is empty */
	else if (in_group_p(k->stat.gid))
		mode >>= 3;
	return mask & ~mode ? -EACCES : 0;
}

/* Each look-up in there is asked, and checked then. */
static bool search_is_asked(const struct cache_inode *ci, const struct inode *inode,
			    int mask)
{
	return S_ISDIR(inode->i_mode) && !READ_ONCE(ci->names) &&
	       !(mask & (MAY_READ | MAY_WRITE | MAY_ACCESS | MAY_CHDIR | MAY_OPEN));
}

/*
 * Nothing is remembered of names in there.  What the VFS looks at in a directory comes with
 * its own look-up; the root has none.
 */
static int search(const struct cache_inode *ci, struct inode *inode, int mask)
{
	struct known k;

	if (ci->node != ROOT)
		return 0;
	return mask & MAY_NOT_BLOCK ? -ECHILD : cache_look(inode, &k);
}

/* Is the caller somebody else for the owner? */
static bool squashed(const struct inode *inode)
{
	u32 squash = cache_mount_of(inode->i_sb)->squash;

	if (likely(!squash))
		return false;
	return squash & SHAREDPC_ATTACH_SQUASH_ALL ||
	       uid_eq(current_fsuid(), GLOBAL_ROOT_UID) || in_group_p(GLOBAL_ROOT_GID);
}

static int may_known(const struct inode *inode, int mask)
{
	const struct known *k;
	int ret = LEFT_TO_OWNER;

	if (squashed(inode))
		return ret;
	rcu_read_lock();
	k = cache_known(inode);
	if (k)
		ret = may(k, mask);
	rcu_read_unlock();
	return ret;
}

/*
 * Ask for what is not known, then decide from what is: never from an answer that
 * is not known to be of one moment.
 */
static int may_ask(struct inode *inode, int mask)
{
	struct known k;
	int ret = cache_look(inode, &k);

	if (ret)
		return ret;
	ret = may_known(inode, mask);
	if (ret == LEFT_TO_OWNER && k.flags & SHAREDPC_LOOK_ACL && !acl_fetch(inode))
		ret = may_known(inode, mask);
	return ret;
}

int cache_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	struct cache_inode *ci = cache_inode(inode);
	int ret = LEFT_TO_OWNER;

	/* A file that was just created is opened, whatever it allows. */
	if (ci && !(mask & (MAY_READ | MAY_WRITE | MAY_EXEC)))
		return 0;
	if (ci && search_is_asked(ci, inode, mask))
		return search(ci, inode, mask);
	if (ci)
		ret = may_known(inode, mask);
	if (ret != LEFT_TO_OWNER) {
		cache_count(cache_mount_of(inode->i_sb), CACHE_MAY_HIT);
		return ret;
	}
	if (mask & MAY_NOT_BLOCK)
		return -ECHILD;
	cache_count(cache_mount_of(inode->i_sb), CACHE_MAY_ASK);
	if (ci && !cache_mount_of(inode->i_sb)->forget) {
		ret = may_ask(inode, mask);
		if (ret != LEFT_TO_OWNER)
			return ret;
	}
	ret = direct_access(inode, mask);
	if (ret != DIRECT_NOT)
		return ret;
	/* MAY_ACCESS has FUSE ask. */
	return cache_fuse_iops(inode)->permission(idmap, inode, mask | MAY_ACCESS);
}
