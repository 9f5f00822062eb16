/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stream.h - messages over a stream socket, for ccfs and proxyd
 *
 * A message begins with its length, a u32 that counts itself.  stream_recv()
 * trusts nothing: the length is checked before memory is allocated, and
 * struct cursor is the only way into what came, so that nobody reads past the
 * end.  Also here: how a client reaches a service of another image.
 *
 * No locks: one thread at a time receives on a socket, and one sends.
 */
#ifndef LIB_STREAM_H
#define LIB_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * Receive one message of at least @min and at most @max bytes into *@msg
 * (malloc'ed, 16-byte aligned, the caller frees it).  Its length, or
 * -ECONNRESET the peer closed, -EPROTO a length out of range, -errno else.
 */
int stream_recv(int fd, uint32_t min, uint32_t max, void **msg);

/* Send all of @iov (which is changed).  0 or -errno; no SIGPIPE. */
int stream_send(int fd, struct iovec *iov, int n);

/*
 * Connect to @port of the image with CID @cid, from a reserved port (below
 * 1024: only root gets one, and proxyd talks to no other).  Waits at most
 * @timeout_ms.  The socket (blocking, close-on-exec), or -errno.
 */
int stream_connect(uint32_t cid, uint32_t port, int timeout_ms);

/* What is left of a message. */
struct cursor {
	const char *p;
	size_t left;		/* bytes */
};

/* The next @size bytes, or NULL when there are fewer. */
const void *cursor_take(struct cursor *c, size_t size);

/*
 * The next string: at most @max bytes without its NUL.  -EPROTO no NUL,
 * -ENAMETOOLONG longer than @max (and skipped).
 */
int cursor_string(struct cursor *c, size_t max, const char **s);

#endif
