// SPDX-License-Identifier: GPL-2.0-only
/*
 * export.c - file handles: name_to_handle_at(2), open_by_handle_at(2), knfsd
 *
 * FUSE's own handle is its node id, which ends with the mount, and names nothing when the
 * inode has gone from memory.  Ours is the owner's (ccfs_fhandle): the file's handle in its
 * own file system, sealed.  It is good as long as the owner's kernel runs, on this image, on
 * any mount of the same export.
 *
 * On the owner's own mounts, and where the owner cannot be asked, FUSE's it is.
 */
#include <linux/exportfs.h>
#include "cache/cache.h"
#include "ccfs_proto.h"

#define FH_TYPE		0xcc	/* nobody else's, see enum fid_type */
#define FH_HEAD		4	/* words: seal, type, len */

static bool has_handles(const struct cache_mount *m)
{
	return m->session && m->ask;
}

static int cache_encode_fh(struct inode *inode, u32 *fh, int *max, struct inode *parent)
{
	const struct cache_mount *m = cache_mount_of(inode->i_sb);
	struct ccfs_fhandle h;
	int words;

	if (!has_handles(m))
		return m->fuse_export_op->encode_fh(inode, fh, max, parent);
	if (direct_handle(inode, &h))
		return FILEID_INVALID;
	words = FH_HEAD + DIV_ROUND_UP(h.len, sizeof(u32));
	if (*max < words) {
		*max = words;
		return FILEID_INVALID;
	}
	*max = words;
	fh[0] = h.seal >> 32;
	fh[1] = h.seal;
	fh[2] = h.type;
	fh[3] = h.len;
	/* what is behind its end is 0 */
	memcpy(fh + FH_HEAD, h.bytes, (words - FH_HEAD) * sizeof(u32));
	return FH_TYPE;
}

/* False: nothing that we have made. */
static bool handle_read(struct ccfs_fhandle *h, const u32 *fh, int words)
{
	*h = (struct ccfs_fhandle){ 0 };
	if (words < FH_HEAD || fh[3] > sizeof(h->bytes) ||
	    words != FH_HEAD + DIV_ROUND_UP(fh[3], sizeof(u32)))
		return false;
	h->seal = (u64)fh[0] << 32 | fh[1];
	h->type = fh[2];
	h->len = fh[3];
	memcpy(h->bytes, fh + FH_HEAD, (words - FH_HEAD) * sizeof(u32));
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

static struct dentry *cache_fh_to_dentry(struct super_block *sb, struct fid *fid, int words,
					 int type)
{
	const struct cache_mount *m = cache_mount_of(sb);
	struct inode *root = d_inode(sb->s_root);
	struct ccfs_fhandle h;
	struct fid fuse = { 0 };
	struct dentry *d;
	u64 node, turn;
	int err;

	if (!has_handles(m))
		return m->fuse_export_op->fh_to_dentry(sb, fid, words, type);
	if (type != FH_TYPE || !handle_read(&h, fid->raw, words))
		return NULL;
	turn = show_turn(root);
	err = direct_present(root, &h, &node);
	if (err)
		return ERR_PTR(err == -ENOMEM || err == -EINTR ? err : -ESTALE);
	fuse.raw[0] = node >> 32;
	fuse.raw[1] = node;
	fuse.raw[2] = node == FUSE_ROOT ? 0 : m->generation;
	d = m->fuse_export_op->fh_to_dentry(sb, &fuse, 3, FILEID_INO64_GEN);
	/* FUSE has a use of the node of its own. */
	direct_forget(root, node);
	return adopted(d, turn);
}

/* Our handles have none: who wants one for certain finds it above the file. */
static struct dentry *cache_fh_to_parent(struct super_block *sb, struct fid *fid, int words,
					 int type)
{
	const struct cache_mount *m = cache_mount_of(sb);

	return has_handles(m) ? NULL : m->fuse_export_op->fh_to_parent(sb, fid, words, type);
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
