/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire.h - messages from one image to another, for tests of what is said: in order, but
 * some get lost
 */
#ifndef WIRE_H
#define WIRE_H

#include <pthread.h>
#include "sharedpc_wire.h"
#include "kernel.h"

#define WIRE_MAX	256

struct wire {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	struct sharedpc_frames f[WIRE_MAX];
	u32 nr[WIRE_MAX];	/* frames */
	u32 head, tail;
	u32 room;		/* messages; 0: WIRE_MAX */
	u64 hit;		/* a bit for each hash of a message that got lost */
};

#define WIRE_INIT { .mutex = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER }

extern u32 wire_lossy;		/* one of so many messages gets lost; 0: none */
extern u64 wire_lost;		/* so many did */

/* 0, or -EAGAIN: it is full.  Does not sleep. */
int wire_push(struct wire *w, const struct sharedpc_msg *msg, const void *body, u32 body_len);
/* The same, but waits for room, which who is slow to take them makes: -EAGAIN after 20 s. */
int wire_push_wait(struct wire *w, const struct sharedpc_msg *msg, const void *body,
		   u32 body_len);
/* As wire_push, but it may get lost; what is said again does not. */
int wire_send(struct wire *w, const struct sharedpc_msg *msg, const void *body, u32 body_len);
/* The oldest, with its frames; waits for one, but not long.  False: there is none. */
bool wire_pop(struct wire *w, struct sharedpc_frames *f, u32 *nr);

#endif
