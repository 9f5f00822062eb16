/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sharedpc_ioctl.h - /dev/sharedpc, what user space asks of sharedpc.ko
 *
 * Four users:
 *	anybody		INFO, IMAGE: who am I, who else is there
 *	proxyd		SERVE ... REPLY, LIMIT, SIZE, UNSIZE, SEAL, REOPEN, HUSH, LOCK, UNLOCK,
 *			REMOVED: a proxy serves one client image from one file system; WATCH, NAME,
 *			LOOK: what of an answer may be remembered; REPORT, EVENTS: what
 *			happens to what is watched
 *	ccfs		BACKING: a file that FUSE can hand reads and faults to;
 *			ATTACH, TELL, REAL: what is known of names, attributes, files;
 *			HEAR, RAISE: what others do to what is watched;
 *			JOIN, ASK, LEAVE: requests to the proxy
 *	ccinit		PROGRESS: how far this image's user space has come; CLOCK: how far
 *			its clock is from the boot image's
 *
 * All calls return 0 or more, or -1 with errno.  EPERM without
 * CAP_SYS_ADMIN (except INFO and IMAGE and, of who said WATCH, NAME, LOOK,
 * REPORT and EVENTS) and, for SERVE's calls, in another
 * process than SERVE's; EFAULT for a bad pointer; EINVAL for fields out of
 * range or reserved fields that are not 0.
 *
 * Changelog
 *	revision 1	first
 *	revision 2	IMAGE: ends; SIZE only after SERVE, and UNSIZE;
 *			BACKING: ends
 *	revision 3	WATCH, NAME, LOOK, ATTACH, TELL; BACKING: node, flags
 *	revision 4	SERVE: a file system, and a number; BACKING, ATTACH: epoch
 *			and server, no ends; IMAGE: no ends; INFO: share, room;
 *			LIMIT
 *	revision 5	JOIN, ASK, LEAVE; NEXT: flags; REPLY to NAME; the mapping
 *			of the bounce buffers can be written
 *	revision 6	ATTACH: mount
 *	revision 7	SIZE, BACKING: identity; SEAL; ATTACH: generation
 *	revision 8	LOCK, UNLOCK; REAL
 *	revision 9	CLOCK
 *	revision 10	TELL: btime, attributes; PUNCH, REMOVED; REPORT, EVENTS, REOPEN, HUSH;
 *			HEAR, RAISE
 */
#ifndef SHAREDPC_IOCTL_H
#define SHAREDPC_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include "ccfs_proto.h"
#include "sharedpc_abi.h"

#define SHAREDPC_DEVICE		"/dev/sharedpc"

/* This image and the region. */
struct sharedpc_info {
	__u32 revision;		/* SHAREDPC_REVISION */
	__u32 self;		/* this image's id */
	__u32 nr_images;
	__s32 region_node;	/* NUMA node of the region here, -1: not owner */
	__u64 region_pages;	/* frames in the region */
	__u64 granted;		/* owner: frames that clients hold now */
	__u64 free_pages;	/* owner: frames free or cheap to reclaim */
	__u64 share;		/* owner: frames that each client can have, whatever
				 * the others hold
				 */
	__u64 room;		/* after SERVE: frames that may be granted now */
};

/* What is known of image @id (in); EINVAL: there is none. */
struct sharedpc_image {
	__u32 id;
	__u32 state;		/* enum sharedpc_state */
	__u32 epoch;
	__u32 stage;		/* enum sharedpc_stage */
	__u64 heartbeat;
	__u64 granted;		/* owner: frames that this image holds */
	char name[SHAREDPC_NAME_MAX];
	char last_words[256];
};

/*
 * The proxy's side.
 *
 * A proxy opens the device, says SERVE, and then has any number of threads
 * (all of the process that said SERVE) in NEXT.  @fd (O_PATH will do) says which
 * file system it is about: a client has one server for each, or else it would meet
 * one page as two files'.  EBUSY: there is one, and @server is its number.
 * ENOTCONN: the client is not READY.  EOPNOTSUPP: those are files of another image.
 * ENODEV: this image has no part of the region.  A number is never given again.
 *
 * NEXT says which calls it is for: those of ccfs (NEXT_NAMES in flags), or the others.
 * Every call that NEXT hands
 * out is answered once: FAULT by GRANT that returns 0, or else by REPLY; all
 * others by REPLY, except CLOSE, which has no answer.  Calls that the proxy
 * leaves unanswered when it closes the device are answered with EIO.
 */
struct sharedpc_serve {
	__u32 client;		/* image */
	__s32 fd;
	__u32 server;		/* out: not 0 */
	__u32 reserved;
};

enum sharedpc_op {
	SHAREDPC_OP_FAULT	= 1,	/* frames of [index, index + count) */
	SHAREDPC_OP_WRITE	= 2,	/* count bytes at pos, from the bounce buffer */
	SHAREDPC_OP_FSYNC	= 3,	/* flags: SHAREDPC_CALL_DATASYNC */
	SHAREDPC_OP_CLOSE	= 4,	/* the client dropped count opens of file */
	/*
	 * A request of ccfs_proto.h, count bytes in the bounce buffers; file: the
	 * mount.  The answer has room for pos bytes in its place.
	 */
	SHAREDPC_OP_NAME	= 5,
	SHAREDPC_OP_PUNCH	= 6,	/* a hole of count pages from byte pos on, as fallocate(2) */
};

#define SHAREDPC_CALL_WRITE	0x1	/* FAULT: the right to write is wanted */
#define SHAREDPC_CALL_APPEND	0x2	/* WRITE: at the end, pos is ignored */
#define SHAREDPC_CALL_DATASYNC	0x4	/* FSYNC: fdatasync will do */
#define SHAREDPC_CALL_DSYNC	0x8	/* WRITE: durable on return (O_DSYNC) */
/* FAULT: only index is needed, the other pages if they cost no I/O. */
#define SHAREDPC_CALL_AROUND	0x10

#define SHAREDPC_FAULT_MAX	64	/* pages in one FAULT or GRANT */

#define SHAREDPC_NEXT_NAMES	0x1	/* NEXT, in: NAME alone */

struct sharedpc_call {
	__u32 slot;		/* names the call; goes into GRANT and REPLY */
	__u32 op;		/* enum sharedpc_op */
	__u64 file;		/* as the proxy named it in its OPEN answer */
	__u64 pos;		/* FAULT: page index; WRITE, PUNCH: bytes; NAME: room */
	__u32 count;		/* FAULT, PUNCH: pages; WRITE, NAME: bytes; CLOSE: opens */
	__u32 flags;		/* in: SHAREDPC_NEXT_*; out: SHAREDPC_CALL_* */
	__u32 uid;		/* WRITE, PUNCH: file system uid of the caller */
	__u32 gid;
	__u64 data;		/* WRITE, NAME: offset in the BOUNCE mapping */
};

/*
 * Watch pages [index, index + pages) of @file, which this process has mapped
 * MAP_SHARED at @addr (page-aligned).  All of it must be one VMA.  -EEXIST
 * when the file has a map there already.  UNMAP (only file and index count)
 * takes every frame back from the client, then forgets the map: do it before
 * munmap; ENOENT when there is none.  A map goes by itself with the VMA, but the entry
 * remains until UNMAP.
 */
struct sharedpc_map {
	__u64 file;
	__u64 index;
	__u64 pages;
	__u64 addr;
};

/*
 * Fault in pages [index, index + count) of the call's file through the map
 * that covers them, and answer the call with their frames (vtop).  @index
 * and @count may be narrower than what the call asked for, but must hold the
 * page that it needs (call.pos; without CALL_AROUND all pages).
 *
 * -EXDEV	some pages lie outside the region: @foreign has a bit for each
 *		(bit n: page index + n); migrate them and call again
 * -EFAULT	past the end of the file, or the file system says no: REPLY -EFAULT
 * -EAGAIN	the page moved too often meanwhile: call again
 * -ENOENT	no map covers the range: MAP first
 * -ESTALE	the call is gone (client died or gave up)
 * -ENOSPC	the client may not hold so many frames more: INFO, LIMIT
 */
struct sharedpc_grant {
	__u32 slot;
	__u32 count;
	__u64 index;
	__u64 foreign;		/* out */
};

struct sharedpc_reply {
	__u32 slot;
	__s32 error;		/* 0 or -errno */
	__u64 result;		/* WRITE: bytes written; NAME: of the answer */
	__u64 pos;		/* WRITE: file position after it */
};

/*
 * Where the size of an open file lies, for sharedpc_backing, and which file it is: one
 * number for it, whoever has it open on whichever image, for as long as anybody has, and
 * never another's in the life of this kernel.  The file is held
 * open until UNSIZE (only phys counts; ENOENT), called as often as SIZE.
 */
struct sharedpc_size {
	__s32 fd;
	__u32 reserved;
	__u64 phys;		/* out: physical address of its i_size, 8 bytes */
	__u64 identity;		/* out: not 0 */
};

/*
 * A seal for @len bytes at @data, which this kernel alone can make: what comes back with
 * it later, from the same client, is what it was.  The same in all processes that serve
 * the client, as long as this kernel runs.
 */
struct sharedpc_seal {
	__u64 data;		/* address */
	__u32 len;		/* 1 to SHAREDPC_SEAL_MAX */
	__u32 reserved;
	__u64 seal;		/* out; its lowest byte is 0 */
};

#define SHAREDPC_SEAL_MAX	256u

/*
 * The regular file or directory of @fd (O_PATH will do), opened once more for the proxy's own
 * use: the descriptor, which is close-on-exec, or open(2)'s errors.  Who watches the file
 * hears nothing of this open, and all that is done with what it gives.
 *
 * HUSH (a descriptor): nothing of that any more, nor of its close.
 */
struct sharedpc_reopen {
	__s32 fd;
	__u32 flags;		/* open(2)'s: access mode, O_APPEND, O_NONBLOCK, O_DIRECTORY */
};

/*
 * @node of the client's mount @mount has no name any more, and gets none: the client's kernel
 * forgets its names, and @node with them unless somebody uses it there.  That it has done so
 * the client's FORGET says; this may get lost.
 */
struct sharedpc_removed {
	__u64 mount;
	__u64 node;
};

/*
 * What @lock says of the file that @fd has open, for the client's mount @mount: it becomes
 * the answer.  0, or -1 with the error of the answer; EINVAL: it makes no sense, or the file
 * is in another file system.
 *
 * UNLOCK (of a mount's number): the mount has gone, and with it all its locks and waits.
 */
struct sharedpc_lock {
	__s32 fd;
	__u32 reserved;
	__u64 mount;
	struct ccfs_lock lock;
};

/*
 * ccfs: make (or find) the backing file of @file at image @owner and return
 * a new descriptor for it, to be handed to FUSE.  One call for each OPEN
 * that the proxy answered with this file: the module counts them and gives
 * them back with CLOSE when the last user of the inode has gone.
 * @size_phys has to be in the owner's own memory (EINVAL).  @epoch is the owner's
 * life, @server the proxy's number, in which and by which
 * @file was named.  ENOTCONN: the owner is not READY, or in another life.  EINVAL:
 * owner is this image.  ESTALE: the proxy has ended.
 */
struct sharedpc_backing {
	__u32 owner;
	__u32 epoch;
	__u64 file;
	__u64 size_phys;	/* sharedpc_size.phys */
	__u64 identity;		/* sharedpc_size.identity */
	__u64 node;		/* FUSE's node id of the file */
	__u32 flags;		/* SHAREDPC_BACKING_* */
	__u32 server;
};

/* Later opens for reading need not ask the owner: keep it after its close. */
#define SHAREDPC_BACKING_KEEP	0x1

/*
 * Words: what makes an answer good for later (sharedpc/words/words.h).
 *
 * A proxy says once for each file system that it serves from, before its first
 * answer: WATCH, with any descriptor in it (O_PATH will do). The watch lasts
 * until this open of the device is closed. Needs no SERVE, since an owner
 * mounts its own exports too. EOPNOTSUPP: names in that kind of file system
 * change without this kernel being told, so nothing may be remembered.
 *
 * NAME reads the word of a name in a directory. To be called before the name
 * is looked up. LOOK reads the word of a file's attributes and says what else
 * is worth knowing; to be called before they are read. A @gen of 0: do not
 * remember. Both give 0 for what is not watched.
 */
struct sharedpc_watch {
	__s32 fd;
	__u32 bits;		/* out: for ATTACH, as salt */
	__u64 salt;		/* out */
};

struct sharedpc_name {
	__s32 dir;		/* descriptor, O_PATH will do */
	__u32 len;		/* of the name, 1 to 255 bytes */
	__u64 name;		/* its address */
	__u64 gen;		/* out */
};

#define SHAREDPC_LOOK_XATTR	0x1	/* it has extended attributes */
#define SHAREDPC_LOOK_ACL	0x2	/* it has an access ACL */
#define SHAREDPC_LOOK_NONAMES	0x4	/* names in it mean more than their bytes */

struct sharedpc_look {
	__s32 fd;		/* O_PATH will do */
	__u32 flags;		/* out: SHAREDPC_LOOK_* */
	__u64 gen;		/* out */
};

/*
 * A mount's client wants to hear what happens to the file that @fd (O_PATH will do) is of,
 * which it knows as @node: see struct ccfs_watch.  In the process, and by the open of the
 * device, that said WATCH, with a descriptor in the mount that it serves from; what that
 * process does is not reported, nor what is done to files through that mount.  @mask 0: @fd
 * is not looked at.
 *
 * EVENTS takes the oldest of what is to be reported, as struct ccfs_event, as much as has
 * @room; 0 bytes: there is nothing now.  The device is readable (poll) while there is.
 */
struct sharedpc_report {
	__s32 fd;
	__u32 mask;
	__u64 node;
	__u64 serial;
};

struct sharedpc_events {
	__u64 events;		/* address */
	__u32 room;
	__u32 bytes;		/* out */
};

/*
 * ccfs: from here on this image remembers names and attributes of the FUSE
 * mount whose root is @root (O_PATH), as long as this open of the device lasts:
 * once per open, and before FUSE's INIT, so that no file of the mount is known
 * yet. @bits and @salt are what the owner's WATCH said, @epoch and @server as in
 * BACKING (not looked at if @owner is this image).
 * SHAREDPC_ATTACH_FORGET: attached, so that permissions are checked, but
 * nothing is remembered. SHAREDPC_ATTACH_SQUASH_ROOT, _ALL: user and group 0, or
 * everybody, is somebody else for the owner, who is asked what such callers may.
 * EOPNOTSUPP: this kernel's FUSE is not the one that
 * the module knows. EBUSY: attached already. ENOTCONN, ESTALE: as BACKING.
 */
#define SHAREDPC_ATTACH_FORGET		0x1
#define SHAREDPC_ATTACH_SQUASH_ROOT	0x2
#define SHAREDPC_ATTACH_SQUASH_ALL	0x4
#define SHAREDPC_ATTACH_ALL		0x7

struct sharedpc_attach {
	__s32 root;
	__u32 owner;
	__u32 epoch;
	__u32 flags;		/* SHAREDPC_ATTACH_* */
	__u32 bits;
	__u32 server;
	__u64 salt;
	__u64 root_ino;
	__u64 mount;		/* ASK's, for the module's own questions; 0: none */
	__u32 generation;	/* what FUSE is told of all nodes but the root */
	__u32 reserved;
};

/*
 * ccfs, before it hands an answer to FUSE: what the owner said of a node, and
 * in listings of the name under which it was found. TELL takes @count of these
 * in a row at @tales, each followed by @name_len bytes of name, @text_len
 * bytes of a symbolic link's text and bytes up to a multiple of 8.
 */
struct sharedpc_tale {
	__u64 node;		/* FUSE's node id */
	__u64 gen;		/* LOOK's; 0: attributes are not to be kept */
	__u64 dir;		/* node of the directory; 0: no name */
	__u64 name_gen;		/* NAME's */
	__u64 ino;
	__u64 size;		/* bytes */
	__u64 blocks;		/* of 512 bytes */
	__s64 atime, mtime, ctime;
	__s64 btime;		/* 0, with btime_ns: not known */
	__u32 atime_ns, mtime_ns, ctime_ns, btime_ns;
	__u32 attributes;	/* statx(2)'s; .. */
	__u32 attributes_mask;	/* .. that the file system knows */
	__u32 mode;
	__u32 nlink;
	__u32 uid;
	__u32 gid;
	__u32 blksize;
	__u32 flags;		/* SHAREDPC_LOOK_* */
	__u32 reserved;		/* 0 */
	__u16 name_len;
	__u16 text_len;
};

struct sharedpc_tell {
	__u64 tales;		/* address, 8-byte aligned */
	__u32 bytes;		/* of all, at most SHAREDPC_TELL_MAX */
	__u32 count;
};

#define SHAREDPC_TELL_MAX	0x10000u

/*
 * ccfs, on a mount of its own image, before it answers FUSE's OPEN or CREATE of @node: @fd has
 * that file open.  After ATTACH.  EINVAL: another image owns it.
 */
struct sharedpc_real {
	__u64 node;
	__s32 fd;
	__u32 reserved;
};

/*
 * ccfs, after ATTACH: HEAR names an eventfd, once, which counts up when a file of the mount is
 * watched for the first time: from then on somebody has to take the EVENTS.  RAISE has
 * @bytes of them, as struct ccfs_event, happen here.
 */
struct sharedpc_raise {
	__u64 events;		/* address */
	__u32 bytes;		/* CCFS_EVENTS_MAX at most */
	__u32 reserved;
};

/*
 * ccfs: a request goes to the proxy by ASK, through memory that both have, from the
 * thread that makes it, which sleeps until the answer is there.  JOIN says once, for this
 * open of the device, to whom: ENOTCONN, ESTALE, EINVAL as BACKING.
 *
 * ASK, of message @head with @len bytes of body at @body: the answer comes in their
 * place, and @len says how much it is; there is room for @room bytes.  It takes as long as
 * the proxy takes.  @mount is what HELLO's answer says.
 * EBUSY: no buffer or slot is free: there are only so many, and a stream has to do.
 * EMSGSIZE: the request is too long for that, or the answer, which is lost then. ESTALE:
 * there is no such mount. EPROTO: that is no request. EIO: nor was it an answer. EINVAL:
 * JOIN comes first. EFAULT.
 * ENOTCONN: the proxy has ended, or LEAVE was said, which ends all ASKs of this open of
 * the device within a second.  EINTR: the thread is being killed.
 */
struct sharedpc_join {
	__u32 owner;
	__u32 epoch;
	__u32 server;
	__u32 reserved;
};

#define SHAREDPC_ASK_HEAD	32	/* bytes of a message's header */

struct sharedpc_ask {
	__u64 mount;
	__u64 head;		/* addresses */
	__u64 body;
	__u32 len;
	__u32 room;
};

#define SHAREDPC_IOC_INFO	_IOR('P', 1, struct sharedpc_info)
#define SHAREDPC_IOC_IMAGE	_IOWR('P', 2, struct sharedpc_image)
#define SHAREDPC_IOC_SERVE	_IOWR('P', 3, struct sharedpc_serve)
#define SHAREDPC_IOC_NEXT	_IOWR('P', 4, struct sharedpc_call)	/* blocks; EINTR; ENODEV: the client is gone */
#define SHAREDPC_IOC_MAP	_IOW('P', 5, struct sharedpc_map)
#define SHAREDPC_IOC_UNMAP	_IOW('P', 6, struct sharedpc_map)
#define SHAREDPC_IOC_GRANT	_IOWR('P', 7, struct sharedpc_grant)
#define SHAREDPC_IOC_REPLY	_IOW('P', 8, struct sharedpc_reply)
#define SHAREDPC_IOC_SIZE	_IOWR('P', 9, struct sharedpc_size)
#define SHAREDPC_IOC_BACKING	_IOW('P', 10, struct sharedpc_backing)
#define SHAREDPC_IOC_PROGRESS	_IOW('P', 11, __u32)	/* own slot's stage */
/* Frames that the client may hold by this server at once, __u64; 0: no limit. */
#define SHAREDPC_IOC_LIMIT	_IOW('P', 18, __u64)
#define SHAREDPC_IOC_UNSIZE	_IOW('P', 12, struct sharedpc_size)
#define SHAREDPC_IOC_WATCH	_IOWR('P', 13, struct sharedpc_watch)
#define SHAREDPC_IOC_NAME	_IOWR('P', 14, struct sharedpc_name)
#define SHAREDPC_IOC_LOOK	_IOWR('P', 15, struct sharedpc_look)
#define SHAREDPC_IOC_ATTACH	_IOW('P', 16, struct sharedpc_attach)
#define SHAREDPC_IOC_TELL	_IOW('P', 17, struct sharedpc_tell)
#define SHAREDPC_IOC_JOIN	_IOW('P', 19, struct sharedpc_join)
#define SHAREDPC_IOC_ASK	_IOWR('P', 20, struct sharedpc_ask)
#define SHAREDPC_IOC_LEAVE	_IO('P', 21)
#define SHAREDPC_IOC_SEAL	_IOWR('P', 22, struct sharedpc_seal)
#define SHAREDPC_IOC_LOCK	_IOWR('P', 23, struct sharedpc_lock)
#define SHAREDPC_IOC_UNLOCK	_IOW('P', 24, __u64)
#define SHAREDPC_IOC_REAL	_IOW('P', 25, struct sharedpc_real)
/*
 * How far CLOCK_REALTIME of the boot image is ahead of ours now, ns.  ENODATA: not known, or
 * we are the boot image.
 */
#define SHAREDPC_IOC_CLOCK	_IOR('P', 26, __s64)
#define SHAREDPC_IOC_REPORT	_IOW('P', 27, struct sharedpc_report)
#define SHAREDPC_IOC_EVENTS	_IOWR('P', 28, struct sharedpc_events)
#define SHAREDPC_IOC_HEAR	_IOW('P', 29, __s32)	/* a descriptor */
#define SHAREDPC_IOC_RAISE	_IOW('P', 30, struct sharedpc_raise)
/*
 * After SERVE, of a descriptor that the proxy has for its own purposes: nobody who watches the
 * file hears what is done with it, its close included.
 */
#define SHAREDPC_IOC_HUSH	_IOW('P', 31, __s32)
#define SHAREDPC_IOC_REOPEN	_IOW('P', 32, struct sharedpc_reopen)
#define SHAREDPC_IOC_REMOVED	_IOW('P', 33, struct sharedpc_removed)

_Static_assert(sizeof(struct sharedpc_tale) == 144, "tale");

/*
 * mmap of the device after SERVE, offset 0, SHAREDPC_BOUNCES *
 * SHAREDPC_BOUNCE_SIZE bytes: the client's bounce buffers.
 */

#endif
