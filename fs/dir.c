// SPDX-License-Identifier: GPL-2.0-only
/*
 * dir.c - directories' contents
 *
 * A page of entries comes as the owner's getdents gives it; offsets are the
 * owner's, so that a directory can be read on after entries came and went.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/ops.h"

/*
 * The owner does not need to know: it opens the directory for each request. Where
 * sharedpc.ko is attached FUSE keeps listings itself, and the module sees to it
 * that they are good; FUSE does so without being told as soon as OPENDIR is not
 * supported.
 */
void op_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi)
{
	if (ccfs_of(req)->attach.dev >= 0)
		fuse_reply_err(req, ENOSYS);
	else
		fuse_reply_open(req, fi);
}

/* Turn the answer's entries into FUSE's, as many as fit.  Bytes, or -EPROTO. */
static ssize_t fill(struct msg *m, fuse_req_t req, char *buf, size_t size)
{
	size_t done = 0, n;
	struct ccfs_listing head;
	struct ccfs_dirent d;
	char name[CCFS_NAME_MAX + 1];

	if (msg_get(m, &head, sizeof(head)))
		return -EPROTO;
	while (m->pos < m->len) {
		struct stat st = { 0 };

		if (msg_get(m, &d, sizeof(d)) || !d.len ||
		    d.len > CCFS_NAME_MAX || msg_get(m, name, d.len))
			return -EPROTO;
		name[d.len] = '\0';
		st.st_ino = d.ino;
		st.st_mode = (mode_t)(d.type & 017) << 12;
		n = fuse_add_direntry(req, buf + done, size - done, name, &st,
				      d.offset);
		if (n > size - done)	/* its turn comes with the next offset */
			break;
		done += n;
	}
	return done;
}

void op_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
		struct fuse_file_info *fi)
{
	struct ccfs_readdir r = {
		.offset = off,
		.size = size < CCFS_DIR_MAX ? size : CCFS_DIR_MAX,
	};
	struct msg m = { 0 };
	char *buf = malloc(size);
	ssize_t n;

	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	ask(&m, req, CCFS_READDIR, node);
	msg_put(&m, &r, sizeof(r));
	n = ask_call(&m, req);
	if (!n)
		n = fill(&m, req, buf, size);
	if (n < 0)
		answer_error(req, n);
	else
		fuse_reply_buf(req, buf, n);
	free(buf);
	msg_free(&m);
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
