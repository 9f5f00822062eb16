/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ask.h - requests to a proxy, of ccfs and of this kernel
 */
#ifndef ASK_H
#define ASK_H

#include "client/session.h"

/* Room for a request, and then for its answer: bounce buffers side by side. */
struct ask {
	struct session *session;
	void *at;
	size_t room;		/* bytes */
	int first;		/* the buffers; -1: none any more */
	u32 nr;
	u32 call;		/* after -EINTR: what call_open() knows it by */
};

/* @bytes of room, or as many as there are.  -EBUSY: none now; -ENOTCONN. */
int ask_begin(struct ask *a, struct session *s, size_t bytes);
/*
 * The request of @bytes that lies there is asked of the server, for its mount @mount.
 * Waits until it is answered, or a fatal signal (-EINTR), or *@left (-ENOTCONN, within
 * a second).  Bytes of the answer, which lies in the same place and may change there at
 * any time; -EBUSY: it was not asked; -ENOTCONN; the server's error.
 */
ssize_t ask_send(struct ask *a, u64 mount, size_t bytes, const bool *left);
/* In any case. */
void ask_end(struct ask *a);

/* @ask as in ASK, which see; ends early when *@left is set. */
int ask_run(struct session *s, struct sharedpc_ask *ask, const bool *left);

#endif
