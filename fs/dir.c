// SPDX-License-Identifier: GPL-2.0-only
/*
 * dir.c - directories' contents
 *
 * Offsets are the owner's, so that a directory can be read on after entries
 * came and went; nobody holds it open.
 *
 * Where sharedpc.ko is attached, FUSE keeps listings itself, and the module sees
 * to it that they are good. FUSE does so without being told as soon as OPENDIR
 * is not supported, and then never asks for it again. What it reads it reads
 * with attributes (READDIRPLUS), as far as there is memory for so many, and most pieces come
 * from listing.c.
 */
#include <errno.h>

#include "fs/ops.h"

void op_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi)
{
	if (ccfs_of(req)->attach.dev >= 0)
		fuse_reply_err(req, ENOSYS);
	else
		fuse_reply_open(req, fi);
}

/* Ask the owner for what @p is to have. */
static int ask_listing(struct piece *p, struct ccfs *fs, uint64_t offset)
{
	struct ccfs_readdir r = { .offset = offset, .size = CCFS_DIR_MAX };
	struct listing *l = listing_begin(fs, offset, p);
	struct msg m = { 0 };
	int ret;

	if (!l)
		return -ENOMEM;
	if (p->plus)
		r.flags = listing_plus(fs, l) ? CCFS_READDIR_PLUS : 0;
	else if (p->size < r.size)
		r.size = p->size;
	ask(&m, p->req, CCFS_READDIR, p->dir);
	msg_put(&m, &r, sizeof(r));
	ret = ask_call(&m, p->req);
	if (ret)
		listing_cancel(fs, l);
	else
		ret = listing_take(fs, l, &m, p);
	msg_free(&m);
	return ret;
}

static void read_dir(fuse_req_t req, fuse_ino_t node, bool plus, size_t size,
		     off_t off)
{
	struct ccfs *fs = ccfs_of(req);
	struct piece p;
	int ret = piece_init(&p, req, node, plus, size);

	if (ret) {
		answer_error(req, ret);
		return;
	}
	if (!plus || !listing_serve(fs, off, &p))
		ret = ask_listing(&p, fs, off);
	if (ret)	/* the owner may know a removed directory no more */
		answer_error(req, ret == -ESTALE ? -ENOENT : ret);
	else
		piece_reply(&p, fs);
	piece_free(&p);
}

void op_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
		struct fuse_file_info *fi)
{
	read_dir(req, node, false, size, off);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	read_dir(req, node, true, size, off);
}

void op_fsyncdir(fuse_req_t req, fuse_ino_t node, int data,
		 struct fuse_file_info *fi)
{
	struct ccfs_range r = { .mode = !!data };
	struct msg m = { 0 };

	ask(&m, req, CCFS_FSYNCDIR, node);
	msg_put(&m, &r, sizeof(r));
	ask_slow(&m, req);
}
