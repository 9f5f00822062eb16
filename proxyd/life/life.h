/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * life.h - how much a proxy's process has to do, and when it may end.
 *
 * It may when it has no connection and no file that may still be mapped. Whether it
 * does is the listener's decision, since only that knows whether another connection is
 * on its way here (pass.h).
 */
#ifndef PROXYD_LIFE_H
#define PROXYD_LIFE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sharedpc_limits.h"

#define LIFE_CONNS	LIMIT_CLIENT_CONNS	/* connections of one client */
#define LIFE_BYTES	(16u << 20)	/* of their requests at once, about */

struct life {
	uint64_t (*left)(struct life *life);	/* files that may still be mapped */
	/* Nothing is left after @had connections; with the lock held. */
	void (*idle)(struct life *life, uint32_t had);
	pthread_mutex_t lock;	/* protects all below */
	uint32_t had;		/* connections so far */
	unsigned int conns;	/* connections alive */
	pthread_cond_t fewer;	/* bytes */
	size_t bytes;		/* of requests with a worker */
};

/* left and idle are set. */
void life_init(struct life *life);
/* The listener has handed over one connection more, of which nothing came along. */
void life_handed(struct life *life);
/* One connection more, handed over. False: there are LIFE_CONNS. */
bool life_conn_add(struct life *life);
/* A connection's last word. */
void life_conn_gone(struct life *life);
/* A file was closed: see whether anything is left. */
void life_check(struct life *life);
/*
 * A request of @bytes is going to a worker; waits while too much is on the way.
 * To be followed by life_bytes_put().
 */
void life_bytes_get(struct life *life, size_t bytes);
void life_bytes_put(struct life *life, size_t bytes);
/* End the process; its files and maps go with it. */
void life_end(const char *why) __attribute__((noreturn));

#endif
