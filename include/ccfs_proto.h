/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ccfs_proto.h - what ccfs (on every image) and proxyd (on the owner) say
 *
 * One stream socket carries one mount, and ends with it; the most of its requests go
 * through sharedpc.ko instead (sharedpc_ioctl.h, ASK), which has some of its own
 * (ATTACH). Everything is a message: a header of
 * 32 bytes, then `len - 32` bytes of body. Numbers are in the byte order of
 * the one machine that both ends run on; nothing is aligned.
 *
 *	request		header, cred, groups, the op's fixed part, its strings
 *	answer		header (op and id repeated, error set), on success the
 *			answer's fixed part and data, on HELLO's failure a text
 *
 * Strings are a __u32 length and that many bytes, no NUL in them. HELLO comes
 * first and alone; afterwards any number of requests may be on the way, and
 * answers come in any order. FORGET and DROP have no answer. PING is answered
 * at once, whatever is being worked on (unless that is so much that the proxy
 * reads no more for now, or the answers are not taken): it is the sign of life.
 *
 * Nodes. A node names a file of the export from the answer that showed it
 * until as many FORGETs as there were such answers (FORGET has an answer
 * if it comes by ASK). Node 1 is the root and
 * stays. A node id is never used again on the same connection. Of a file that has
 * no name any more and is not open the client is told (REMOVED, sharedpc_wire.h); it is to
 * forget it, or its node may be -ESTALE after a while.
 *
 * Files. OPEN, CREATE and TMPFILE of a regular file give the name under which the
 * proxy's side of sharedpc.ko knows it. Each such answer is one open, which
 * goes by sharedpc's CLOSE, or by DROP when it never got as far. File ids are
 * never used again by the same proxy. When client and owner are the same
 * image the answer has CCFS_OPEN_LOCAL and says where the open file is to be
 * found: descriptor `fd` of process `pid`; DROP says that it was fetched.
 *
 * Memory. What an answer says may be remembered by a client for as long as a
 * word of the owner does not change (sharedpc_ioctl.h, WATCH): so attributes
 * come with the word's value, `gen`, as it was before they were read, and names
 * with theirs. A listing as a whole has none: whoever reads a directory from
 * its beginning asks for it. A change of a name ends what was remembered of its
 * directory, which the next change wants to know: so its answer has that too.
 *
 * The proxy trusts nothing in a request: a malformed one ends the connection.
 *
 * Changelog
 *	revision 1	first
 *	revision 2	words: welcome.salt and bits, attr.gen and flags;
 *			READDIR by node, with attributes; no OPENDIR, no
 *			RELEASEDIR; open.flags: WRITABLE; attributes of the
 *			directory in answers to what changes names, of the
 *			file in those to SETXATTR and REMOVEXATTR
 *	revision 3	welcome.server; NODEV, NOSUID, SQUASH
 *	revision 4	welcome.mount; a READDIR answer may be shorter than asked for
 *	revision 5	REVALIDATE
 *	revision 6	open.identity; HANDLE, PRESENT, DOT; FORGET by ASK
 *	revision 7	LOCK
 *	revision 8	SYNC
 *	revision 9	TMPFILE, IOCTL; attr: btime, attributes; WATCH, EVENTS
 */
#ifndef CCFS_PROTO_H
#define CCFS_PROTO_H

#include <linux/types.h>

#define CCFS_MAGIC		0x73666363	/* "ccfs" */
#define CCFS_REVISION		9

#define CCFS_MSG_MAX		(512u * 1024)	/* bytes of one message */
#define CCFS_NAME_MAX		255u		/* bytes of one name */
#define CCFS_PATH_MAX		4095u		/* of an export's path, a link */
#define CCFS_GROUPS_MAX		65536u		/* supplementary groups */
#define CCFS_XATTR_NAME_MAX	255u
#define CCFS_XATTR_MAX		65536u		/* bytes of a value, of a list */
#define CCFS_DIR_MAX		(256u * 1024)	/* bytes of one READDIR answer */
#define CCFS_FORGET_MAX		4096u		/* entries of one FORGET */

#define CCFS_ROOT		1u		/* node of the export's root */

/*
 * In answers dir is a ccfs_attr: of the directory that the request is about, as
 * it is after the change; newdir: of the other one that it names. All 0, also
 * in the answers to SETXATTR and REMOVEXATTR: done, but they could not be read.
 */
enum ccfs_op {
	CCFS_HELLO = 1,		/* ccfs_hello, path -> ccfs_welcome */
	CCFS_PING,		/* -> nothing */
	CCFS_LOOKUP,		/* name -> ccfs_entry */
	CCFS_FORGET,		/* ccfs_count, that many ccfs_forget; no answer */
	CCFS_GETATTR,		/* -> ccfs_attr */
	CCFS_SETATTR,		/* ccfs_setattr -> ccfs_attr */
	CCFS_READLINK,		/* -> string */
	CCFS_MKNOD,		/* ccfs_make, name -> ccfs_entry, dir */
	CCFS_MKDIR,		/* ccfs_make, name -> ccfs_entry, dir */
	CCFS_UNLINK,		/* name -> dir */
	CCFS_RMDIR,		/* name -> dir */
	CCFS_SYMLINK,		/* name, text -> ccfs_entry, dir */
	CCFS_RENAME,		/* ccfs_rename, old name, new name -> dir, newdir */
	CCFS_LINK,		/* ccfs_link, name (node: the file) -> ccfs_entry, newdir */
	CCFS_OPEN,		/* ccfs_make (flags) -> ccfs_open */
	CCFS_CREATE,		/* ccfs_make, name -> ccfs_entry, ccfs_open, dir */
	CCFS_DROP,		/* ccfs_handle (a file); no answer */
	CCFS_READDIR,		/* ccfs_readdir -> ccfs_listing, ccfs_dirent, each */
	CCFS_FSYNCDIR,		/* ccfs_range (mode: 1 data only) */
	CCFS_STATFS,		/* -> ccfs_statfs */
	CCFS_FSYNC,		/* ccfs_range (mode: 1 data only) */
	CCFS_FALLOCATE,		/* ccfs_range */
	CCFS_LSEEK,		/* ccfs_range (pos, mode: whence) -> ccfs_count */
	CCFS_COPY,		/* ccfs_copy -> ccfs_count */
	CCFS_ACCESS,		/* ccfs_count (mask) */
	CCFS_GETXATTR,		/* ccfs_xattr, name -> ccfs_count, value */
	CCFS_SETXATTR,		/* ccfs_xattr, name, value (a string) -> ccfs_attr */
	CCFS_LISTXATTR,		/* ccfs_xattr -> ccfs_count, list */
	CCFS_REMOVEXATTR,	/* ccfs_xattr, name -> ccfs_attr */
	CCFS_REVALIDATE,	/* ccfs_same, name -> ccfs_attr; -ESTALE: it is another */
	CCFS_HANDLE,		/* -> ccfs_fhandle */
	CCFS_PRESENT,		/* ccfs_fhandle (node: the root) -> ccfs_entry */
	CCFS_DOT,		/* ccfs_count: 1 itself, 2 the directory above -> ccfs_entry */
	CCFS_LOCK,		/* ccfs_lock -> ccfs_lock */
	CCFS_SYNC,		/* the whole file system; node: the root */
	CCFS_TMPFILE,		/* ccfs_make -> ccfs_entry, ccfs_open; node: the directory */
	CCFS_IOCTL,		/* ccfs_ioctl, argument (a string) -> ccfs_count, argument */
	CCFS_WATCH,		/* ccfs_watch */
	CCFS_EVENTS,		/* -> ccfs_event, name, each */
	CCFS_OPS,
};

struct ccfs_header {
	__u32 magic;		/* CCFS_MAGIC */
	__u32 len;		/* bytes of the message, this header included */
	__u16 op;		/* enum ccfs_op */
	__u16 reserved;		/* 0 */
	__s32 error;		/* answers: 0 or -errno; requests: 0 */
	__u64 id;		/* the asker's; not 0 */
	__u64 node;		/* requests: what it is about; answers: 0 */
};

/* Who asks. Followed by `ngroups` group ids, __u32 each. */
struct ccfs_cred {
	__u32 uid;		/* file system uid and gid of the caller */
	__u32 gid;
	__u32 pid;		/* on the client's image */
	__u32 umask;
	__u32 ngroups;		/* 0 to CCFS_GROUPS_MAX */
};

#define CCFS_HELLO_RO		0x1	/* the mount is to be read-only */

struct ccfs_hello {
	__u32 revision;		/* CCFS_REVISION */
	__u32 flags;		/* CCFS_HELLO_* */
};

/* The file's, not its mount's: COMPRESSED, IMMUTABLE, APPEND, NODUMP, ENCRYPTED, VERITY. */
#define CCFS_ATTRIBUTES		0x100874u

struct ccfs_attr {
	__u64 ino;
	__u64 size;
	__u64 blocks;		/* of 512 bytes */
	__s64 atime, mtime, ctime;
	__u32 atime_ns, mtime_ns, ctime_ns;
	__u32 mode;
	__u32 nlink;
	__u32 uid;
	__u32 gid;
	__u32 blksize;
	__u64 rdev;
	__u64 gen;		/* sharedpc_look.gen; 0: not to be remembered */
	__s64 btime;		/* 0, with btime_ns: not known */
	__u32 btime_ns;
	__u32 attributes;	/* statx(2)'s, CCFS_ATTRIBUTES of them, as the next */
	__u32 attributes_mask;	/* .. that the file system knows */
	__u32 flags;		/* SHAREDPC_LOOK_* */
};

#define CCFS_WELCOME_RO		0x1	/* the export is read-only */
#define CCFS_WELCOME_LOCAL	0x2	/* the asker is the owner itself */
#define CCFS_WELCOME_WORDS	0x4	/* answers may be remembered: bits, salt */
#define CCFS_WELCOME_NODEV	0x8	/* device files are none there */
#define CCFS_WELCOME_NOSUID	0x10	/* programs run as who runs them */
#define CCFS_WELCOME_SQUASH_ROOT 0x20	/* user and group 0 are nobody there */
#define CCFS_WELCOME_SQUASH_ALL	0x40	/* everybody is */

struct ccfs_welcome {
	__u32 revision;
	__u32 flags;		/* CCFS_WELCOME_* */
	__u64 salt;		/* sharedpc_watch's */
	__u32 bits;
	__u32 server;		/* sharedpc_serve's; 0 with LOCAL */
	__u64 mount;		/* sharedpc_ask's; 0 with LOCAL */
	struct ccfs_attr root;
};

struct ccfs_entry {
	__u64 node;
	__u64 name_gen;		/* sharedpc_name.gen; 0: not to be remembered */
	struct ccfs_attr attr;
};

/* Does a name still mean this node?  No use of it, unlike LOOKUP. */
struct ccfs_same {
	__u64 node;
};

struct ccfs_count {
	__u64 count;
};

struct ccfs_forget {
	__u64 node;
	__u64 count;		/* answers to forget */
};

#define CCFS_SET_MODE		0x01
#define CCFS_SET_UID		0x02
#define CCFS_SET_GID		0x04
#define CCFS_SET_SIZE		0x08
#define CCFS_SET_ATIME		0x10
#define CCFS_SET_MTIME		0x20
#define CCFS_SET_ATIME_NOW	0x40
#define CCFS_SET_MTIME_NOW	0x80
#define CCFS_SET_OPENED		0x100	/* SIZE through a descriptor open for writing */
#define CCFS_SET_ALL		0x1ff

struct ccfs_setattr {
	__u32 valid;		/* CCFS_SET_* */
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u64 size;
	__s64 atime, mtime;
	__u32 atime_ns, mtime_ns;
};

struct ccfs_make {
	__u32 mode;		/* type and permissions, umask not applied */
	__u32 flags;		/* OPEN, CREATE, TMPFILE: open(2)'s */
	__u64 rdev;		/* MKNOD */
};

struct ccfs_rename {
	__u64 newdir;		/* node */
	__u32 flags;		/* renameat2(2)'s */
	__u32 reserved;
};

struct ccfs_link {
	__u64 newdir;		/* node */
};

#define CCFS_OPEN_LOCAL		0x1
#define CCFS_OPEN_WRITABLE	0x2	/* the proxy has it open for writing */

struct ccfs_open {
	__u64 file;
	__u64 size_phys;	/* sharedpc_size.phys; 0 with LOCAL */
	__u64 identity;		/* sharedpc_size.identity; 0 with LOCAL */
	__u32 flags;		/* CCFS_OPEN_* */
	__u32 pid;		/* LOCAL */
	__s32 fd;		/* LOCAL */
	__u32 reserved;
};

/*
 * What names a file longer than a node does: from HANDLE until the owner's kernel ends, for
 * the client that it was given to and mounts of the same export, whichever proxy they meet.
 */
#define CCFS_FHANDLE_MAX	128u

struct ccfs_fhandle {
	__u64 seal;		/* sharedpc_seal.seal: of the file's and of the export's */
	__s32 type;		/* as in file_handle of name_to_handle_at(2) */
	__u32 len;		/* bytes in use */
	__u8 bytes[CCFS_FHANDLE_MAX];	/* the others 0 */
};

/*
 * Locks of a file that is open, or a directory, which the owner's kernel holds for who is
 * named by owner: a process, or an open file.  The client gives such names, and those of
 * waits, and none twice.
 *
 * SET with a wait that has to wait is answered with WAITS.  When it does not any more the
 * owner's kernel says so (LOCKED, sharedpc_wire.h), once; who does not hear it says the same
 * SET again.  CANCEL ends the wait: it is answered with DONE if the lock was had before that,
 * else with CANCELLED.
 *
 * They go with UNLCK of all of the file, with the mount, and with the client.
 */
enum ccfs_lock_what {
	CCFS_LOCK_TEST = 1,	/* -> first, last, kind, type, pid of what is in the way */
	CCFS_LOCK_SET,		/* -> state; EDEADLK, ENOLCK */
	CCFS_LOCK_CANCEL,	/* -> state */
};

enum ccfs_lock_kind {
	CCFS_LOCK_POSIX = 1,	/* fcntl(2)'s F_SETLK */
	CCFS_LOCK_OFD,		/* F_OFD_SETLK; to unlock POSIX will do */
	CCFS_LOCK_FLOCK,	/* flock(2): first is 0, last S64_MAX; no TEST */
};

enum ccfs_lock_state {
	CCFS_LOCK_DONE = 1,
	CCFS_LOCK_BUSY,		/* somebody has it */
	CCFS_LOCK_WAITS,
	CCFS_LOCK_CANCELLED,
};

struct ccfs_lock {
	__u64 owner;		/* not 0 */
	__u64 wait;		/* SET: 0: not to wait; CANCEL: which */
	__u64 first;		/* bytes, both included, up to S64_MAX */
	__u64 last;
	__u32 what;		/* enum ccfs_lock_what */
	__u32 kind;		/* enum ccfs_lock_kind */
	__u32 type;		/* F_RDLCK, F_WRLCK, F_UNLCK */
	__u32 pid;		/* on its image; 0: it has none */
	__u32 state;		/* answers to SET and CANCEL: enum ccfs_lock_state */
	__u32 reserved;
};

/*
 * Somebody at the client watches a node (inotify, fanotify): from the answer on EVENTS tells
 * what happens to it, but not by what this mount asks for, which the client knows.  mask has
 * the bits that Linux' fsnotify has for them, of CCFS_EVENT_ALL and FS_EVENT_ON_CHILD: those
 * of a directory's children are wanted as well; 0: nothing any more.  A WATCH of a node with
 * a serial that is not higher than that of the last one changes nothing.
 */
struct ccfs_watch {
	__u64 serial;		/* not 0 */
	__u32 mask;
	__u32 reserved;
};

/* fsnotify's, as 6.12 has them: those of inotify(7) and FS_OPEN_EXEC. */
#define CCFS_EVENT_ALL		0x00001fffu
#define CCFS_EVENT_ON_CHILD	0x08000000u
#define CCFS_EVENT_ISDIR	0x40000000u
#define CCFS_EVENT_OVERFLOW	0x00004000u	/* some before it have been lost */

#define CCFS_EVENT_REMOVED	0x1		/* node has no name any more, and gets none */

/*
 * One thing that has happened, in the order in which it did.  EVENTS, by the stream and one
 * at a time, is answered when there is something to tell.
 *
 * dir: what was done in it to what has that name: made, removed, moved, or (node: it, if it
 * is watched as well) changed.  Without dir: to node.
 */
struct ccfs_event {
	__u64 node;		/* 0: not watched */
	__u64 dir;		/* 0: not watched */
	__u32 mask;		/* of CCFS_EVENT_ALL, ISDIR, OVERFLOW; 0: it is REMOVED only */
	__u32 cookie;		/* the same in both events of a move */
	__u16 flags;		/* CCFS_EVENT_REMOVED */
	__u16 len;		/* of the name; 0 without dir */
	__u32 reserved;
};

#define CCFS_EVENTS_MAX		(64u * 1024)	/* bytes of events in one answer */

/* A file. */
struct ccfs_handle {
	__u64 handle;
	__u32 flags;
	__u32 reserved;
};

/* With the nodes and attributes of the entries, but those of "." and "..". */
#define CCFS_READDIR_PLUS	0x1

struct ccfs_readdir {
	__u64 offset;		/* 0, or the last entry's */
	__u32 size;		/* of the answer, up to CCFS_DIR_MAX */
	__u32 flags;		/* CCFS_READDIR_* */
};

#define CCFS_LISTING_END	0x1	/* nothing follows the last entry */

/* What a READDIR answer begins with. */
struct ccfs_listing {
	__u32 flags;		/* CCFS_LISTING_* */
	__u32 reserved;
};

/*
 * Followed by the name and the text, not padded, and if node is not 0 by a
 * ccfs_attr.
 */
struct ccfs_dirent {
	__u64 ino;
	__u64 offset;		/* of what comes next */
	__u64 node;		/* one use, as by LOOKUP; 0: not asked for, or gone */
	__u64 name_gen;		/* sharedpc_name.gen */
	__u32 type;		/* DT_* */
	__u16 len;		/* of the name */
	__u16 text_len;		/* PLUS: of a symbolic link's text; 0: none */
};

/* statfs(2)'s. */
struct ccfs_statfs {
	__u64 blocks, bfree, bavail;	/* of frsize bytes */
	__u64 files, ffree;
	__u32 bsize, frsize;		/* bytes */
	__u32 namelen;			/* bytes */
	__u32 reserved;
};

/*
 * Bytes of a node.  mode: FALLOCATE's is fallocate(2)'s, LSEEK's SEEK_DATA or SEEK_HOLE, of
 * FSYNC and FSYNCDIR 1 is for fdatasync(2).  EBADF: the client has the file not open, or not
 * so.
 */
struct ccfs_range {
	__u64 pos;
	__u64 len;
	__u32 mode;
	__u32 reserved;
};

/* len bytes of the node, as copy_file_range(2) would copy them: maybe fewer.  Errors: its own. */
struct ccfs_copy {
	__u64 pos_in;		/* bytes */
	__u64 node_out;
	__u64 pos_out;		/* bytes */
	__u64 len;
};

/*
 * Of a file or directory: FS_IOC_ GETFLAGS, SETFLAGS, FSGETXATTR, FSSETXATTR, GETVERSION,
 * GETFSLABEL; all others are ENOTTY.
 */
#define CCFS_IOCTL_MAX		256u		/* bytes of an argument */

struct ccfs_ioctl {
	__u32 cmd;
	__u32 reserved;
};

struct ccfs_xattr {
	__u32 size;		/* of the caller's buffer; 0 asks for the size */
	__u32 flags;		/* setxattr(2)'s */
};

_Static_assert(sizeof(struct ccfs_header) == 32, "ccfs_header");
_Static_assert(sizeof(struct ccfs_cred) == 20, "ccfs_cred");
_Static_assert(sizeof(struct ccfs_attr) == 120, "ccfs_attr");
_Static_assert(sizeof(struct ccfs_setattr) == 48, "ccfs_setattr");
_Static_assert(sizeof(struct ccfs_open) == 40, "ccfs_open");
_Static_assert(sizeof(struct ccfs_fhandle) == 144, "ccfs_fhandle");
_Static_assert(sizeof(struct ccfs_lock) == 56, "ccfs_lock");
_Static_assert(sizeof(struct ccfs_dirent) == 40, "ccfs_dirent");
_Static_assert(sizeof(struct ccfs_watch) == 16, "ccfs_watch");
_Static_assert(sizeof(struct ccfs_event) == 32, "ccfs_event");

#endif
