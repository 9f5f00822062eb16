// SPDX-License-Identifier: GPL-2.0-only
/*
 * data.c - open files
 *
 * An open is answered by the owner with a file, for which sharedpc.ko has a
 * backing file; FUSE is told its id, and from then on reads, writes and faults
 * go there without us.  When the owner is this image, its proxy holds the real
 * file open, and that is the backing file: the kernel opens it again with each
 * open's own flags, so a descriptor for reading serves writers as well.
 *
 * Every open that the owner answered is given back exactly once: sharedpc
 * counts those it got by BACKING, DROP is for the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/fuse.h>

#include "fs/inode.h"
#include "fs/log.h"
#include "fs/ops.h"

#define COPY_MAX	(16 << 20)	/* of which the owner has few at a time */

static int backing_open(void *req, int fd)
{
	int id;

	errno = 0;
	id = fuse_passthrough_open(req, fd);
	return id > 0 ? id : errno ? -errno : -EIO;
}

static void backing_close(void *req, int id)
{
	fuse_passthrough_close(req, id);
}

static const struct backing_ops backing_ops = {
	.open = backing_open,
	.close = backing_close,
};

static void drop_open(struct ccfs *fs, const struct ccfs_open *o)
{
	struct ccfs_handle h = { .handle = o->file };
	struct ccfs_cred cred = { 0 };
	struct msg m = { 0 };

	msg_start(&m, CCFS_DROP, 0, 0);
	msg_put(&m, &cred, sizeof(cred));
	msg_put(&m, &h, sizeof(h));
	conn_post(&fs->conn, &m);
	msg_free(&m);
}

/* The proxy's open file, which DROP lets it close.  Locks of @node are its. */
static int fetch_local(struct ccfs *fs, uint64_t node, const struct ccfs_open *o)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/fd/%d", o->pid, o->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		fd = -errno;
	else
		attach_real(&fs->attach, node, fd);
	drop_open(fs, o);
	return fd;
}

/*
 * The backing file of @node.  Where names and attributes are remembered, later
 * opens for reading need not ask the owner, unless the proxy has the file open for
 * writing: it would, for as long as we keep this, and nothing that is open for
 * writing is remembered.
 */
static int fetch(struct ccfs *fs, uint64_t node, const struct ccfs_open *o,
		 int flags)
{
	bool keep = fs->attach.remembers && !(o->flags & CCFS_OPEN_WRITABLE) &&
		    (flags & O_ACCMODE) == O_RDONLY;
	int fd;

	if (o->flags & CCFS_OPEN_LOCAL)
		return fetch_local(fs, node, o);
	fd = owner_backing(&fs->owner, fs->attach.dev, node, o, keep);
	if (fd < 0)
		drop_open(fs, o);
	return fd;
}

/*
 * The owner answered an open of @node with @o: give it a backing id.  The key
 * of a local file is the same for all: the node says which one it is.
 */
static int open_backing(fuse_req_t req, uint64_t node, const struct ccfs_open *o,
			struct fuse_file_info *fi)
{
	bool local = o->flags & CCFS_OPEN_LOCAL;
	int id, fd = fetch(ccfs_of(req), node, o, fi->flags);

	if (fd < 0) {
		ccfs_log("no backing file for file %llu: %s", o->file,
			 strerror(-fd));
		return fd;
	}
	id = inode_open(node, local ? 0 : o->file, fd, &backing_ops, req);
	if (id < 0) {
		ccfs_log("node %llu, file %llu has no backing id: %s",
			 (unsigned long long)node, o->file, strerror(-id));
		return id;
	}
	fi->backing_id = id;
	fi->fh = node;
	fi->direct_io = 0;
	fi->noflush = 1;
	return 0;
}

/* For an open that FUSE did not take: its request is gone. */
static void lost_close(void *arg, int id)
{
	struct ccfs *fs = arg;
	uint32_t backing_id = id;

	ioctl(fs->fuse_fd, FUSE_DEV_IOC_BACKING_CLOSE, &backing_id);
}

static const struct backing_ops lost_ops = { .close = lost_close };

void op_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi)
{
	struct ccfs_make mk = { .flags = fi->flags };
	struct ccfs *fs = ccfs_of(req);
	struct ccfs_open o;
	struct msg m = { 0 };
	int ret;

	ask(&m, req, CCFS_OPEN, node);
	msg_put(&m, &mk, sizeof(mk));
	ret = ask_call(&m, req);
	if (!ret)
		ret = msg_get(&m, &o, sizeof(o));
	msg_free(&m);
	if (!ret)
		ret = open_backing(req, node, &o, fi);
	if (ret)
		answer_error(req, ret);
	else if (fuse_reply_open(req, fi))
		inode_release(node, &lost_ops, fs);
}

/* The owner answered with @e and @o, or @ret: answer @req. */
static void answer_created(fuse_req_t req, int ret, const struct fuse_entry_param *e,
			   const struct ccfs_open *o, struct fuse_file_info *fi)
{
	struct ccfs *fs = ccfs_of(req);

	if (ret) {
		answer_error(req, ret);
		return;
	}
	ret = open_backing(req, e->ino, o, fi);
	if (ret) {
		answer_error(req, ret);
		names_forget_one(fs, e->ino);
	} else if (fuse_reply_create(req, e, fi)) {
		inode_release(e->ino, &lost_ops, fs);
		names_forget_one(fs, e->ino);
	}
}

/* Make @name in @dir, or (NULL) a file without a name. */
static void create(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode,
		   struct fuse_file_info *fi)
{
	struct ccfs_make mk = { .mode = mode, .flags = fi->flags };
	struct fuse_entry_param e;
	struct ccfs_open o;
	struct msg m = { 0 };
	int ret;

	ask(&m, req, name ? CCFS_CREATE : CCFS_TMPFILE, dir);
	msg_put(&m, &mk, sizeof(mk));
	if (name)
		ask_name(&m, name);
	ret = ask_call(&m, req);
	if (!ret)
		ret = get_entry(&m, ccfs_of(req), dir, name, &e);
	if (!ret)
		ret = msg_get(&m, &o, sizeof(o));
	if (!ret && name)
		ret = get_changed(&m, ccfs_of(req), dir);
	msg_free(&m);
	answer_created(req, ret, &e, &o, fi);
}

void op_create(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode,
	       struct fuse_file_info *fi)
{
	create(req, dir, name, mode, fi);
}

void op_tmpfile(fuse_req_t req, fuse_ino_t dir, mode_t mode, struct fuse_file_info *fi)
{
	create(req, dir, NULL, mode, fi);
}

void op_release(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi)
{
	inode_release(node, &backing_ops, req);
	fuse_reply_err(req, 0);
}

/*
 * Data does not come this way.  What does is readahead(2) and POSIX_FADV_WILLNEED,
 * for FUSE's own cache of the file, which nobody reads: it stays empty.
 */
void op_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
	     struct fuse_file_info *fi)
{
	fuse_reply_err(req, EIO);
}

/* This never does; if it does, something is broken, so say so. */

void op_write(fuse_req_t req, fuse_ino_t node, const char *buf, size_t size,
	      off_t off, struct fuse_file_info *fi)
{
	ccfs_log("node %llu: a write that was not passed through",
		 (unsigned long long)node);
	fuse_reply_err(req, EIO);
}

static void ask_range(struct msg *m, off_t pos, off_t len, uint32_t mode)
{
	struct ccfs_range r = { .pos = pos, .len = len, .mode = mode };

	msg_put(m, &r, sizeof(r));
}

void op_fsync(fuse_req_t req, fuse_ino_t node, int data,
	      struct fuse_file_info *fi)
{
	struct msg m = { 0 };

	ask(&m, req, CCFS_FSYNC, node);
	ask_range(&m, 0, 0, !!data);
	ask_slow(&m, req);
}

void op_fallocate(fuse_req_t req, fuse_ino_t node, int mode, off_t off,
		  off_t len, struct fuse_file_info *fi)
{
	struct msg m = { 0 };

	ask(&m, req, CCFS_FALLOCATE, node);
	ask_range(&m, off, len, mode);
	ask_slow(&m, req);
}

static void reply_copy(fuse_req_t req, struct msg *m, int error)
{
	struct ccfs_count done;

	if (!error)
		error = msg_get(m, &done, sizeof(done));
	if (!error)
		fuse_reply_write(req, done.count);
	else if (error == -EXDEV || error == -EACCES || error == -EPERM)
		fuse_reply_err(req, EOPNOTSUPP);
	else
		answer_error(req, error);
}

/*
 * Copied within the owner's page cache, in parts that leave the others their
 * turn: a copy may be short.  One that the owner cannot make, the kernel makes
 * by reading and writing.
 */
void op_copy(fuse_req_t req, fuse_ino_t node_in, off_t off_in,
	     struct fuse_file_info *fi_in, fuse_ino_t node_out, off_t off_out,
	     struct fuse_file_info *fi_out, size_t len, int flags)
{
	struct ccfs_copy c = {
		.pos_in = off_in, .node_out = node_out, .pos_out = off_out,
		.len = len < COPY_MAX ? len : COPY_MAX,
	};
	struct msg m = { 0 };

	ask(&m, req, CCFS_COPY, node_in);
	msg_put(&m, &c, sizeof(c));
	slow_ask(&ccfs_of(req)->slow, req, &m, reply_copy);
}

void op_lseek(fuse_req_t req, fuse_ino_t node, off_t off, int whence,
	      struct fuse_file_info *fi)
{
	struct ccfs_count c;
	struct msg m = { 0 };
	int ret;

	ask(&m, req, CCFS_LSEEK, node);
	ask_range(&m, off, 0, whence);
	ret = ask_call(&m, req);
	if (!ret)
		ret = msg_get(&m, &c, sizeof(c));
	if (ret)
		answer_error(req, ret);
	else
		fuse_reply_lseek(req, c.count);
	msg_free(&m);
}
