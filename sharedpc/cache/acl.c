// SPDX-License-Identifier: GPL-2.0-only
/*
 * acl.c - ACLs: fetched once, and what they allow
 *
 * FUSE without FUSE_POSIX_ACL has none for the VFS, and the kernel's own
 * posix_acl_permission is not for modules.  The rules are POSIX.1e's (draft 17,
 * 23.1.5): the first entry that names the caller counts; of all groups that do,
 * one that allows is enough; the mask limits both.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include "cache/cache.h"

static unsigned int acl_mask(const struct posix_acl *acl)
{
	const struct posix_acl_entry *e, *end;

	FOREACH_ACL_ENTRY(e, acl, end)
		if (e->e_tag == ACL_MASK)
			return e->e_perm;
	return ACL_READ | ACL_WRITE | ACL_EXECUTE;
}

/* The entry of a named user that the caller is, or NULL. */
static const struct posix_acl_entry *acl_user(const struct posix_acl *acl)
{
	const struct posix_acl_entry *e, *end;

	FOREACH_ACL_ENTRY(e, acl, end)
		if (e->e_tag == ACL_USER && uid_eq(e->e_uid, current_fsuid()))
			return e;
	return NULL;
}

static bool acl_is_mine(const struct posix_acl_entry *e, const struct kstat *st)
{
	return (e->e_tag == ACL_GROUP_OBJ && in_group_p(st->gid)) ||
	       (e->e_tag == ACL_GROUP && in_group_p(e->e_gid));
}

/* The caller is not the file's owner.  0 or -EACCES. */
int acl_may(const struct posix_acl *acl, const struct kstat *st, int mask)
{
	const struct posix_acl_entry *e = acl_user(acl), *end;
	unsigned int other = 0;
	bool found = false;

	if (e)
		return mask & ~(e->e_perm & acl_mask(acl)) ? -EACCES : 0;
	FOREACH_ACL_ENTRY(e, acl, end) {
		if (e->e_tag == ACL_OTHER)
			other = e->e_perm;
		if (!acl_is_mine(e, st))
			continue;
		found = true;
		if (!(mask & ~(e->e_perm & acl_mask(acl))))
			return 0;
	}
	return found || mask & ~other ? -EACCES : 0;
}

static struct posix_acl *acl_ask(struct inode *inode)
{
	const struct xattr_handler *fuse = cache_mount_of(inode->i_sb)->fuse_xattrs[0];
	void *value = kmalloc(PAGE_SIZE, GFP_KERNEL);
	struct posix_acl *acl;
	int len;

	if (!value)
		return ERR_PTR(-ENOMEM);
	len = fuse->get(fuse, NULL, inode, XATTR_NAME_POSIX_ACL_ACCESS, value, PAGE_SIZE);
	acl = len > 0 ? posix_acl_from_xattr(&init_user_ns, value, len) :
	      ERR_PTR(len ?: -ENODATA);
	kfree(value);
	return acl ?: ERR_PTR(-ENODATA);
}

/*
 * For file systems on top, whose own permission check asks for it (overlayfs): FUSE says
 * that there is none.
 */
struct posix_acl *cache_get_inode_acl(struct inode *inode, int type, bool rcu)
{
	struct posix_acl *acl;
	struct known k;
	int err;

	if (rcu)
		return ERR_PTR(-ECHILD);
	if (type != ACL_TYPE_ACCESS || !cache_inode(inode))
		return NULL;
	err = cache_look(inode, &k);
	if (err)
		return ERR_PTR(err);
	if (!(k.flags & SHAREDPC_LOOK_ACL))
		return NULL;
	acl = acl_ask(inode);
	return acl == ERR_PTR(-ENODATA) || acl == ERR_PTR(-EOPNOTSUPP) ? NULL : acl;
}

int acl_fetch(struct inode *inode)
{
	struct cache_inode *ci = cache_inode(inode);
	struct posix_acl *acl;
	u64 gen;

	if (!ci->word || cache_useless(cache_mount_of(inode->i_sb)))
		return -EAGAIN;
	gen = words_read(ci->word);
	acl = acl_ask(inode);
	if (IS_ERR(acl))
		return PTR_ERR(acl);
	cache_learn_acl(inode, gen, acl);
	return 0;
}
