// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops-lock.c - locks: this kernel has them, for the client's processes (sharedpc_ioctl.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxyd/data/proxy.h"
#include "proxyd/export/cred.h"
#include "proxyd/export/procfd.h"
#include "proxyd/names/ops.h"
#include "sharedpc_ioctl.h"

static int lock_fd(struct request *req, int fd, struct ccfs_lock *lock)
{
	struct sharedpc_lock call = {
		.fd = fd, .mount = req->conn->mount, .lock = *lock,
	};

	if (ioctl(req->conn->proxy->dev, SHAREDPC_IOC_LOCK, &call))
		return -errno;
	*lock = call.lock;
	return 0;
}

/* To let go of it: also of what is not open any more, and by whoever. */
static bool lets_go(const struct ccfs_lock *lock)
{
	return lock->what == CCFS_LOCK_CANCEL ||
	       (lock->what == CCFS_LOCK_SET && lock->type == F_UNLCK);
}

/* Through what the client has open. */
static int lock_file(struct request *req, struct ccfs_lock *lock)
{
	struct files *files = &req->conn->proxy->files;
	struct file *file = file_find(files, req->node->dev, req->node->ino);
	struct file_use use;
	int ret;

	if (!file)
		return -EBADF;
	use = file_lockable(file);
	ret = use.fd < 0 ? use.fd : lock_fd(req, use.fd, lock);
	if (use.fd >= 0)
		file_used(&use);
	file_put(files, file);
	return ret;
}

/* That a directory is open is not known here: where root is nobody, who may read it may. */
static int lock_dir(struct request *req, struct ccfs_lock *lock)
{
	bool caller = req->conn->rules.squash;
	int fd, ret = caller ? cred_take(&req->cred, req->groups) : 0;

	if (ret)
		return ret;
	fd = procfd_open(req->node->fd, O_RDONLY | O_DIRECTORY);
	if (caller)
		cred_back();
	if (fd < 0)
		return fd;
	ret = lock_fd(req, fd, lock);
	close(fd);
	return ret;
}

int request_lock(struct request *req)
{
	struct ccfs_lock lock;
	int ret = msg_get(&req->in, &lock, sizeof(lock));

	if (!ret)
		ret = msg_end(&req->in);
	if (ret)
		return ret;
	if (req->conn->proxy->local)
		return -EOPNOTSUPP;
	if (lets_go(&lock) && (S_ISREG(req->node->type) || S_ISDIR(req->node->type)))
		ret = lock_fd(req, req->node->fd, &lock);
	else if (S_ISREG(req->node->type))
		ret = lock_file(req, &lock);
	else if (S_ISDIR(req->node->type))
		ret = lock_dir(req, &lock);
	else
		ret = -EOPNOTSUPP;
	if (!ret)
		msg_put(&req->out, &lock, sizeof(lock));
	return ret;
}

void locks_drop(struct conn *conn)
{
	__u64 mount = conn->mount;

	if (conn->mount)
		ioctl(conn->proxy->dev, SHAREDPC_IOC_UNLOCK, &mount);
}
