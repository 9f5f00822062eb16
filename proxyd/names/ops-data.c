// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops-data.c - what is done to the contents of open files (and directories) by
 * name of node: fsync, fallocate, lseek, copy_file_range.
 *
 * The client's kernel asks for these only for a descriptor that its caller
 * has open in the right way. That the client has it open so is looked up; then root
 * opens the file again here (but syncs what it has open), and what changes the file
 * happens as the caller, so that set-uid bits go and quotas count.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proxyd/export/cred.h"
#include "proxyd/names/ops.h"
#include "proxyd/data/proxy.h"

static int get_range(struct request *req, struct ccfs_range *range)
{
	int ret = msg_get(&req->in, range, sizeof(*range));

	return ret ? ret : msg_end(&req->in);
}

bool node_opened(const struct request *req, const struct node *node, bool write)
{
	return file_may(&req->conn->proxy->files, node->dev, node->ino, write);
}

static int open_regular(const struct request *req, const struct node *node, int flags)
{
	if (!S_ISREG(node->type))
		return -EINVAL;
	return file_reopen(&req->conn->proxy->files, node->fd, flags);
}

/* Any open is enough for node_opened(): one for writing gives no right to read. */
static int may_read(struct request *req, const struct node *node)
{
	int ret;

	if (!export_narrows(&req->conn->rules))
		return 0;
	ret = cred_take(&req->cred, req->groups);
	if (ret)
		return ret;
	if (syscall(SYS_faccessat2, node->fd, "", R_OK, AT_EACCESS | AT_EMPTY_PATH))
		ret = -errno;
	cred_back();
	return ret;
}

/* The same, of what the client has open like that. */
static int open_opened(struct request *req, const struct node *node, int flags)
{
	int ret = 0;

	if (S_ISREG(node->type) && !node_opened(req, node, flags != O_RDONLY))
		return -EBADF;
	if (flags == O_RDONLY)
		ret = may_read(req, node);
	return ret ? ret : open_regular(req, node, flags);
}

/*
 * A failure of writing back is told to each struct file that was open then,
 * once: one that is opened now would hear of it only if nobody has.
 */
int request_fsync(struct request *req)
{
	struct files *files = &req->conn->proxy->files;
	struct ccfs_range range;
	struct file *file;
	int fd, ret = get_range(req, &range);

	if (ret)
		return ret;
	file = file_find(files, req->node->dev, req->node->ino);
	if (file) {
		ret = file_sync(file, range.mode & 1);
		file_put(files, file);
		return ret;
	}
	if (!S_ISREG(req->node->type))
		return -EINVAL;
	fd = file_peek(files, req->node->fd, O_RDONLY);
	if (fd < 0)
		return fd;
	ret = (range.mode & 1 ? fdatasync(fd) : fsync(fd)) ? -errno : 0;
	close(fd);
	return ret;
}

/* Root opens it again: the right to read it was checked on the client. */
int request_fsyncdir(struct request *req)
{
	struct ccfs_range range;
	int fd, ret = get_range(req, &range);

	if (ret)
		return ret;
	fd = file_peek(&req->conn->proxy->files, req->node->fd, O_DIRECTORY);
	if (fd < 0)
		return fd;
	ret = (range.mode & 1 ? fdatasync(fd) : fsync(fd)) ? -errno : 0;
	close(fd);
	return ret;
}

/* As a local user may. */
int request_sync(struct request *req)
{
	int fd, ret = msg_end(&req->in);

	if (ret)
		return ret;
	fd = file_peek(&req->conn->proxy->files, req->node->fd, O_DIRECTORY);
	if (fd < 0)
		return fd;
	ret = syncfs(fd) ? -errno : 0;
	close(fd);
	return ret;
}

int request_fallocate(struct request *req)
{
	struct ccfs_range range;
	int fd, ret = get_range(req, &range);

	if (ret)
		return ret;
	fd = open_opened(req, req->node, O_RDWR);
	if (fd < 0)
		return fd;
	ret = cred_take(&req->cred, req->groups);
	if (!ret) {
		if (fallocate(fd, range.mode, range.pos, range.len))
			ret = -errno;
		cred_back();
	}
	close(fd);
	return ret;
}

int request_lseek(struct request *req)
{
	struct ccfs_count count = { 0 };
	struct ccfs_range range;
	off_t pos;
	int fd, ret = get_range(req, &range);

	if (ret)
		return ret;
	if (range.mode != SEEK_DATA && range.mode != SEEK_HOLE)
		return -EINVAL;
	fd = open_opened(req, req->node, O_RDONLY);
	if (fd < 0)
		return fd;
	pos = lseek(fd, range.pos, range.mode);
	if (pos < 0)
		ret = -errno;
	close(fd);
	count.count = pos;
	if (!ret)
		msg_put(&req->out, &count, sizeof(count));
	return ret;
}

static int copy_caller(struct request *req, int in, int out,
		       const struct ccfs_copy *args, struct ccfs_count *done)
{
	off_t from = args->pos_in, to = args->pos_out;
	ssize_t n;
	int ret = cred_take(&req->cred, req->groups);

	if (ret)
		return ret;
	n = copy_file_range(in, &from, out, &to, args->len, 0);
	if (n < 0)
		ret = -errno;
	cred_back();
	done->count = n;
	return ret;
}

int request_copy(struct request *req)
{
	struct ccfs_count done;
	struct ccfs_copy args;
	struct node *to;
	int in, out, ret;

	ret = msg_get(&req->in, &args, sizeof(args));
	if (!ret)
		ret = msg_end(&req->in);
	if (ret)
		return ret;
	ret = node_get(&req->conn->nodes, args.node_out, &to);
	if (ret)
		return ret;
	in = ret = open_opened(req, req->node, O_RDONLY);
	if (in < 0)
		goto put_node;
	out = ret = open_opened(req, to, O_WRONLY);
	if (out < 0)
		goto close_in;
	ret = copy_caller(req, in, out, &args, &done);
	if (!ret)
		msg_put(&req->out, &done, sizeof(done));
	close(out);
close_in:
	close(in);
put_node:
	node_put(&req->conn->nodes, to);
	return ret;
}
