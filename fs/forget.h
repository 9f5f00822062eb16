/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * forget.h - nodes that nobody needs any more, on their way to the owner
 *
 * Nobody waits for a FORGET, and an image that removes files has many of them.  So they
 * are sent together, FORGET_DELAY_MS after the first of them at the latest.
 */
#ifndef CCFS_FORGET_H
#define CCFS_FORGET_H

#include <pthread.h>
#include <stddef.h>

#include "ccfs_proto.h"

#define FORGET_DELAY_MS	20
#define FORGETS		1024

struct conn;

struct forgets {
	struct conn *conn;
	pthread_mutex_t lock;		/* all below */
	pthread_cond_t change;		/* the first has come, it is full, it is empty */
	struct ccfs_forget list[FORGETS];
	size_t n;
};

/* Start the thread that sends them, detached; it lives as long as the process. 0, -errno. */
int forgets_start(struct forgets *f, struct conn *c);
/* Answers that showed these nodes are no longer needed. Waits while there are FORGETS. */
void forgets_add(struct forgets *f, const struct ccfs_forget *list, size_t n);

#endif
