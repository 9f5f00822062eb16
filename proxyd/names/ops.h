/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ops.h - what each request does.
 *
 * An operation reads its arguments from req->in, ends the reading with
 * msg_end(), acts, and puts its answer into req->out. It returns 0 or -errno;
 * -EPROTO means that the request was malformed and ends the connection.
 */
#ifndef PROXYD_OPS_H
#define PROXYD_OPS_H

#include <stdbool.h>

#include "proxyd/names/conn.h"

#define OP_CALLER	0x1	/* runs with the caller's credentials */
#define OP_SLOW		0x2	/* may wait for a disk for long */

struct op {
	int (*run)(struct request *req);
	unsigned int flags;
};

/* The operation with number @op of a valid header; NULL: not for workers. */
const struct op *op_find(unsigned int op);

/* ops-name.c */
int request_lookup(struct request *req);
int request_revalidate(struct request *req);
int request_mknod(struct request *req);
int request_mkdir(struct request *req);
int request_unlink(struct request *req);
int request_rmdir(struct request *req);
int request_symlink(struct request *req);
int request_rename(struct request *req);
int request_link(struct request *req);
int request_readlink(struct request *req);

/* ops-handle.c */
int request_handle(struct request *req);
int request_present(struct request *req);
int request_dot(struct request *req);
int request_forget(struct request *req);

/* ops-lock.c */
int request_lock(struct request *req);
/* The mount has ended: nobody has its locks any more. */
void locks_drop(struct conn *conn);

/* ops-watch.c */
int request_watch(struct request *req);

/* ops-attr.c */
int request_getattr(struct request *req);
int request_setattr(struct request *req);
int request_statfs(struct request *req);
int request_access(struct request *req);

/* ops-xattr.c */
int request_getxattr(struct request *req);
int request_setxattr(struct request *req);
int request_listxattr(struct request *req);
int request_removexattr(struct request *req);

/* ops-open.c */
int request_open(struct request *req);
int request_create(struct request *req);
int request_tmpfile(struct request *req);
int request_readdir(struct request *req);

/* ops-data.c */
int request_sync(struct request *req);
int request_fsync(struct request *req);
int request_fsyncdir(struct request *req);
int request_fallocate(struct request *req);
int request_lseek(struct request *req);
int request_copy(struct request *req);

/* ops-ioctl.c */
int request_ioctl(struct request *req);

/* Shared by them. */
/*
 * Answer with the node of the file at @fd (O_PATH, taken over), whose name had
 * a word of value @name_gen. As root.
 */
int entry_put(struct request *req, int fd, uint64_t name_gen, uint64_t *node);
/*
 * Answer with the attributes of the file at @fd, which the request has just
 * changed: that is done, so if they cannot be read all of them are 0. As root.
 */
void changed_put(struct request *req, int fd);
/* O_PATH descriptor of @name in @dir, never through a link. fd or -errno. */
int name_open(int dir, const char *name);

/* May the caller's mount make files with the set-id bits of @mode? 0 or -EPERM. */
int mode_check(const struct request *req, mode_t mode);
/* Has the client the file of @node open, for writing if @write? */
bool node_opened(const struct request *req, const struct node *node, bool write);

#endif
