// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops.c - FUSE's table, INIT, and what all handlers use, see ops.h
 *
 * What INIT asks for and why: passthrough is the data path; DONT_MASK, since
 * the owner applies the umask (a default ACL may say otherwise);
 * HANDLE_KILLPRIV_V2, since the owner's kernel drops set-id bits on writes,
 * and without it each write would ask for security.capability first.  Not so
 * when the owner is this image: a write then goes to the real file with the
 * rights of this process, and nobody else would drop them.  Not asked for:
 * O_TRUNC at open (a truncate follows, which the owner knows how to make
 * coherent), locks.
 *
 * Where sharedpc.ko is attached: READDIRPLUS for all listings, since what it
 * brings is remembered; the texts of links are cached, which never change. FUSE
 * must not drop listings because of a time stamp: the module says when.  Where it
 * is not, nothing is cached, so the attributes of READDIRPLUS would be thrown
 * away; and FUSE checks permissions itself, ACLs included: nobody asks the owner
 * whether a directory may be read, or a FIFO or a device opened.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/log.h"
#include "fs/ops.h"

#define MAX_WRITE	(128 * 1024)	/* data takes another way: see data.c */

/*
 * The groups of @req's caller into *@list, which has room for @room and is
 * replaced by an allocated one if need be. Their number, or -errno: a caller
 * that has ended has none to be found, and more may appear while we look. What
 * libfuse could not do for lack of something of ours is in errno alone.
 */
static int get_groups(fuse_req_t req, gid_t **list, int room)
{
	gid_t *few = *list, *more;
	int got;

	for (;;) {
		errno = 0;
		got = fuse_req_getgroups(req, room, *list);
		if (got < 0 && (got == -ENOMEM || errno == ENOMEM ||
				errno == EMFILE || errno == ENFILE))
			return -ENOMEM;
		if (got < 0 || got > (int)CCFS_GROUPS_MAX)
			return -EACCES;
		if (got <= room)
			return got;
		more = reallocarray(*list == few ? NULL : *list, got, sizeof(**list));
		if (!more)
			return -ENOMEM;
		*list = more;
		room = got;
	}
}

/*
 * @req's caller has groups: append them to @m, and count them in its cred at
 * @cred_at. Without them nothing may be asked: a group can also take rights.
 */
static void put_groups(struct msg *m, fuse_req_t req, size_t cred_at)
{
	gid_t few[32], *list = few;
	int got = get_groups(req, &list, 32);
	uint32_t n = got;

	if (got > 0)
		msg_put(m, list, n * sizeof(*list));
	if (got < 0 && !m->error)
		m->error = got;
	if (!m->error)
		memcpy(m->data + cred_at + offsetof(struct ccfs_cred, ngroups),
		       &n, sizeof(n));
	if (list != few)
		free(list);
}

void ask(struct msg *m, fuse_req_t req, unsigned int op, uint64_t node)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct ccfs_cred cred = {
		.uid = ctx->uid, .gid = ctx->gid, .pid = ctx->pid,
		.umask = ctx->umask & 0777,
	};

	msg_start(m, op, 0, node);
	msg_put(m, &cred, sizeof(cred));
	if (cred.uid)
		put_groups(m, req, 0);
}

void ask_name(struct msg *m, const char *name)
{
	size_t len = strlen(name);

	if (len > CCFS_NAME_MAX && !m->error)
		m->error = -ENAMETOOLONG;
	msg_put_str(m, name, len);
}

void answer_error(fuse_req_t req, int error)
{
	if (error == -ENOTCONN || error == -EPROTO)
		error = -EIO;
	if (error == -ENOSYS)	/* FUSE would never ask for the like again */
		error = -EOPNOTSUPP;
	fuse_reply_err(req, -error);
}

int ask_call(struct msg *m, fuse_req_t req)
{
	return conn_call(&ccfs_of(req)->conn, m);
}

void ask_done(struct msg *m, fuse_req_t req)
{
	answer_error(req, ask_call(m, req));
	msg_free(m);
}

static void reply_outcome(fuse_req_t req, struct msg *m, int error)
{
	answer_error(req, error);
}

void ask_slow(struct msg *m, fuse_req_t req)
{
	slow_ask(&ccfs_of(req)->slow, req, m, reply_outcome);
}

static void init_caching(struct ccfs *fs, struct fuse_conn_info *conn)
{
	if (fs->attach.dev < 0) {
		fuse_unset_feature_flag(conn, FUSE_CAP_READDIRPLUS);
		fuse_unset_feature_flag(conn, FUSE_CAP_CACHE_SYMLINKS);
		fuse_set_feature_flag(conn, FUSE_CAP_POSIX_ACL);
	} else {
		/* What nobody remembers is asked for again in any case. */
		if (fs->attach.remembers)
			fuse_set_feature_flag(conn, FUSE_CAP_READDIRPLUS);
		else
			fuse_unset_feature_flag(conn, FUSE_CAP_READDIRPLUS);
		fuse_set_feature_flag(conn, FUSE_CAP_CACHE_SYMLINKS);
		fuse_unset_feature_flag(conn, FUSE_CAP_AUTO_INVAL_DATA);
	}
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	static const uint64_t unwanted[] = {
		FUSE_CAP_ATOMIC_O_TRUNC, FUSE_CAP_POSIX_LOCKS,
		FUSE_CAP_FLOCK_LOCKS, FUSE_CAP_WRITEBACK_CACHE,
		FUSE_CAP_READDIRPLUS_AUTO, FUSE_CAP_HANDLE_KILLPRIV,
	};
	struct ccfs *fs = userdata;
	bool passthrough;

	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
		fuse_unset_feature_flag(conn, unwanted[i]);
	passthrough = fuse_set_feature_flag(conn, FUSE_CAP_PASSTHROUGH);
	fuse_set_feature_flag(conn, FUSE_CAP_DONT_MASK);
	init_caching(fs, conn);
	if (fs->local)
		fuse_unset_feature_flag(conn, FUSE_CAP_HANDLE_KILLPRIV_V2);
	else
		fuse_set_feature_flag(conn, FUSE_CAP_HANDLE_KILLPRIV_V2);
	/* What sharedpc.ko gives is stacked on nothing, so an overlay fits on top. */
	conn->max_backing_stack_depth = fs->local ? 1 : 0;
	conn->max_write = MAX_WRITE;
	fuse_set_feature_flag(conn, FUSE_CAP_EXPORT_SUPPORT);
	conn->no_interrupt = 1;
	conn->time_gran = 1;
	fs->ready(fs, passthrough ? 0 : -EOPNOTSUPP);
}

const struct fuse_lowlevel_ops ccfs_ops = {
	.init		= op_init,
	.lookup		= op_lookup,
	.forget		= op_forget,
	.forget_multi	= op_forget_multi,
	.getattr	= op_getattr,
	.setattr	= op_setattr,
	.readlink	= op_readlink,
	.mknod		= op_mknod,
	.mkdir		= op_mkdir,
	.unlink		= op_unlink,
	.rmdir		= op_rmdir,
	.symlink	= op_symlink,
	.rename		= op_rename,
	.link		= op_link,
	.open		= op_open,
	.create		= op_create,
	.tmpfile	= op_tmpfile,
	.read		= op_read,
	.write		= op_write,
	.release	= op_release,
	.fsync		= op_fsync,
	.fallocate	= op_fallocate,
	.lseek		= op_lseek,
	.copy_file_range = op_copy,
	.opendir	= op_opendir,
	.readdir	= op_readdir,
	.readdirplus	= op_readdirplus,
	.fsyncdir	= op_fsyncdir,
	.statfs		= op_statfs,
	.access		= op_access,
	.getxattr	= op_getxattr,
	.setxattr	= op_setxattr,
	.listxattr	= op_listxattr,
	.removexattr	= op_removexattr,
	.ioctl		= op_ioctl,
};
