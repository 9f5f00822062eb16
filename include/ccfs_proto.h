/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ccfs_proto.h - what ccfs (client) and proxyd (owner) say to each other
 *
 * Names, attributes, opens and closes go this way; the data of files never
 * does.  Transport: AF_VSOCK SOCK_STREAM to CID SHAREDPC_CID_BASE + owner's
 * image id, port SHAREDPC_PORT_PROXY.  One connection per mount.  Both ends
 * run on the same machine: all integers are little-endian as in memory.
 *
 * Request	struct ccfs_request
 *		u32 groups[ngroups], then 0 or 4 bytes of padding to 8
 *		the op's fixed struct, if it has one
 *		the op's names, each ended by a NUL, then data without padding
 * Reply	struct ccfs_reply
 *		error == 0: the op's fixed struct, if it has one, then data
 *		error != 0: nothing, but for HELLO a NUL-ended text for people
 *
 * Requests may be sent without waiting for earlier replies; replies come in
 * any order and are matched by unique.  FORGET has no reply.  The first
 * request is HELLO, and only the first.  Whoever breaks these rules is
 * disconnected.  All nodes, handles and (on a local mount) open files of a
 * connection go with it.
 *
 * Nodes.  Every entry (struct ccfs_entry) in a reply counts as one lookup of
 * its node; FORGET takes counts back; at 0 the id is gone, and is never used
 * again for another file.  The root is CCFS_ROOT, counted by HELLO.  A node
 * that is not known answers ESTALE.  Names are 1 to CCFS_NAME_MAX bytes,
 * without '/', not "." and not "..": EINVAL; longer ones ENAMETOOLONG.
 *
 * Credentials.  uid, gid, groups are those of the process on the client that
 * caused the request; the owner's kernel checks them.  umask counts for
 * MKNOD, MKDIR and CREATE.
 *
 * Changelog
 *	revision 1	first
 */
#ifndef CCFS_PROTO_H
#define CCFS_PROTO_H

#include <linux/types.h>

#define CCFS_MAGIC		0x73666363	/* "ccfs" */
#define CCFS_REVISION		1
#define CCFS_ROOT		1		/* node id of the export's root */

#define CCFS_NAME_MAX		255		/* bytes, without the NUL */
#define CCFS_PATH_MAX		4096		/* HELLO, SYMLINK; with the NUL */
#define CCFS_XATTR_MAX		65536		/* bytes of a value or a list */
#define CCFS_GROUPS_MAX		65536
#define CCFS_READDIR_MAX	65536		/* bytes of entries in one reply */
#define CCFS_MESSAGE_MAX	0x100000	/* bytes of any message, all in all */

/*
 * Ops: "node" is the request's node; "request -> reply" name the fixed
 * structs, quoted words are names, (data) is data.
 */
enum ccfs_op {
	CCFS_HELLO	= 1,	/* ccfs_hello "path" -> ccfs_welcome */
	CCFS_LOOKUP	= 2,	/* node: directory; "name" -> ccfs_entry */
	CCFS_FORGET	= 3,	/* (ccfs_forget array), no reply */
	CCFS_GETATTR	= 4,	/* ccfs_getattr -> ccfs_attr */
	CCFS_SETATTR	= 5,	/* ccfs_setattr -> ccfs_attr */
	CCFS_READLINK	= 6,	/* -> (target, without NUL) */
	CCFS_MKNOD	= 7,	/* node: directory; ccfs_mknod "name" -> ccfs_entry */
	CCFS_MKDIR	= 8,	/* node: directory; ccfs_mknod "name" -> ccfs_entry */
	CCFS_UNLINK	= 9,	/* node: directory; "name" */
	CCFS_RMDIR	= 10,	/* node: directory; "name" */
	CCFS_SYMLINK	= 11,	/* node: directory; "name" "target" -> ccfs_entry */
	CCFS_RENAME	= 12,	/* node: directory; ccfs_rename "old" "new" */
	CCFS_LINK	= 13,	/* node: the file; ccfs_link "name" -> ccfs_entry */
	CCFS_OPEN	= 14,	/* ccfs_open -> ccfs_opened */
	CCFS_CREATE	= 15,	/* node: directory; ccfs_open "name" -> ccfs_created */
	CCFS_RELEASE	= 16,	/* ccfs_handle: end of an OPEN of a local mount */
	CCFS_DROP	= 17,	/* ccfs_handle: an OPEN that BACKING failed for */
	CCFS_OPENDIR	= 18,	/* -> ccfs_handle */
	CCFS_READDIR	= 19,	/* ccfs_readdir -> (ccfs_dirent list) */
	CCFS_RELEASEDIR	= 20,	/* ccfs_handle */
	CCFS_STATFS	= 21,	/* -> ccfs_statfs */
	CCFS_FSYNC	= 22,	/* ccfs_fsync: handle is a file id, or 0 */
	CCFS_FSYNCDIR	= 23,	/* ccfs_fsync: handle is of OPENDIR, or 0 */
	CCFS_ACCESS	= 24,	/* ccfs_access */
	CCFS_FALLOCATE	= 25,	/* ccfs_fallocate */
	CCFS_LSEEK	= 26,	/* ccfs_lseek -> ccfs_offset */
	CCFS_GETXATTR	= 27,	/* ccfs_xattr "name" -> ccfs_offset or (value) */
	CCFS_SETXATTR	= 28,	/* ccfs_xattr "name" (value of size bytes) */
	CCFS_LISTXATTR	= 29,	/* ccfs_xattr -> ccfs_offset or (names with NULs) */
	CCFS_REMOVEXATTR = 30,	/* "name" */
	CCFS_OPS	= 31,
};

struct ccfs_request {
	__u32 len;		/* bytes of the message, this header included */
	__u16 op;		/* enum ccfs_op */
	__u16 flags;		/* 0 */
	__u64 unique;		/* comes back in the reply */
	__u64 node;		/* 0 where the op takes none */
	__u32 uid;
	__u32 gid;
	__u32 pid;		/* of the client; for messages only */
	__u32 umask;
	__u32 ngroups;		/* supplementary groups, <= CCFS_GROUPS_MAX */
	__u32 pad;		/* 0 */
};

struct ccfs_reply {
	__u32 len;		/* bytes of the message, this header included */
	__s32 error;		/* 0 or -errno */
	__u64 unique;
};

struct ccfs_time {
	__s64 sec;
	__u32 nsec;
	__u32 pad;
};

struct ccfs_attr {
	__u64 ino;		/* the owner's inode number */
	__u64 size;
	__u64 blocks;		/* of 512 bytes */
	struct ccfs_time atime;
	struct ccfs_time mtime;
	struct ccfs_time ctime;
	__u32 mode;		/* type and permissions */
	__u32 nlink;
	__u32 uid;
	__u32 gid;
	__u32 rdev_major;
	__u32 rdev_minor;
	__u32 blksize;
	__u32 pad;
};

struct ccfs_entry {
	__u64 node;
	__u64 generation;
	struct ccfs_attr attr;
};

/* HELLO.  Errors: EACCES not exported to this image, ENOENT no such path,
 * EPROTO another revision or no HELLO, EROFS: read-write wanted, read-only
 * exported.  The text in the reply says it in words.
 */
#define CCFS_HELLO_RO		0x1	/* read-only wanted */

struct ccfs_hello {
	__u32 magic;		/* CCFS_MAGIC */
	__u32 revision;		/* CCFS_REVISION */
	__u32 flags;		/* CCFS_HELLO_* */
	__u32 pad;
};

#define CCFS_WELCOME_LOCAL	0x1	/* client and owner are one image */
#define CCFS_WELCOME_RO		0x2	/* the export is read-only */

struct ccfs_welcome {
	__u32 revision;
	__u32 owner;		/* image id of the owner, for BACKING */
	__u32 flags;		/* CCFS_WELCOME_* */
	__u32 pad;
	struct ccfs_entry root;
};

struct ccfs_forget {
	__u64 node;
	__u64 count;
};

/* file: id of an open file to ask it through, or 0 */
struct ccfs_getattr {
	__u64 file;
};

#define CCFS_SET_MODE		0x01
#define CCFS_SET_UID		0x02
#define CCFS_SET_GID		0x04
#define CCFS_SET_SIZE		0x08
#define CCFS_SET_ATIME		0x10
#define CCFS_SET_MTIME		0x20
#define CCFS_SET_ATIME_NOW	0x40	/* owner's clock; ATIME is not needed */
#define CCFS_SET_MTIME_NOW	0x80

struct ccfs_setattr {
	__u32 valid;		/* CCFS_SET_* */
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u64 size;
	__u64 file;		/* SIZE of a file open for writing: its id, or 0 */
	struct ccfs_time atime;
	struct ccfs_time mtime;
};

struct ccfs_mknod {
	__u32 mode;		/* MKDIR: permissions only */
	__u32 rdev_major;	/* MKDIR: 0 */
	__u32 rdev_minor;
	__u32 pad;
};

struct ccfs_rename {
	__u64 new_parent;
	__u32 flags;		/* RENAME_NOREPLACE, RENAME_EXCHANGE */
	__u32 pad;
};

struct ccfs_link {
	__u64 new_parent;
};

/*
 * OPEN: O_ACCMODE, O_TRUNC and O_APPEND of flags count, others are ignored.
 * CREATE: O_EXCL too.  The answer, on a local mount: fd is a descriptor of
 * process pid on this image, open until RELEASE; the client opens
 * /proc/PID/fd/FD's file by pidfd_getfd or /proc.  Else: file and size_phys
 * are for SHAREDPC_IOC_BACKING, which takes over the OPEN; when it fails the
 * client gives it back with DROP.
 */
struct ccfs_open {
	__u32 flags;		/* O_* */
	__u32 mode;		/* CREATE: permissions */
};

struct ccfs_opened {
	__u64 file;		/* never 0, never used again for another file */
	__u64 size_phys;	/* struct sharedpc_size.phys; 0 on a local mount */
	__u32 local;		/* 1: pid and fd are valid */
	__s32 pid;
	__s32 fd;
	__u32 pad;
};

struct ccfs_created {
	struct ccfs_entry entry;
	struct ccfs_opened open;
};

/* RELEASE and DROP: a file id; RELEASEDIR: a handle of OPENDIR. */
struct ccfs_handle {
	__u64 handle;
};

/*
 * READDIR starts at off, which is 0 or the off of an entry already seen, and
 * replies as many entries as fit in size bytes; no data: the end.
 */
#define CCFS_READDIR_PLUS	0x1	/* look every entry up (but . and ..) */

struct ccfs_readdir {
	__u64 handle;
	__u64 off;
	__u32 size;		/* <= CCFS_READDIR_MAX */
	__u32 flags;		/* CCFS_READDIR_* */
};

/* The next one starts ccfs_dirent_size(namelen) bytes further. */
struct ccfs_dirent {
	__u64 ino;
	__u64 off;		/* cookie of what follows this entry */
	__u32 type;		/* DT_* */
	__u32 namelen;		/* without NUL */
	struct ccfs_entry entry; /* PLUS: node 0 if it was not looked up */
	char name[];		/* no NUL, padded with 0 to 8 bytes */
};

static inline __u32 ccfs_dirent_size(__u32 namelen)
{
	return (sizeof(struct ccfs_dirent) + namelen + 7) & ~7U;
}

struct ccfs_statfs {
	__u64 blocks;		/* of frsize */
	__u64 bfree;
	__u64 bavail;
	__u64 files;
	__u64 ffree;
	__u32 bsize;
	__u32 frsize;
	__u32 namelen;
	__u32 pad;
};

struct ccfs_fsync {
	__u64 handle;		/* 0: by node */
	__u32 datasync;		/* 1: fdatasync will do */
	__u32 pad;
};

struct ccfs_access {
	__u32 mask;		/* R_OK | W_OK | X_OK */
	__u32 pad;
};

struct ccfs_fallocate {
	__u64 file;
	__u64 off;
	__u64 size;
	__u32 mode;		/* FALLOC_FL_* */
	__u32 pad;
};

struct ccfs_lseek {
	__u64 file;
	__u64 off;
	__u32 whence;		/* SEEK_DATA, SEEK_HOLE */
	__u32 pad;
};

/* LSEEK: the position; GETXATTR and LISTXATTR with size 0: bytes needed */
struct ccfs_offset {
	__u64 off;
};

struct ccfs_xattr {
	__u32 size;		/* room for the answer, or bytes of the value */
	__u32 flags;		/* SETXATTR: XATTR_CREATE, XATTR_REPLACE */
};

_Static_assert(sizeof(struct ccfs_request) == 48, "request");
_Static_assert(sizeof(struct ccfs_reply) == 16, "reply");
_Static_assert(sizeof(struct ccfs_attr) == 104, "attr");
_Static_assert(sizeof(struct ccfs_dirent) == 144, "dirent");

#endif
