/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames of include/ccexec.h on a non-blocking descriptor: a reader that
 * checks every header, and a queue of bytes on their way out.
 *
 * The reader returns pointers into its own buffer, valid until the frame is
 * dropped. What a frame contains was written by a peer: check lengths.
 */
#ifndef LIB_EXEC_FRAME_H
#define LIB_EXEC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ccexec.h"

#define EXEC_FRAME_MAX	(sizeof(struct ccexec_header) + CCEXEC_MAX_DATA)

struct exec_frame {
	uint16_t type;
	uint32_t length;
	uint64_t session;
	const unsigned char *data;
};

struct exec_reader {
	bool resync;		/* skip what is not a frame, else it is an error */
	uint64_t session;	/* take frames of this session only; 0: of any */
	size_t have;		/* bytes in buf */
	unsigned char buf[4 * EXEC_FRAME_MAX];
};

/* Bytes read, 0 at the end, -EAGAIN, another -errno. */
int exec_reader_fill(struct exec_reader *r, int fd);

/* 1: *f is the next frame; 0: more bytes are needed; -EPROTO. */
int exec_reader_next(struct exec_reader *r, struct exec_frame *f);

/* Forget the frame that exec_reader_next() returned. */
void exec_reader_drop(struct exec_reader *r, const struct exec_frame *f);

struct exec_queue {
	size_t have;		/* bytes in buf */
	unsigned char buf[4 * EXEC_FRAME_MAX];
};

/* True if a frame with this many bytes of data fits. */
bool exec_queue_fits(const struct exec_queue *q, size_t length);

/* Append a frame; 0, or -ENOBUFS if it does not fit. */
int exec_queue_frame(struct exec_queue *q, uint64_t session, uint16_t type,
		     const void *data, size_t length);

/* Append zero bytes. 0 or -ENOBUFS. */
int exec_queue_pad(struct exec_queue *q, size_t length);

/* Write what the descriptor takes now. 0, or -errno; -EAGAIN counts as 0. */
int exec_queue_flush(struct exec_queue *q, int fd);

int exec_set_nonblock(int fd);

/* Close it if it is open, and make it -1. */
void exec_close_fd(int *fd);

#endif
