// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops-ioctl.c - flags of files, and what else a file system says by ioctl(2)
 *
 * The owner's kernel decides who may: the owner of a file, or for some flags root.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxyd/export/cred.h"
#include "proxyd/export/procfd.h"
#include "proxyd/data/proxy.h"
#include "proxyd/names/ops.h"

/* What the kernel reads and writes there. */
static const struct kind {
	unsigned int cmd;
	size_t in, out;		/* bytes */
} kinds[] = {
	{ FS_IOC_GETFLAGS, 0, sizeof(int) },
	{ FS_IOC_SETFLAGS, sizeof(int), 0 },
	{ FS_IOC_FSGETXATTR, 0, sizeof(struct fsxattr) },
	{ FS_IOC_FSSETXATTR, sizeof(struct fsxattr), 0 },
	{ FS_IOC_GETVERSION, 0, sizeof(int) },
	{ FS_IOC_GETFSLABEL, 0, FSLABEL_MAX },
};

static const struct kind *kind_find(unsigned int cmd)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].cmd == cmd)
			return &kinds[i];
	return NULL;
}

/* Who has a file open may be one who has it open for writing alone. */
static int open_for(struct request *req)
{
	int fd, ret;

	if (!S_ISREG(req->node->type) && !S_ISDIR(req->node->type))
		return -ENOTTY;
	if (S_ISREG(req->node->type) && node_opened(req, req->node, false))
		return file_peek(&req->conn->proxy->files, req->node->fd, O_RDONLY);
	ret = cred_take(&req->cred, req->groups);
	if (ret)
		return ret;
	fd = procfd_open(req->node->fd, O_RDONLY | O_NONBLOCK);
	cred_back();
	return fd;
}

static int run_as_caller(struct request *req, unsigned int cmd, void *arg)
{
	int fd = open_for(req), ret = fd;

	if (fd < 0)
		return fd;
	ret = cred_take(&req->cred, req->groups);
	if (!ret) {
		if (ioctl(fd, cmd, arg))
			ret = -errno;
		cred_back();
	}
	close(fd);
	return ret;
}

int request_ioctl(struct request *req)
{
	union {
		int flags;
		struct fsxattr x;
		char label[FSLABEL_MAX];
	} arg;
	struct ccfs_count n;
	struct ccfs_ioctl io;
	const struct kind *k;
	const void *in;
	uint32_t len;
	int ret;

	ret = msg_get(&req->in, &io, sizeof(io));
	if (!ret)
		ret = msg_get(&req->in, &len, sizeof(len));
	if (!ret)
		ret = len > CCFS_IOCTL_MAX ? -EPROTO : msg_get_data(&req->in, len, &in);
	if (!ret)
		ret = msg_end(&req->in);
	if (ret)
		return ret;
	k = kind_find(io.cmd);
	if (!k)
		return -ENOTTY;
	if (len != k->in)
		return -EINVAL;
	memset(&arg, 0, sizeof(arg));
	memcpy(&arg, in, len);
	ret = run_as_caller(req, k->cmd, &arg);
	if (ret)
		return ret;
	n.count = k->out;
	msg_put(&req->out, &n, sizeof(n));
	msg_put(&req->out, &arg, k->out);
	return 0;
}
