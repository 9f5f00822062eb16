// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctl.c - flags of files, and what else a file system says by ioctl(2)
 *
 * What lsattr(1) and chattr(1) use; FUSE asks by its own open of the file.  All others end here:
 * who asks whether a file is a terminal waits for nobody.
 */
#include <errno.h>
#include <linux/fs.h>

#include "fs/ops.h"

static bool is_passed_on(unsigned int cmd)
{
	switch (cmd) {
	case FS_IOC_GETFLAGS:
	case FS_IOC_SETFLAGS:
	case FS_IOC_FSGETXATTR:
	case FS_IOC_FSSETXATTR:
	case FS_IOC_GETVERSION:
	case FS_IOC_GETFSLABEL:
		return true;
	}
	return false;
}

void op_ioctl(fuse_req_t req, fuse_ino_t node, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned int flags, const void *in, size_t in_size,
	      size_t out_size)
{
	struct ccfs_ioctl io = { .cmd = cmd };
	struct ccfs_count c;
	const void *data = NULL;
	struct msg m = { 0 };
	int ret;

	if (!is_passed_on(cmd) || in_size > CCFS_IOCTL_MAX) {
		fuse_reply_err(req, ENOTTY);
		return;
	}
	ask(&m, req, CCFS_IOCTL, node);
	msg_put(&m, &io, sizeof(io));
	msg_put_str(&m, in, in_size);
	ret = ask_call(&m, req);
	if (!ret)
		ret = msg_get(&m, &c, sizeof(c));
	if (!ret)
		ret = c.count > out_size ? -EIO : msg_get_data(&m, c.count, &data);
	if (ret)
		answer_error(req, ret);
	else
		fuse_reply_ioctl(req, 0, data, c.count);
	msg_free(&m);
}
