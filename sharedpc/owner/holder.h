/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * holder.h - locks of files that a client's processes have: fcntl(2), flock(2)
 *
 * This kernel holds them, as any of its own processes', so that all images, the processes
 * here, and its own mounts see each other's, and a deadlock is found wherever it goes
 * round.
 *
 *	holder.c	whose they are: for the client, whatever files it is about;
 *			and what he has: his locks of one file, by one mount
 *	wait.c		of those: what waits
 *	locking.c	what the client asks for
 *
 * A mutex for each server (locks_lock) is held over all of this, but for the sleep of
 * flock(2)'s.  Holders have a spin lock, since the kernel copies locks under its own.
 */
#ifndef HOLDER_H
#define HOLDER_H

#include <linux/completion.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/workqueue.h>
#include "owner/server.h"

struct holder;

struct held {
	struct kref ref;
	struct hlist_node node;		/* in server.held, or not */
	struct server *server;
	struct holder *holder;		/* NULL: of flock(2) */
	struct file *file;		/* open; flock(2): our own, which is the owner */
	u64 owner;			/* the client's name */
	bool flock;
	u64 mount;
	struct list_head waits;
};

struct wait {
	struct kref ref;
	struct list_head node;		/* in held.waits */
	struct held *held;
	u64 name;
	struct file_lock fl;
	bool over;			/* it waits no more */
	int err;			/* flock(2): with what it ended */
	struct work_struct work;
	struct completion awake;	/* flock(2): it sleeps no more */
};

/* holder.c */
/* The one of that name, with a use of it; NULL: no memory. */
struct holder *holder_get(const struct server *s, u64 name);
void holder_put(struct holder *h);
/* Has the client so many locks that it gets no more, or cannot split one to unlock? */
bool holder_full(u32 client, bool unlock);

/* What is his of @inode, by @mount, or NULL. */
struct held *held_find(struct server *s, const struct inode *inode, u64 mount,
		       const struct ccfs_lock *l);
/* The same for @file, made.  -ENOLCK, or what opening it again gave. */
struct held *held_make(struct server *s, struct file *file, u64 mount,
		       const struct ccfs_lock *l);
void held_put(struct held *h);
/* Has he this lock? */
bool held_has(const struct held *h, const struct ccfs_lock *l);
/* It goes if nothing is left of it. */
void held_tidy(struct held *h);
/* What the client says, as the kernel says it.  locks_release_private() ends it. */
void held_fill(struct file_lock *fl, const struct held *h, const struct ccfs_lock *l);
/* Try @fl.  FILE_LOCK_DEFERRED: it waits, if it has FL_SLEEP; -EAGAIN. */
int held_try(struct held *h, struct file_lock *fl);
/* What @l says, without waiting. */
int held_set(struct held *h, const struct ccfs_lock *l);

/* wait.c */
struct wait *wait_find(const struct held *h, u64 name);
/* Try what @l says, and wait if need be: FILE_LOCK_DEFERRED.  Or 0, -errno. */
int wait_begin(struct held *h, const struct ccfs_lock *l);
/* End it.  True: it had the lock just before. */
bool wait_end(struct wait *w);
/* Somebody has let go of what @fl waits for.  Under the kernel's spin lock. */
void wait_notify(struct file_lock *fl);

#endif
