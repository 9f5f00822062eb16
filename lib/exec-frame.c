// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames of the exec protocol: reading with bounds checks, writing with a
 * queue. See lib/exec-frame.h for the interface.
 *
 * A header counts only if all its fields are right, so that a resynchronising
 * reader is not misled by four bytes that look like the magic.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "exec-frame.h"

static bool type_known(uint16_t type)
{
	return (type >= CCEXEC_PREP && type <= CCEXEC_PING) ||
	       (type >= CCEXEC_STARTED && type <= CCEXEC_ERROR);
}

static bool header_valid(const struct exec_reader *r, const struct ccexec_header *h)
{
	return le32toh(h->magic) == CCEXEC_MAGIC &&
	       le16toh(h->revision) == CCEXEC_REVISION &&
	       type_known(le16toh(h->type)) &&
	       le32toh(h->length) <= CCEXEC_MAX_DATA && !h->reserved &&
	       h->session && (!r->session || le64toh(h->session) == r->session);
}

static void reader_skip(struct exec_reader *r, size_t n)
{
	r->have -= n;
	memmove(r->buf, r->buf + n, r->have);
}

int exec_reader_fill(struct exec_reader *r, int fd)
{
	ssize_t n;

	if (r->have == sizeof(r->buf))
		return -EAGAIN;
	do {
		n = read(fd, r->buf + r->have, sizeof(r->buf) - r->have);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	r->have += n;
	return n;
}

int exec_reader_next(struct exec_reader *r, struct exec_frame *f)
{
	struct ccexec_header h;
	size_t at = 0;

	for (;; at++) {
		if (r->have - at < sizeof(h))
			break;
		memcpy(&h, r->buf + at, sizeof(h));
		if (header_valid(r, &h))
			break;
		if (!r->resync)
			return -EPROTO;
	}
	if (at)
		reader_skip(r, at);
	if (r->have < sizeof(h))
		return 0;

	f->type = le16toh(h.type);
	f->length = le32toh(h.length);
	f->session = le64toh(h.session);
	f->data = r->buf + sizeof(h);
	return r->have - sizeof(h) >= f->length;
}

void exec_reader_drop(struct exec_reader *r, const struct exec_frame *f)
{
	reader_skip(r, sizeof(struct ccexec_header) + f->length);
}

bool exec_queue_fits(const struct exec_queue *q, size_t length)
{
	return sizeof(q->buf) - q->have >= sizeof(struct ccexec_header) + length;
}

int exec_queue_frame(struct exec_queue *q, uint64_t session, uint16_t type,
		     const void *data, size_t length)
{
	struct ccexec_header h = {
		.magic = htole32(CCEXEC_MAGIC),
		.revision = htole16(CCEXEC_REVISION),
		.type = htole16(type),
		.session = htole64(session),
		.length = htole32(length),
	};

	if (length > CCEXEC_MAX_DATA || !exec_queue_fits(q, length))
		return -ENOBUFS;
	memcpy(q->buf + q->have, &h, sizeof(h));
	if (length)
		memcpy(q->buf + q->have + sizeof(h), data, length);
	q->have += sizeof(h) + length;
	return 0;
}

int exec_queue_pad(struct exec_queue *q, size_t length)
{
	if (sizeof(q->buf) - q->have < length)
		return -ENOBUFS;
	memset(q->buf + q->have, 0, length);
	q->have += length;
	return 0;
}

int exec_queue_flush(struct exec_queue *q, int fd)
{
	ssize_t n;

	while (q->have) {
		n = write(fd, q->buf, q->have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		q->have -= n;
		memmove(q->buf, q->buf + n, q->have);
	}
	return 0;
}

int exec_set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	return 0;
}

void exec_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
