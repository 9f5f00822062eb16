// SPDX-License-Identifier: GPL-2.0-only
/*
 * xattr.c - extended attributes
 *
 * An answer is a size and, when the caller's buffer was asked to be filled,
 * that many bytes.
 */
#include <errno.h>

#include "fs/ops.h"

/* Send @m, and answer @req with a size or with bytes. */
static void ask_bytes(struct msg *m, fuse_req_t req, size_t size)
{
	struct ccfs_count c;
	const void *data;
	int ret = ask_call(m, req);

	if (!ret)
		ret = msg_get(m, &c, sizeof(c));
	if (!ret && size)
		ret = c.count > size ? -ERANGE : msg_get_data(m, c.count, &data);
	if (ret)
		answer_error(req, ret);
	else if (size)
		fuse_reply_buf(req, data, c.count);
	else
		fuse_reply_xattr(req, c.count);
	msg_free(m);
}

static void ask_xattr(struct msg *m, fuse_req_t req, unsigned int op,
		      fuse_ino_t node, size_t size, int flags)
{
	struct ccfs_xattr x = {
		.size = size < CCFS_XATTR_MAX ? size : CCFS_XATTR_MAX,
		.flags = flags,
	};

	ask(m, req, op, node);
	msg_put(m, &x, sizeof(x));
}

void op_getxattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t size)
{
	struct msg m = { 0 };

	ask_xattr(&m, req, CCFS_GETXATTR, node, size, 0);
	ask_name(&m, name);
	ask_bytes(&m, req, size);
}

void op_setxattr(fuse_req_t req, fuse_ino_t node, const char *name,
		 const char *value, size_t size, int flags)
{
	struct msg m = { 0 };

	ask_xattr(&m, req, CCFS_SETXATTR, node, size, flags);
	ask_name(&m, name);
	msg_put_str(&m, value, size);
	ask_changed(&m, req, node);
}

void op_listxattr(fuse_req_t req, fuse_ino_t node, size_t size)
{
	struct msg m = { 0 };

	ask_xattr(&m, req, CCFS_LISTXATTR, node, size, 0);
	ask_bytes(&m, req, size);
}

void op_removexattr(fuse_req_t req, fuse_ino_t node, const char *name)
{
	struct msg m = { 0 };

	ask_xattr(&m, req, CCFS_REMOVEXATTR, node, 0, 0);
	ask_name(&m, name);
	ask_changed(&m, req, node);
}
