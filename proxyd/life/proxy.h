/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * proxy.h - the process that acts for one client image.
 *
 * The listener (listener.c) forks it for a client's first connection and hands
 * it the others through a socket. It ends when no connection and no open
 * file is left, when the client is gone, or when the listener is.
 */
#ifndef PROXYD_PROXY_H
#define PROXYD_PROXY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/data/file.h"
#include "sharedpc_abi.h"
#include "sharedpc_limits.h"

struct proxy {
	const char *config;	/* path of partitions.conf */
	char owner[SHAREDPC_NAME_MAX];
	char client[SHAREDPC_NAME_MAX];
	unsigned int image;	/* client's id */
	bool local;		/* client and owner are the same image */
	int control;		/* to the listener */
	int dev;		/* /dev/sharedpc that serves; -1 if local */
	const void *bounce;	/* the client's bounce buffers */
	int region_node;
	uint64_t reserve;	/* pages of the region to be left free */
	struct files files;
	pthread_mutex_t lock;	/* protects all below */
	unsigned int conns;	/* connections alive */
	pthread_cond_t fewer;	/* bytes */
	size_t bytes;		/* of requests with a worker */
};

#define PROXY_CONNS	LIMIT_CLIENT_CONNS	/* connections of one client */
#define PROXY_BYTES	(16u << 20)	/* of their requests at once, about */

/* What the listener and a proxy say to each other: */
#define PROXY_CONN	'c'	/* listener: a connection comes along (SCM_RIGHTS) */
/*
 * proxy: a uint32_t, the connections it has had: it has nothing left to do.
 * If that is all of them the listener closes its end, and the proxy ends.
 */

/* Send @conn along with PROXY_CONN, or -EAGAIN at once. 0 or -errno. */
int proxy_hand_over(int control, int conn);

/* Take connection @fd (taken over); one too many is closed. */
void proxy_conn_add(struct proxy *proxy, int fd);
/* Life of the proxy: everything of it set but dev and what follows. */
void proxy_run(struct proxy *proxy) __attribute__((noreturn));
/*
 * A request of @bytes is going to a worker; waits while too much is on the way.
 * To be followed by proxy_bytes_put().
 */
void proxy_bytes_get(struct proxy *proxy, size_t bytes);
void proxy_bytes_put(struct proxy *proxy, size_t bytes);
/* A connection's last word. */
void proxy_conn_gone(struct proxy *proxy);
/* A file was closed: see whether anything is left. */
void proxy_file_gone(struct proxy *proxy);
/* End the process; its files and maps go with it. */
void proxy_end(const char *why) __attribute__((noreturn));

#endif
