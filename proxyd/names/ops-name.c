// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops-name.c - names: looked up, made, moved, removed.
 *
 * A name is one component, checked by msg_get_name(), in a directory that
 * the client got from us; so nothing can leave the export. openat2's
 * RESOLVE_ flags say the same to the kernel once more.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proxyd/names/ops.h"
#include "proxyd/export/procfd.h"

int name_open(int dir, const char *name)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	int fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int entry_put(struct request *req, int fd)
{
	struct ccfs_entry entry = { 0 };
	struct stat st;
	uint64_t node;
	int ret;

	if (fstat(fd, &st)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	ret = node_add(&req->conn->nodes, fd, &st, &node);
	if (ret)
		return ret;
	req->entered = node;
	entry.node = node;
	attr_fill(&entry.attr, &st);
	msg_put(&req->out, &entry, sizeof(entry));
	return 0;
}

/* The only argument is a name. */
static int only_name(struct request *req, char name[CCFS_NAME_MAX + 1])
{
	int ret = msg_get_name(&req->in, name);

	return ret ? ret : msg_end(&req->in);
}

static int answer_name(struct request *req, int dir, const char *name)
{
	int fd = name_open(dir, name);

	return fd < 0 ? fd : entry_put(req, fd);
}

int op_lookup(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	int ret = only_name(req, name);

	return ret ? ret : answer_name(req, req->node->fd, name);
}

static int get_make(struct request *req, struct ccfs_make *make,
		    char name[CCFS_NAME_MAX + 1])
{
	int ret = msg_get(&req->in, make, sizeof(*make));

	return ret ? ret : only_name(req, name);
}

int op_mknod(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	struct ccfs_make make;
	int ret;

	ret = get_make(req, &make, name);
	if (ret)
		return ret;
	if (mknodat(req->node->fd, name, make.mode, make.rdev))
		return -errno;
	return answer_name(req, req->node->fd, name);
}

int op_mkdir(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	struct ccfs_make make;
	int ret;

	ret = get_make(req, &make, name);
	if (ret)
		return ret;
	if (mkdirat(req->node->fd, name, make.mode))
		return -errno;
	return answer_name(req, req->node->fd, name);
}

int op_unlink(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	int ret = only_name(req, name);

	if (ret)
		return ret;
	return unlinkat(req->node->fd, name, 0) ? -errno : 0;
}

int op_rmdir(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	int ret = only_name(req, name);

	if (ret)
		return ret;
	return unlinkat(req->node->fd, name, AT_REMOVEDIR) ? -errno : 0;
}

int op_symlink(struct request *req)
{
	char name[CCFS_NAME_MAX + 1];
	char *text = NULL;
	int ret;

	ret = msg_get_name(&req->in, name);
	if (!ret)
		ret = msg_get_str(&req->in, CCFS_PATH_MAX, &text);
	if (!ret)
		ret = msg_end(&req->in);
	if (!ret && symlinkat(text, req->node->fd, name))
		ret = -errno;
	free(text);
	return ret ? ret : answer_name(req, req->node->fd, name);
}

int op_rename(struct request *req)
{
	char old[CCFS_NAME_MAX + 1], new[CCFS_NAME_MAX + 1];
	struct ccfs_rename args;
	struct node *dir;
	int ret;

	ret = msg_get(&req->in, &args, sizeof(args));
	if (!ret)
		ret = msg_get_name(&req->in, old);
	if (!ret)
		ret = only_name(req, new);
	if (ret)
		return ret;
	ret = node_get(&req->conn->nodes, args.newdir, &dir);
	if (ret)
		return ret;
	if (renameat2(req->node->fd, old, dir->fd, new, args.flags))
		ret = -errno;
	node_put(&req->conn->nodes, dir);
	return ret;
}

int op_link(struct request *req)
{
	char name[CCFS_NAME_MAX + 1], self[PROCFD_PATH];
	struct ccfs_link args;
	struct node *dir;
	int ret;

	ret = msg_get(&req->in, &args, sizeof(args));
	if (!ret)
		ret = only_name(req, name);
	if (ret)
		return ret;
	ret = node_get(&req->conn->nodes, args.newdir, &dir);
	if (ret)
		return ret;
	if (linkat(procfd_dir(), procfd_name(req->node->fd, self), dir->fd,
		   name, AT_SYMLINK_FOLLOW))
		ret = -errno;
	else
		ret = answer_name(req, dir->fd, name);
	node_put(&req->conn->nodes, dir);
	return ret;
}

int op_readlink(struct request *req)
{
	char text[CCFS_PATH_MAX + 1];
	ssize_t n;
	int ret = msg_end(&req->in);

	if (ret)
		return ret;
	n = readlinkat(req->node->fd, "", text, sizeof(text));
	if (n < 0)
		return -errno;
	if (n > (ssize_t)CCFS_PATH_MAX)
		return -ENAMETOOLONG;
	msg_put_str(&req->out, text, n);
	return 0;
}
