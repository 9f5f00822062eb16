/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conn.h - the connection of one mount to its proxy
 *
 * Any number of threads call at the same time over one stream.  A sender
 * locks the stream for one message.  One of those who wait for their answers reads:
 * he completes all calls whose answers he meets, by their ids, and when he has met
 * his own another one reads on.  So a lone call wakes one thread, which is its own.  A
 * receiver thread reads when only calls wait that no thread waits for, and sees the
 * stream end; one watcher thread (watch.h) asks for a sign of life when calls wait.
 *
 * Where sharedpc.ko has a way to the proxy (link.h) a call goes by that, from the thread
 * that makes it, if it fits and there is room; the stream is there for the others, for
 * signs of life, and to end.
 *
 *	conn_call	send a request, wait for its answer
 *	conn_submit	send a request, have its answer handed over
 *	conn_post	send a request that has no answer
 *
 * A connection dies when the stream ends or breaks, when the peer sends what
 * nobody can understand, when the owner's image is no longer up, and when
 * calls wait and the owner gave no sign of life for 60 s.  All calls that wait
 * and all later ones then fail with -ENOTCONN; it does not come back.
 *
 * Lock order: send, then lock.
 */
#ifndef CCFS_CONN_H
#define CCFS_CONN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "fs/link.h"
#include "fs/owner.h"
#include "msg.h"

/*
 * A call that waits for its answer.  @done is called once, by whoever takes the
 * call off the list: who reads, conn_kill() or, if the connection died while
 * it was being sent, its sender.  That may be before conn_submit() returns.  No
 * lock is held, and nothing is done with the call afterwards, so @done may free
 * it; it must not wait for the owner, since all other answers wait for it.
 */
struct call {
	struct msg *msg;	/* the request, then the answer */
	void (*done)(struct call *call, int error);
	pthread_cond_t *waits;	/* of the thread that does; NULL: none */
	struct call *next;	/* conn->lock, as are all below */
	uint64_t id;
	unsigned int op;
	bool sent;		/* all of *msg, which may be replaced now */
};

struct conn {
	int fd;
	const struct owner *owner;
	struct link link;
	pthread_mutex_t send;		/* one message on the stream */
	int bell;			/* eventfd: the receiver is to read */
	struct msg in;			/* of who reads */
	pthread_mutex_t lock;		/* all below */
	bool reading;			/* somebody does */
	struct call *calls;		/* that wait */
	unsigned int asks;		/* that wait, by the link */
	unsigned int pings;		/* sent, and not answered yet */
	pthread_cond_t sent;		/* one of them has been sent */
	uint64_t last_id;
	int64_t life_ms;		/* last sign of life, or first call since */
	bool dead;
	int patience_ms;		/* without a sign of life; 60000 */
	/*
	 * Called once when it dies, before any call fails: with the lock. NULL:
	 * nobody wants to know.
	 */
	void (*died)(void *arg);
	void *arg;
};

/* Take over @fd.  @owner must outlive the connection.  Starts no thread. */
void conn_init(struct conn *c, int fd, const struct owner *owner);
/* Start receiver and watcher, detached; they live as long as the process. */
int conn_start(struct conn *c);

/*
 * Send @m (its id is chosen here) and wait; the answer replaces it.  0, the
 * owner's -errno, -ENOTCONN, or what writing @m had failed with.
 */
int conn_call(struct conn *c, struct msg *m);
/* Send @call, of which msg and done are set.  Errors of @done as above. */
void conn_submit(struct conn *c, struct call *call);
/* Send @m and wait for nothing. */
void conn_post(struct conn *c, struct msg *m);
/* Ask for a sign of life, unless another thread is sending. */
void conn_ping(struct conn *c);

/*
 * The same before conn_start(): alone on the stream, within @seconds. If no
 * answer came @m is empty.
 */
int conn_call_first(struct conn *c, struct msg *m, int seconds);

/*
 * Does anybody wait for the owner?  Not so an EVENTS, which has an answer when something
 * happens.  With the lock.
 */
bool conn_waits(const struct conn *c);

/* It is dead from here on.  True: it was alive until now. */
bool conn_kill(struct conn *c);

#endif
