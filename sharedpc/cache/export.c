// SPDX-License-Identifier: GPL-2.0-only
/*
 * export.c - file handles: name_to_handle_at(2), open_by_handle_at(2), knfsd
 *
 * FUSE's own handle is its node id, which ends with the mount, and names nothing when the
 * inode has gone from memory.  Ours is the owner's (ccfs_fhandle): the file's handle in its
 * own file system, sealed.  It is good as long as the owner's kernel runs, on this image, on
 * any mount of the same export.  Two words come before the owner's: programs have room for
 * as little as 20 bytes in all.
 *
 * On the owner's own mounts, and where its file system has no handles, FUSE's it is.
 */
#include <linux/exportfs.h>
#include <linux/slab.h>
#include "cache/cache.h"
#include "ccfs_proto.h"

#define FH_TYPE		0xcc	/* nobody else's, see enum fid_type */
#define FH_HEAD		2	/* words: the seal, and in its lowest byte, which is 0, the type */
#define FH_BYTES	sizeof_field(struct ccfs_fhandle, bytes)
#define TRIES		100	/* when there is no slot, or no buffer */

static bool has_handles(const struct cache_mount *m)
{
	return m->session && m->ask;
}

static int handle_ask(const struct inode *inode, struct ccfs_fhandle *h)
{
	const struct cache_mount *m = cache_mount_of(inode->i_sb);
	int err, tries;

	for (tries = 0; tries < TRIES; tries++) {
		err = direct_handle(inode, h);
		if (err == DIRECT_NOT)
			err = direct_pause(m) ?: DIRECT_NOT;
		if (err != DIRECT_NOT)
			break;
	}
	return err;
}

/*
 * The handle of @inode, which never changes: asked for once.  0, or the owner's error;
 * not under reclaim, which comes here when a file goes that somebody watches.
 */
static int handle_get(const struct inode *inode, struct ccfs_fhandle *h)
{
	struct cache_inode *ci = cache_inode(inode);
	struct ccfs_fhandle *new;
	int err;

	/* Complete, once it shows. */
	if (ci && smp_load_acquire(&ci->handle)) {
		*h = *ci->handle;
		return h->len ? 0 : -EOPNOTSUPP;
	}
	if (!ci || current->flags & PF_MEMALLOC)
		return -EAGAIN;
	*h = (struct ccfs_fhandle){ 0 };
	err = handle_ask(inode, h);
	if (err && err != -EOPNOTSUPP)
		return err;
	new = kmemdup(h, sizeof(*h), GFP_KERNEL_ACCOUNT);
	if (new && cmpxchg_release(&ci->handle, NULL, new))
		kfree(new);
	return err;
}

static int cache_encode_fh(struct inode *inode, u32 *fh, int *max, struct inode *parent)
{
	const struct cache_mount *m = cache_mount_of(inode->i_sb);
	struct ccfs_fhandle h;
	int words, err = has_handles(m) ? handle_get(inode, &h) : -EOPNOTSUPP;

	if (err == -EOPNOTSUPP)
		return m->fuse_export_op->encode_fh(inode, fh, max, parent);
	if (err || h.len % sizeof(u32) || h.type != (u8)h.type || (u8)h.seal)
		return FILEID_INVALID;
	words = FH_HEAD + h.len / sizeof(u32);
	if (*max < words) {
		*max = words;
		return FILEID_INVALID;
	}
	*max = words;
	fh[0] = h.seal >> 32;
	fh[1] = (u32)h.seal | h.type;
	memcpy(fh + FH_HEAD, h.bytes, h.len);
	return FH_TYPE;
}

/* False: nothing that we have made. */
static bool handle_read(struct ccfs_fhandle *h, const u32 *fh, int words)
{
	*h = (struct ccfs_fhandle){ 0 };
	if (words < FH_HEAD || words > FH_HEAD + FH_BYTES / sizeof(u32))
		return false;
	h->seal = (u64)fh[0] << 32 | (fh[1] & ~0xffu);
	h->type = (u8)fh[1];
	h->len = (words - FH_HEAD) * sizeof(u32);
	memcpy(h->bytes, fh + FH_HEAD, h->len);
	return true;
}

/* FUSE's dentry of something that it has found by its node, with our tables. */
static struct dentry *adopted(struct dentry *d, u64 turn)
{
	int err;

	if (IS_ERR_OR_NULL(d))
		return d;
	err = cache_adopt(d_inode(d));
	if (!err) {
		cache_learn(d_inode(d), turn);
		return d;
	}
	dput(d);
	return ERR_PTR(err);
}

/* What is not there, or must not be, is stale; what could not be found out is a lack. */
static int decode_error(int err)
{
	switch (err) {
	case -EINTR:
		return err;
	case -ENOMEM:
	case -ENOBUFS:
	case -EMFILE:
	case -ENFILE:
		return -ENOMEM;
	}
	return -ESTALE;
}

static struct dentry *presented(struct super_block *sb, const struct ccfs_fhandle *h)
{
	struct cache_mount *m = cache_mount_of(sb);
	struct present *p = present_begin(m, h);
	struct fid fuse = { 0 };
	struct dentry *d;
	u64 node;
	int err;

	if (IS_ERR(p))
		return ERR_CAST(p);
	err = present_node(p, &node);
	if (err) {
		d = ERR_PTR(decode_error(err));
	} else {
		fuse.raw[0] = node >> 32;
		fuse.raw[1] = node;
		fuse.raw[2] = node == FUSE_ROOT ? 0 : m->generation;
		d = m->fuse_export_op->fh_to_dentry(sb, &fuse, 3, FILEID_INO64_GEN);
	}
	/* FUSE has a use of the node of its own. */
	present_end(p);
	return d;
}

static struct dentry *cache_fh_to_dentry(struct super_block *sb, struct fid *fid, int words,
					 int type)
{
	const struct cache_mount *m = cache_mount_of(sb);
	u64 turn = show_turn(d_inode(sb->s_root));
	struct ccfs_fhandle h;
	struct dentry *d = NULL;

	if (type != FH_TYPE)
		d = m->fuse_export_op->fh_to_dentry(sb, fid, words, type);
	else if (has_handles(m) && handle_read(&h, fid->raw, words))
		d = presented(sb, &h);
	return adopted(d, turn);
}

/* Of FUSE's handles: ours have no parent. */
static struct dentry *cache_fh_to_parent(struct super_block *sb, struct fid *fid, int words,
					 int type)
{
	u64 turn = show_turn(d_inode(sb->s_root));

	return adopted(cache_mount_of(sb)->fuse_export_op->fh_to_parent(sb, fid, words, type),
		       turn);
}

static struct dentry *cache_get_parent(struct dentry *child)
{
	u64 turn = show_turn(d_inode(child));

	return adopted(cache_mount_of(child->d_sb)->fuse_export_op->get_parent(child), turn);
}

void export_wrap(struct cache_mount *m, struct super_block *sb)
{
	m->fuse_export_op = sb->s_export_op;
	m->export_op = *sb->s_export_op;
	m->export_op.encode_fh = cache_encode_fh;
	m->export_op.fh_to_dentry = cache_fh_to_dentry;
	m->export_op.fh_to_parent = cache_fh_to_parent;
	m->export_op.get_parent = cache_get_parent;
	sb->s_export_op = &m->export_op;
}
