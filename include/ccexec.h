/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ccexec: the protocol that runs a command on another machine or image.
 *
 * One connection carries one command at a time; it may be a socket (AF_VSOCK
 * between images, AF_UNIX in tests) or a virtio-serial port between the host
 * and the box, which has no connections of its own. Everything is a frame: a
 * header of 24 bytes, then `length` bytes. All numbers are little-endian.
 *
 *   client                          server
 *   PREP* START ------------------>  runs the command
 *         <------------------------ STARTED
 *   STDIN* STDIN_EOF ------------->
 *         <------------------------ CREDIT, STDOUT*, STDERR*
 *   SIGNAL, WINCH, PING ---------->
 *         <------------------------ PONG
 *         <------------------------ EXIT, or ERROR at any time: the last frame
 *
 * Flow control: the client may have CCEXEC_WINDOW bytes of STDIN on the way;
 * CREDIT says how many the command has taken. So a command that does not read
 * never keeps a SIGNAL from arriving.
 *
 * `session` is a random number, not 0, that the client draws for each command.
 * On a virtio port bytes of an earlier client may still be on the way, in both
 * directions: a reader there skips to the next valid header, the client takes
 * frames of its own session only, and it opens with CCEXEC_PAD bytes of 0 (on a
 * port only), enough to complete any frame that an earlier client left
 * unfinished. A server that gets a PING for a session it does not run answers
 * ERROR(ESTALE): so the client of a machine that was kexec-ed does not wait for
 * ever.
 *
 * Revision 1: the first one.
 */
#ifndef CCEXEC_H
#define CCEXEC_H

#include <linux/types.h>

#define CCEXEC_MAGIC	0x65786343	/* "Ccxe" */
#define CCEXEC_REVISION	1

#define CCEXEC_MAX_DATA		(16 * 1024)	/* bytes in one frame */
#define CCEXEC_MAX_START	(1024 * 1024)	/* bytes in PREP* START together */
#define CCEXEC_MAX_STRINGS	16384		/* argv and env together */
#define CCEXEC_WINDOW		(64 * 1024)	/* bytes of STDIN without credit */
#define CCEXEC_PAD		(CCEXEC_MAX_DATA + 24)

#define CCEXEC_VSOCK_PORT	514

enum ccexec_type {
	CCEXEC_PREP = 1,	/* a part of what START ends */
	CCEXEC_START,		/* struct ccexec_start + strings, its last part */
	CCEXEC_STDIN,		/* bytes */
	CCEXEC_STDIN_EOF,	/* empty */
	CCEXEC_SIGNAL,		/* __le32 signal number, 1 to 64 */
	CCEXEC_WINCH,		/* struct ccexec_winch */
	CCEXEC_PING,		/* empty */
	CCEXEC_STARTED = 16,	/* empty: the command runs */
	CCEXEC_STDOUT,		/* bytes */
	CCEXEC_STDERR,		/* bytes */
	CCEXEC_CREDIT,		/* __le32 bytes of STDIN taken */
	CCEXEC_PONG,		/* empty */
	CCEXEC_EXIT,		/* struct ccexec_exit */
	CCEXEC_ERROR,		/* struct ccexec_error + text, not terminated */
};

struct ccexec_header {
	__le32 magic;
	__le16 revision;
	__le16 type;
	__le64 session;
	__le32 length;		/* bytes after the header, 0 to CCEXEC_MAX_DATA */
	__le32 reserved;	/* 0 */
};

#define CCEXEC_TTY	0x1	/* give the command a terminal */
#define CCEXEC_ENV_ADD	0x2	/* env adds to the server's default, else it is all */
#define CCEXEC_FLAGS	0x3

/* Followed by argc + envc + 1 strings, each ended by 0: argv, env, cwd. */
struct ccexec_start {
	__le32 flags;
	__le32 argc;		/* at least 1 */
	__le32 envc;
	__le16 rows, cols;	/* with CCEXEC_TTY */
};

struct ccexec_winch {
	__le16 rows, cols;
};

struct ccexec_exit {
	__le32 status;		/* 0 to 255 */
	__le32 signal;		/* 0, or the signal that ended the command */
};

struct ccexec_error {
	__le32 error;		/* errno of Linux/x86, positive */
};

_Static_assert(sizeof(struct ccexec_header) == 24, "ccexec_header");
_Static_assert(sizeof(struct ccexec_start) == 16, "ccexec_start");
_Static_assert(sizeof(struct ccexec_exit) == 8, "ccexec_exit");

#endif
