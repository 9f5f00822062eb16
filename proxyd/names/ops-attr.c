// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops-attr.c - attributes of files and of the file system.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proxyd/export/cred.h"
#include "proxyd/names/ops.h"
#include "proxyd/export/procfd.h"
#include "proxyd/data/proxy.h"

static int attr_put(struct request *req)
{
	struct ccfs_attr attr;
	struct stat st;
	int ret = words_stat(&req->conn->words, req->node->fd, &st, &attr);

	if (!ret)
		msg_put(&req->out, &attr, sizeof(attr));
	return ret;
}

void changed_put(struct request *req, int fd)
{
	struct ccfs_attr attr;
	struct stat st;

	if (words_stat(&req->conn->words, fd, &st, &attr))
		attr = (struct ccfs_attr) { 0 };
	msg_put(&req->out, &attr, sizeof(attr));
}

int request_getattr(struct request *req)
{
	int ret = msg_end(&req->in);

	return ret ? ret : attr_put(req);
}

static int set_owner(int fd, const struct ccfs_setattr *set)
{
	uid_t uid = set->valid & CCFS_SET_UID ? set->uid : (uid_t)-1;
	gid_t gid = set->valid & CCFS_SET_GID ? set->gid : (gid_t)-1;

	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) ? -errno : 0;
}

static struct timespec set_time(const struct ccfs_setattr *set, unsigned int to,
				unsigned int now, __s64 sec, __u32 ns)
{
	struct timespec ts = { .tv_nsec = UTIME_OMIT };

	if (set->valid & now)
		ts.tv_nsec = UTIME_NOW;
	else if (set->valid & to)
		ts = (struct timespec) { .tv_sec = sec, .tv_nsec = ns };
	return ts;
}

static int set_times(int fd, const struct ccfs_setattr *set)
{
	struct timespec ts[2] = {
		set_time(set, CCFS_SET_ATIME, CCFS_SET_ATIME_NOW,
			 set->atime, set->atime_ns),
		set_time(set, CCFS_SET_MTIME, CCFS_SET_MTIME_NOW,
			 set->mtime, set->mtime_ns),
	};

	return utimensat(fd, "", ts, AT_EMPTY_PATH) ? -errno : 0;
}

/*
 * @opened: a descriptor open for writing, that the client's caller has: its
 * right to write was checked when it was opened. -1: check it now.
 */
static int set_size(int fd, int opened, __u64 size)
{
	char path[PROCFD_PATH];

	if (opened >= 0)
		return ftruncate(opened, size) ? -errno : 0;
	return truncate(procfd_path(fd, path), size) ? -errno : 0;
}

static int set_all(int fd, int opened, const struct ccfs_setattr *set)
{
	char name[PROCFD_PATH];
	int ret = 0;

	/* First, and the mode with what is left of set-id bits after it: or it was refused. */
	if (set->valid & (CCFS_SET_UID | CCFS_SET_GID))
		ret = set_owner(fd, set);
	if (!ret && (set->valid & CCFS_SET_MODE) &&
	    fchmodat(procfd_dir(), procfd_name(fd, name), set->mode & 07777, 0))
		ret = -errno;
	if (!ret && (set->valid & CCFS_SET_SIZE))
		ret = set_size(fd, opened, set->size);
	if (!ret && (set->valid & (CCFS_SET_ATIME | CCFS_SET_MTIME |
				   CCFS_SET_ATIME_NOW | CCFS_SET_MTIME_NOW)))
		ret = set_times(fd, set);
	return ret;
}

int request_setattr(struct request *req)
{
	struct ccfs_setattr set;
	int opened = -1, ret;

	ret = msg_get(&req->in, &set, sizeof(set));
	if (!ret)
		ret = msg_end(&req->in);
	if (ret)
		return ret;
	if (set.valid & ~CCFS_SET_ALL)
		return -EPROTO;
	if (set.size > INT64_MAX)
		return -EINVAL;
	if (set.valid & CCFS_SET_MODE)
		ret = mode_check(req, req->node->type | set.mode);
	if (ret)
		return ret;
	if ((set.valid & CCFS_SET_OPENED) && S_ISREG(req->node->type)) {
		if (!node_opened(req, req->node, true))
			return -EBADF;
		opened = file_peek(&req->conn->proxy->files, req->node->fd, O_WRONLY);
		if (opened < 0)
			return opened;
	}
	ret = cred_take(&req->cred, req->groups);
	if (!ret) {
		ret = set_all(req->node->fd, opened, &set);
		cred_back();
	}
	if (opened >= 0)
		close(opened);
	return ret ? ret : attr_put(req);
}

int request_statfs(struct request *req)
{
	struct ccfs_statfs out;
	struct statvfs st;
	int ret = msg_end(&req->in);

	if (ret)
		return ret;
	if (fstatvfs(req->node->fd, &st))
		return -errno;
	out = (struct ccfs_statfs) {
		.blocks = st.f_blocks, .bfree = st.f_bfree,
		.bavail = st.f_bavail, .files = st.f_files,
		.ffree = st.f_ffree, .bsize = st.f_bsize,
		.frsize = st.f_frsize, .namelen = st.f_namemax,
	};
	msg_put(&req->out, &out, sizeof(out));
	return 0;
}

int request_access(struct request *req)
{
	struct ccfs_count mask;
	int ret = msg_get(&req->in, &mask, sizeof(mask));

	if (!ret)
		ret = msg_end(&req->in);
	if (ret)
		return ret;
	if (mask.count & ~(uint64_t)(R_OK | W_OK | X_OK))
		return -EINVAL;
	if (syscall(SYS_faccessat2, req->node->fd, "", (int)mask.count,
		    AT_EACCESS | AT_EMPTY_PATH))
		return -errno;
	return 0;
}
