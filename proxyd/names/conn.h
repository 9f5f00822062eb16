/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conn.h - one connection: one mount of the proxy's client.
 *
 * A reader thread takes messages off the socket. It answers PING, FORGET, EVENTS and
 * DROP itself and hands the others to work.h; answers are written by whoever
 * has them. The connection ends when the stream does, when a message is
 * malformed, or when the peer does not take its answers for CONN_TIMEOUT
 * seconds; it goes when its last request is done. Requests of its mount that come
 * another way (asked.h) find it by a number.
 */
#ifndef PROXYD_CONN_H
#define PROXYD_CONN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "msg.h"
#include "proxyd/life/work.h"
#include "proxyd/names/hello.h"
#include "proxyd/names/node.h"
#include "sharedpc_limits.h"
#include "proxyd/names/words.h"

#define CONN_TIMEOUT	LIMIT_PROXY_SEND_S	/* s */
#define CONN_REQUESTS	256	/* on the way at once */

struct proxy;

struct sharedpc_call;

struct conn {
	struct proxy *proxy;
	struct conn *next;	/* of those that are greeted */
	uint64_t mount;		/* its number: never given again */
	int fd;
	struct hello hello;	/* reader only: the request, if it was read before */
	bool said;		/* reader only: it was */
	bool greeted;		/* reader only: HELLO went well */
	struct export_rules rules;	/* valid once greeted */
	int64_t swept_ms;	/* reader only: last nodes_sweep() */
	uint64_t events_id;	/* reader only: EVENTS that waits, 0: none */
	struct nodes nodes;	/* valid once greeted */
	struct words words;
	pthread_mutex_t send;	/* holder writes to fd */
	pthread_mutex_t lock;	/* protects pending */
	pthread_cond_t fewer;
	unsigned int pending;	/* requests with a worker, and conn_get()s */
};

/* A request with a worker, or one that asked.h does. */
struct request {
	struct job job;
	struct conn *conn;
	const struct sharedpc_call *call;	/* how it came; NULL: by the stream */
	struct msg in;
	size_t bytes;		/* of its memory */
	size_t room;		/* for the whole answer, bytes */
	struct msg out;
	struct ccfs_cred cred;
	uint32_t *groups;
	struct node *node;	/* in.head.node */
	uint64_t *entered;	/* nodes that out shows to the client, each once */
	size_t nentered;
	uint64_t opened;	/* file that out tells it to have open */
};

/*
 * Serve @fd in a thread of its own, from @hello on if that has been said. Both are
 * taken over, even on failure. 0 or -errno.
 */
int conn_serve(struct proxy *proxy, int fd, const struct hello *hello);
/* The one with the number @mount, to be put back, or NULL. */
struct conn *conn_get(struct proxy *proxy, uint64_t mount);
void conn_put(struct conn *conn);

/* What FORGET says. 0 or -EPROTO. */
int conn_forget(struct conn *conn, struct msg *in);

/* Do and answer @req, whose conn, in, room and call are set, and free what is in it. */
void request_run(struct request *req);
/*
 * The answer of @req will show @node, of which a lookup was counted for that:
 * it is taken back if the client does not get the answer, and at once if this
 * fails. 0 or -ENOMEM.
 */
int request_enter(struct request *req, uint64_t node);

#endif
