/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slow.h - calls that may take long, which no thread waits for
 *
 * FSYNC and its like are answered when the owner's disk has done its part, or
 * when somebody thaws a file system.  A thread of FUSE that waited for each
 * would be missing for everybody else.  So such a call is put into a queue, one
 * thread sends what is there, and the connection's receiver answers FUSE.
 *
 * At most SLOW_CALLS of a mount are at the owner, the others wait here: its
 * proxy reads no further, not even a PING, while 256 of a mount are on the way.
 */
#ifndef CCFS_SLOW_H
#define CCFS_SLOW_H

#include <pthread.h>

#include "fs/conn.h"
#include "msg.h"

#define SLOW_CALLS	32

struct fuse_req;
struct slow_call;

/* Answers @req with @error, or with what the owner said in @m. */
typedef void slow_reply(struct fuse_req *req, struct msg *m, int error);

struct slow {
	struct conn *conn;
	pthread_mutex_t lock;		/* all below */
	pthread_cond_t change;
	struct slow_call *first, *last;	/* not sent yet */
	unsigned int calls;		/* not answered yet */
	unsigned int sent;		/* of them, at the owner */
};

/* Start the thread, detached; it lives as long as the process. 0 or -errno. */
int slow_start(struct slow *s, struct conn *c);
/* Send @m, whose memory goes along, some time, and answer @req with @reply. */
void slow_ask(struct slow *s, struct fuse_req *req, struct msg *m,
	      slow_reply *reply);
/* The connection is dead: return when all calls have been answered. */
void slow_end(struct slow *s);

#endif
