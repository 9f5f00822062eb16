/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * session.h - a client's side of one server: what it has asked, whether it lives
 *
 * An owner has a server for each file system that it serves us from, so that what
 * hangs in one of them delays none of the others.  Here each has a session, found
 * by the server's number: its own slots for calls (call.c), its share of the bounce
 * buffers (bounce.c), its files (file.c) and those of them that are to be closed.
 *
 * A session is made when ccfs first names its server and is there until the owner
 * says that the server has ended (REVOKE_END), or has ended itself.  Of a server that
 * has ended the number is remembered, since ccfs may not know of it yet.
 */
#ifndef SESSION_H
#define SESSION_H

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "sharedpc_wire.h"

enum slot_state { SLOT_FREE, SLOT_WAITING, SLOT_ANSWERED, SLOT_ABANDONED };

/* One call, see call.c. */
struct slot {
	enum slot_state state;
	u32 name;		/* serial * SHAREDPC_CALLS + index; a serial for each slot */
	struct inode *inode;	/* referenced while not FREE, or NULL */
	u64 need;		/* FAULT: the page that is needed */
	u32 bounce, bounces;	/* ours while not FREE: the first, and how many */
	struct sharedpc_msg msg;	/* as it was sent */
	bool sent;		/* it was: only then it is sent again */
	unsigned long resend;	/* jiffies: when it is sent again */
	u32 resent;		/* times */
	int error;
	u64 result, pos;
	struct completion done;
};

#define SESSION_CLOSERS	4

/* Closes files, one after the other: file.c. */
struct closer {
	struct work_struct work;
	struct session *session;
};

struct session {
	struct kref ref;
	u32 owner;		/* image */
	u32 epoch;		/* the owner's life that the server belongs to */
	u32 server;		/* its number */
	bool ended;		/* the server, or the owner's life: set once, without lock */

	spinlock_t lock;	/* slot */
	struct slot slot[SHAREDPC_CALLS];
	wait_queue_head_t wait;	/* for a FREE slot, and for ended */

	u32 bounces;		/* buffers in use: bounce.c's lock */
	struct list_head bounce_waiters;	/* in turn; that lock, too */

	atomic_t late;		/* files with stores that the owner does not know of: file.c */
	struct llist_head closings;	/* files to be closed */
	atomic_t closed;		/* so many so far: whose turn it is */
	struct closer closer[SESSION_CLOSERS];
};

/*
 * @close is the work of a closer; @end does what the end of a session takes, and puts
 * it.
 */
void session_init(void (*close)(struct work_struct *work),
		  void (*end)(struct session *s));
void session_exit(void);

/*
 * The session with @server, made if there is none, with a reference.  -EINVAL;
 * -ENOTCONN: @owner is not READY in @epoch; -ESTALE: the server has ended.
 */
struct session *session_get(u32 owner, u32 epoch, u32 server);
/* The same for what the owner says: NULL if there is none that lives. */
struct session *session_find(u32 owner, u32 server);
void session_put(struct session *s);

/* The server lives: calls may be made, what is remembered is true. */
bool session_alive(const struct session *s);

/*
 * Both are for the listening thread.  The server has ended, and is never found again:
 * its session, which ends, with a reference, or NULL.  Or any server of @owner: until
 * it returns NULL.
 */
struct session *session_end(u32 owner, u32 server);
struct session *session_end_any(u32 owner);

/* @run for all that @owner has, with a reference. */
void session_each(u32 owner, void (*run)(struct session *s));

u32 session_count(void);		/* that have not ended */
u32 session_calls(u32 owner);		/* calls that wait now */

#endif
