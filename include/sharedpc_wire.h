/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sharedpc_wire.h - what two kernels say to each other about frames and names
 *
 * One message per record of a CLIENT or an OWNER ring.  For each file system that an owner
 * serves a client from there is a server, whose number is in all messages but
 * RELEASED, FREED, ECHO, ECHOED, WAKE and those about lives: who is asked, whose files are named, whose slots are meant.  A
 * client sends calls, the owner does and answers each once; the owner sends
 * REVOKE, the client answers each with REVOKED.  Who has waited for an answer for
 * LIMIT_RESEND_S sends again: a call as it was, which the owner knows by its slot and
 * never does twice; a REVOKE with the next number of a try in result, which REVOKED and
 * KEPT repeat, and REVOKED says how many KEPTs there were and what their addresses add up
 * to: else that try does not count.  FRAMES and REVOKE for one file
 * travel on the OWNER ring, and the owner puts them there in the order in which it
 * decided: who reads them in that order never keeps a frame that was taken back.
 *
 * The boot image knows for certain which lives of images have ended: it is asked (LIFE), and
 * it sees to it that nobody has anything of them any more (LEAVE).
 *
 *	CLIENT		FAULT, WRITE, FSYNC, CLOSE, NAME, PUNCH, REVOKED, KEPT, RELEASED,
 *			ECHO, LIFE, LEFT, WAKE
 *	OWNER		FRAMES, DONE, REVOKE, FREED, ECHOED, LIVES, LEAVE, LOCKED, REMOVED
 *
 * Changelog
 *	revision 1	first
 *	revision 2	REVOKE_END, KEPT, RELEASED
 *	revision 4	server
 *	revision 5	NAME, ECHO; a ring for each role; messages may get lost: tries of
 *			REVOKE, names of KEPT, FREED
 *	revision 6	LIFE, LIVES, LEAVE, LEFT
 *	revision 8	LOCKED
 *	revision 9	WAKE, of which none is sent again (struct sharedpc_futex)
 *	revision 10	PUNCH, REMOVED
 */
#ifndef SHAREDPC_WIRE_H
#define SHAREDPC_WIRE_H

#include "sharedpc_ioctl.h"

/* Types 1 to 6 are the calls of enum sharedpc_op. */
enum sharedpc_answer {
	SHAREDPC_MSG_FRAMES	= 16,	/* ends a FAULT: count frames at pos */
	/* ends any call: error, result, pos; EAGAIN, of FAULT: its FRAMES got lost */
	SHAREDPC_MSG_DONE	= 17,
	SHAREDPC_MSG_REVOKE	= 18,	/* give [pos, pos + count) pages back */
	SHAREDPC_MSG_REVOKED	= 19,	/* done; error: never reuse these pages */
	/*
	 * before REVOKED: I/O here holds page pos, frame at address data; count is
	 * the client's name for that, which it never gives again
	 */
	SHAREDPC_MSG_KEPT	= 20,
	SHAREDPC_MSG_RELEASED	= 21,	/* not any more: name pos, address data */
	SHAREDPC_MSG_ECHO	= 22,	/* to be answered at once, for measuring */
	SHAREDPC_MSG_ECHOED	= 23,	/* so it is; slot as there */
	SHAREDPC_MSG_FREED	= 24,	/* RELEASED has come; pos and data as there */
	/* to the boot image: in which life is image pos?  LIFE_FENCE: end its life count */
	SHAREDPC_MSG_LIFE	= 25,
	/* .. answer, slot as there: count began last, data ended; error: it did not end */
	SHAREDPC_MSG_LIVES	= 26,
	/* from the boot image: life count of image pos has ended, let go of all it had */
	SHAREDPC_MSG_LEAVE	= 27,
	SHAREDPC_MSG_LEFT	= 28,	/* .. done, pos and count as there; error: not yet */
	SHAREDPC_MSG_LOCKED	= 29,	/* wait pos (ccfs_lock.wait) is over; error: as SET's */
	/*
	 * count of those that wait for the futex at byte pos of file (sharedpc_size.identity)
	 * of image slot are to be woken, if one of data is in their bit set; WAKE_ALL: all
	 * that wait for any.  result: how many the sender has sent
	 */
	SHAREDPC_MSG_WAKE	= 30,
	SHAREDPC_MSG_REMOVED	= 31,	/* node pos of mount file: see sharedpc_removed */
};

#define SHAREDPC_LIFE_FENCE	0x1	/* LIFE: stop its CPUs for certain */
#define SHAREDPC_WAKE_ALL	0x1	/* WAKE */

#define SHAREDPC_REVOKE_WRITE	0x1	/* REVOKE: the right to write only */
#define SHAREDPC_REVOKE_END	0x2	/* all files of the server for good: it is gone */

/* A frame in FRAMES: physical address, rights in the low bits; 0: none. */
#define SHAREDPC_FRAME_WRITE	0x1ULL

/* Calls of one client that may be open at once at one server. */
#define SHAREDPC_CALLS		64
/* Of them, those that may be NAMEs: the others are for what is known by name. */
#define SHAREDPC_NAME_CALLS	48

#define SHAREDPC_WRITE_MAX	0x80000		/* bytes of one WRITE */

struct sharedpc_msg {
	__u16 type;
	__u16 flags;		/* SHAREDPC_CALL_* or SHAREDPC_REVOKE_* */
	__u32 slot;		/* call: serial << 6 | index; revoke: its id */
	__u64 file;
	__u64 pos;		/* page index; WRITE, PUNCH: bytes; NAME: room for the answer */
	__u64 count;		/* pages, bytes or opens */
	__u64 result;		/* DONE: as in sharedpc_reply; REVOKE ...: which try */
	__u64 data;		/* WRITE, NAME: offset in bounce buffers; KEPT: address */
	__s32 error;
	__u32 uid;
	__u32 gid;
	__u32 server;		/* its number; 0 in RELEASED */
};

struct sharedpc_frames {
	struct sharedpc_msg msg;
	__u64 frame[SHAREDPC_FAULT_MAX];
};

_Static_assert(sizeof(struct sharedpc_msg) == 64, "message");

#endif
