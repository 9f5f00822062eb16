/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ops.h - what FUSE asks, handed to the owner
 *
 * Each handler writes one request (ask), sends it (conn_call) and turns the
 * answer into FUSE's.  Nothing is remembered here but the files that are open
 * (inode.h) and, for a moment, the rest of a listing (listing.h): names and
 * attributes are the owner's, and FUSE is told to keep them for 0 s.  What may be
 * remembered nevertheless sharedpc.ko is told before each answer (attach.h).
 * FUSE's node ids are the protocol's.
 *
 *	attr.c		attributes, links' texts, statfs, access
 *	names.c		look-up, and what makes, moves and removes names
 *	dir.c		directories' contents, with listing.c
 *	data.c		open files: their backing files, sync, space, holes
 *	xattr.c		extended attributes
 *	ioctl.c		flags of files
 *	ops.c		the table, INIT, and what they all use
 */
#ifndef CCFS_OPS_H
#define CCFS_OPS_H

#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 17)

#include <fuse_lowlevel.h>

#if FUSE_VERSION < FUSE_MAKE_VERSION(3, 17)
#error "ccfs needs libfuse 3.17 or newer"
#endif

#include "fs/attach.h"
#include "fs/conn.h"
#include "fs/forget.h"
#include "fs/hear.h"
#include "fs/listing.h"
#include "fs/owner.h"
#include "fs/slow.h"
#include "msg.h"

struct ccfs {
	struct owner owner;
	struct conn conn;
	struct slow slow;
	struct forgets forgets;
	struct attach attach;
	struct listings listings;
	struct hearing hearing;
	int fuse_fd;		/* /dev/fuse */
	bool local;		/* the owner is this image */
	uint32_t generation;	/* of all nodes but the root */
	/* INIT is done; @error is -EOPNOTSUPP without passthrough. */
	void (*ready)(struct ccfs *fs, int error);
	void *mount;		/* ready()'s */
};

extern const struct fuse_lowlevel_ops ccfs_ops;

static inline struct ccfs *ccfs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/*
 * Start request @op about @node in @m, on behalf of @req's caller. A caller
 * whose groups cannot be found fails the call: -EACCES, -ENOMEM.
 */
void ask(struct msg *m, fuse_req_t req, unsigned int op, uint64_t node);
/* A name in a directory; one that is too long fails the call. */
void ask_name(struct msg *m, const char *name);
/* Send it, answer @req with no more than the outcome, free @m. */
void ask_done(struct msg *m, fuse_req_t req);
/* The same for what may take long: no thread waits for the answer. */
void ask_slow(struct msg *m, fuse_req_t req);
/* conn_call(), with an outcome that suits a system call: -EIO for a dead owner. */
int ask_call(struct msg *m, fuse_req_t req);
/* Answer @req with @error (negative), or with what suits FUSE instead. */
void answer_error(fuse_req_t req, int error);

/* With @node it names a file, also in file handles of FUSE's own making. */
static inline uint64_t node_generation(const struct ccfs *fs, uint64_t node)
{
	return node == CCFS_ROOT ? 0 : fs->generation;
}

void attr_stat(const struct ccfs_attr *a, struct stat *st);
/*
 * Read an answer's entry, found as @name (NULL: by none) in @dir, and tell of it; 0 or
 * -EPROTO.
 */
int get_entry(struct msg *m, struct ccfs *fs, fuse_ino_t dir, const char *name,
	      struct fuse_entry_param *e);
/*
 * Read an answer's attributes of @node, which the request has changed, and tell
 * of it; 0 or -EPROTO.
 */
int get_changed(struct msg *m, struct ccfs *fs, uint64_t node);
/* As ask_done(); the request changes @node, and the answer says how it is now. */
void ask_changed(struct msg *m, fuse_req_t req, uint64_t node);
/* Answers that showed these nodes are no longer needed. */
void names_forget(struct ccfs *fs, const struct ccfs_forget *list, size_t n);
/* One that showed @node. */
void names_forget_one(struct ccfs *fs, uint64_t node);

void op_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi);
void op_setattr(fuse_req_t req, fuse_ino_t node, struct stat *st, int to_set,
		struct fuse_file_info *fi);
void op_readlink(fuse_req_t req, fuse_ino_t node);
void op_statfs(fuse_req_t req, fuse_ino_t node);
void op_access(fuse_req_t req, fuse_ino_t node, int mask);

void op_lookup(fuse_req_t req, fuse_ino_t dir, const char *name);
void op_forget(fuse_req_t req, fuse_ino_t node, uint64_t count);
void op_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *list);
void op_mknod(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode,
	      dev_t rdev);
void op_mkdir(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode);
void op_unlink(fuse_req_t req, fuse_ino_t dir, const char *name);
void op_rmdir(fuse_req_t req, fuse_ino_t dir, const char *name);
void op_symlink(fuse_req_t req, const char *text, fuse_ino_t dir,
		const char *name);
void op_rename(fuse_req_t req, fuse_ino_t dir, const char *name,
	       fuse_ino_t newdir, const char *newname, unsigned int flags);
void op_link(fuse_req_t req, fuse_ino_t node, fuse_ino_t newdir,
	     const char *newname);

void op_opendir(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi);
void op_readdir(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
		struct fuse_file_info *fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
		    struct fuse_file_info *fi);
void op_fsyncdir(fuse_req_t req, fuse_ino_t node, int data,
		 struct fuse_file_info *fi);

void op_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi);
void op_create(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode,
	       struct fuse_file_info *fi);
void op_tmpfile(fuse_req_t req, fuse_ino_t dir, mode_t mode, struct fuse_file_info *fi);
void op_release(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi);
void op_read(fuse_req_t req, fuse_ino_t node, size_t size, off_t off,
	     struct fuse_file_info *fi);
void op_write(fuse_req_t req, fuse_ino_t node, const char *buf, size_t size,
	      off_t off, struct fuse_file_info *fi);
void op_fsync(fuse_req_t req, fuse_ino_t node, int data,
	      struct fuse_file_info *fi);
void op_fallocate(fuse_req_t req, fuse_ino_t node, int mode, off_t off,
		  off_t len, struct fuse_file_info *fi);
void op_copy(fuse_req_t req, fuse_ino_t node_in, off_t off_in,
	     struct fuse_file_info *fi_in, fuse_ino_t node_out, off_t off_out,
	     struct fuse_file_info *fi_out, size_t len, int flags);
void op_lseek(fuse_req_t req, fuse_ino_t node, off_t off, int whence,
	      struct fuse_file_info *fi);

void op_getxattr(fuse_req_t req, fuse_ino_t node, const char *name, size_t size);
void op_setxattr(fuse_req_t req, fuse_ino_t node, const char *name,
		 const char *value, size_t size, int flags);
void op_listxattr(fuse_req_t req, fuse_ino_t node, size_t size);
void op_removexattr(fuse_req_t req, fuse_ino_t node, const char *name);

void op_ioctl(fuse_req_t req, fuse_ino_t node, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned int flags, const void *in, size_t in_size,
	      size_t out_size);

#endif
