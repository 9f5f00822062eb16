// SPDX-License-Identifier: GPL-2.0-only
/*
 * attr.c - attributes, links' texts, statfs, access
 *
 * FUSE keeps attributes for 0 s: what is not remembered by sharedpc.ko is asked
 * of the owner each time.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "fs/ops.h"

void attr_stat(const struct ccfs_attr *a, struct stat *st)
{
	*st = (struct stat) {
		.st_ino = a->ino, .st_mode = a->mode, .st_nlink = a->nlink,
		.st_uid = a->uid, .st_gid = a->gid, .st_rdev = a->rdev,
		.st_size = a->size, .st_blocks = a->blocks,
		.st_blksize = a->blksize,
		.st_atim = { a->atime, a->atime_ns },
		.st_mtim = { a->mtime, a->mtime_ns },
		.st_ctim = { a->ctime, a->ctime_ns },
	};
}

/* Send @m and answer @req with the attributes that come back. */
static void ask_attr(struct msg *m, fuse_req_t req, uint64_t node)
{
	struct ccfs_attr a;
	struct stat st;
	int ret = ask_call(m, req);

	if (!ret)
		ret = msg_get(m, &a, sizeof(a));
	if (ret) {
		answer_error(req, ret);
	} else {
		attach_tell(&ccfs_of(req)->attach, node, &a, NULL);
		attr_stat(&a, &st);
		fuse_reply_attr(req, &st, 0);
	}
	msg_free(m);
}

/* Who could not read it says nothing of it: not worth a tale. */
int get_changed(struct msg *m, struct ccfs *fs, uint64_t node)
{
	struct ccfs_attr a;
	int ret = msg_get(m, &a, sizeof(a));

	if (!ret)
		listings_changed(fs, node);
	if (!ret && a.gen)
		attach_tell(&fs->attach, node, &a, NULL);
	return ret;
}

void ask_changed(struct msg *m, fuse_req_t req, uint64_t node)
{
	int ret = ask_call(m, req);

	if (!ret)
		ret = get_changed(m, ccfs_of(req), node);
	answer_error(req, ret);
	msg_free(m);
}

void op_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi)
{
	struct msg m = { 0 };

	ask(&m, req, CCFS_GETATTR, node);
	ask_attr(&m, req, node);
}

static uint32_t set_flags(int to_set, bool opened)
{
	static const struct {
		int fuse;
		uint32_t ccfs;
	} map[] = {
		{ FUSE_SET_ATTR_MODE, CCFS_SET_MODE },
		{ FUSE_SET_ATTR_UID, CCFS_SET_UID },
		{ FUSE_SET_ATTR_GID, CCFS_SET_GID },
		{ FUSE_SET_ATTR_SIZE, CCFS_SET_SIZE },
		{ FUSE_SET_ATTR_ATIME, CCFS_SET_ATIME },
		{ FUSE_SET_ATTR_MTIME, CCFS_SET_MTIME },
		{ FUSE_SET_ATTR_ATIME_NOW, CCFS_SET_ATIME_NOW },
		{ FUSE_SET_ATTR_MTIME_NOW, CCFS_SET_MTIME_NOW },
	};
	uint32_t valid = 0;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (to_set & map[i].fuse)
			valid |= map[i].ccfs;
	/* NOW comes together with a time of this image's clock: the owner's counts */
	if (valid & CCFS_SET_ATIME_NOW)
		valid &= ~CCFS_SET_ATIME;
	if (valid & CCFS_SET_MTIME_NOW)
		valid &= ~CCFS_SET_MTIME;
	if (opened && (valid & CCFS_SET_SIZE))
		valid |= CCFS_SET_OPENED;
	return valid;
}

void op_setattr(fuse_req_t req, fuse_ino_t node, struct stat *st, int to_set,
		struct fuse_file_info *fi)
{
	struct ccfs_setattr set = {
		.valid = set_flags(to_set, fi),
		.mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid,
		.size = st->st_size,
		.atime = st->st_atim.tv_sec, .atime_ns = st->st_atim.tv_nsec,
		.mtime = st->st_mtim.tv_sec, .mtime_ns = st->st_mtim.tv_nsec,
	};
	struct msg m = { 0 };

	if (!set.valid) {	/* set-id bits alone: the owner minds them */
		op_getattr(req, node, fi);
		return;
	}
	ask(&m, req, CCFS_SETATTR, node);
	msg_put(&m, &set, sizeof(set));
	ask_attr(&m, req, node);
}

void op_readlink(fuse_req_t req, fuse_ino_t node)
{
	struct msg m = { 0 };
	char *text = NULL;
	int ret;

	ask(&m, req, CCFS_READLINK, node);
	ret = ask_call(&m, req);
	if (!ret)
		ret = msg_get_str(&m, CCFS_PATH_MAX, &text);
	if (ret)
		answer_error(req, ret);
	else
		fuse_reply_readlink(req, text);
	free(text);
	msg_free(&m);
}

void op_statfs(fuse_req_t req, fuse_ino_t node)
{
	struct ccfs_statfs s;
	struct msg m = { 0 };
	int ret;

	ask(&m, req, CCFS_STATFS, node);
	ret = ask_call(&m, req);
	if (!ret)
		ret = msg_get(&m, &s, sizeof(s));
	if (ret) {
		answer_error(req, ret);
	} else {
		struct statvfs v = {
			.f_bsize = s.bsize, .f_frsize = s.frsize,
			.f_blocks = s.blocks, .f_bfree = s.bfree,
			.f_bavail = s.bavail, .f_files = s.files,
			.f_ffree = s.ffree, .f_favail = s.ffree,
			.f_namemax = s.namelen,
		};

		fuse_reply_statfs(req, &v);
	}
	msg_free(&m);
}

void op_access(fuse_req_t req, fuse_ino_t node, int mask)
{
	struct ccfs_count c = { .count = mask };
	struct msg m = { 0 };

	ask(&m, req, CCFS_ACCESS, node);
	msg_put(&m, &c, sizeof(c));
	ask_done(&m, req);
}
