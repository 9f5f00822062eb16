/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * msg.h - one message of ccfs_proto.h: written, sent, received, read.
 *
 * A message that is written grows as needed and remembers a failure (no
 * memory, too long) until msg_send(), so that callers check once. A message
 * that is read has a cursor; every msg_get*() checks what is left and fails
 * with -EPROTO rather than reach outside, and msg_end() says whether all was
 * read. Not locked: a message belongs to one thread at a time.
 */
#ifndef LIB_MSG_H
#define LIB_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ccfs_proto.h"

struct msg {
	struct ccfs_header head;	/* received: checked; written: by msg_start */
	uint8_t *data;			/* body */
	size_t len;			/* bytes in it */
	size_t room;			/* allocated */
	size_t pos;			/* read so far */
	int error;			/* of writing, 0 or -errno */
};

/* An empty message of @op; any earlier content is dropped, memory kept. */
void msg_start(struct msg *m, unsigned int op, uint64_t id, uint64_t node);
void msg_free(struct msg *m);

void msg_put(struct msg *m, const void *p, size_t len);
/* A string: its length and its bytes. */
void msg_put_str(struct msg *m, const void *p, size_t len);
/* Room for @len bytes at the end, to be filled by the caller; NULL: none. */
void *msg_put_room(struct msg *m, size_t len);
/* Give back the last @len bytes of such room. */
void msg_shrink(struct msg *m, size_t len);

int msg_get(struct msg *m, void *p, size_t len);
/* @len bytes inside the message, valid until it is started or freed. */
int msg_get_data(struct msg *m, size_t len, const void **p);
/*
 * A string of 0 to @max bytes without NUL: allocated, NUL-terminated, to be
 * freed by the caller. -EPROTO, -ENOMEM.
 */
int msg_get_str(struct msg *m, size_t max, char **s);
/*
 * A name in a directory into @name: 1 to CCFS_NAME_MAX bytes, no '/', neither
 * "." nor "..".
 */
int msg_get_name(struct msg *m, char name[CCFS_NAME_MAX + 1]);
/* The caller and its groups (allocated, NULL if none; free() it). */
int msg_get_cred(struct msg *m, struct ccfs_cred *cred, uint32_t **groups);
/* The same, of which nothing is wanted. */
int msg_skip_cred(struct msg *m);
/*
 * A message in memory, that is not its own.  In: a copy of the @len bytes at @from, checked
 * after it was made.  0, -EPROTO, -ENOMEM.  Out: its bytes at @to, which has @room.
 * -EMSGSIZE.
 */
int msg_copy_in(struct msg *m, const void *from, size_t len);
ssize_t msg_copy_out(const struct msg *m, void *to, size_t room);
/*
 * The same in place: room for @room bytes of body at m->data, 0 or -ENOMEM; and then m->head
 * and @len bytes there are a message that somebody has put there. 0 or -EPROTO.
 */
int msg_make_room(struct msg *m, size_t room);
int msg_take_over(struct msg *m, size_t len);

/* 0 when everything was read, else -EPROTO. */
int msg_end(const struct msg *m);

/*
 * Send @m on stream @fd in one piece. Several threads on one socket: the
 * caller locks. 0, m->error, or -errno of the socket.
 */
int msg_send(int fd, const struct msg *m);
/*
 * Receive one message into @m. 0; -ENOTCONN at the end of the stream between
 * messages; -EPROTO malformed; -errno of the socket.
 */
int msg_recv(int fd, struct msg *m);

#endif
