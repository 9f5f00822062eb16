// SPDX-License-Identifier: GPL-2.0-only
/*
 * msg.c - one message of ccfs_proto.h: written, sent, received, read.
 *
 * The only place that knows how fields follow each other on the wire. A
 * length that a peer claims is compared with what is really there before it
 * is used for anything, memory included: a body is allocated only after the
 * header has been checked, and never above CCFS_MSG_MAX.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "msg.h"

#define BODY_MAX	(CCFS_MSG_MAX - sizeof(struct ccfs_header))
#define ROOM_MIN	512

void msg_start(struct msg *m, unsigned int op, uint64_t id, uint64_t node)
{
	m->head = (struct ccfs_header) {
		.magic = CCFS_MAGIC, .op = op, .id = id, .node = node,
	};
	m->len = 0;
	m->pos = 0;
	m->error = 0;
}

void msg_free(struct msg *m)
{
	free(m->data);
	*m = (struct msg) { 0 };
}

int msg_make_room(struct msg *m, size_t room)
{
	uint8_t *data;

	if (room <= m->room)
		return 0;
	if (room < ROOM_MIN)
		room = ROOM_MIN;
	data = realloc(m->data, room);
	if (!data)
		return -ENOMEM;
	m->data = data;
	m->room = room;
	return 0;
}

void *msg_put_room(struct msg *m, size_t len)
{
	size_t want;
	void *p;

	if (m->error)
		return NULL;
	if (len > BODY_MAX - m->len) {
		m->error = -EMSGSIZE;
		return NULL;
	}
	want = m->len + len;
	if (want > m->room)
		m->error = msg_make_room(m, want < 2 * m->room ? 2 * m->room : want);
	if (m->error)
		return NULL;
	p = m->data + m->len;
	m->len = want;
	return p;
}

void msg_shrink(struct msg *m, size_t len)
{
	m->len -= len < m->len ? len : m->len;
}

void msg_put(struct msg *m, const void *p, size_t len)
{
	void *to = msg_put_room(m, len);

	if (to && len)
		memcpy(to, p, len);
}

void msg_put_str(struct msg *m, const void *p, size_t len)
{
	uint32_t n = len;

	if (len > BODY_MAX) {
		m->error = -EMSGSIZE;
		return;
	}
	msg_put(m, &n, sizeof(n));
	msg_put(m, p, len);
}

int msg_get_data(struct msg *m, size_t len, const void **p)
{
	if (len > m->len - m->pos)
		return -EPROTO;
	*p = len ? m->data + m->pos : (const void *)"";
	m->pos += len;
	return 0;
}

int msg_get(struct msg *m, void *p, size_t len)
{
	const void *from;
	int ret = msg_get_data(m, len, &from);

	if (!ret)
		memcpy(p, from, len);
	return ret;
}

int msg_get_str(struct msg *m, size_t max, char **s)
{
	const void *from;
	uint32_t len;
	int ret;

	ret = msg_get(m, &len, sizeof(len));
	if (ret)
		return ret;
	if (len > max)
		return -EPROTO;
	ret = msg_get_data(m, len, &from);
	if (ret)
		return ret;
	if (memchr(from, 0, len))
		return -EPROTO;
	*s = malloc(len + 1);
	if (!*s)
		return -ENOMEM;
	memcpy(*s, from, len);
	(*s)[len] = 0;
	return 0;
}

int msg_get_name(struct msg *m, char name[CCFS_NAME_MAX + 1])
{
	uint32_t len;
	int ret;

	ret = msg_get(m, &len, sizeof(len));
	if (ret)
		return ret;
	if (!len || len > CCFS_NAME_MAX)
		return -EPROTO;
	ret = msg_get(m, name, len);
	if (ret)
		return ret;
	name[len] = 0;
	if (memchr(name, 0, len) || memchr(name, '/', len) ||
	    !strcmp(name, ".") || !strcmp(name, ".."))
		return -EPROTO;
	return 0;
}

int msg_get_cred(struct msg *m, struct ccfs_cred *cred, uint32_t **groups)
{
	size_t bytes;
	const void *from;
	int ret;

	*groups = NULL;
	ret = msg_get(m, cred, sizeof(*cred));
	if (ret)
		return ret;
	if (cred->ngroups > CCFS_GROUPS_MAX || cred->umask > 07777)
		return -EPROTO;
	if (cred->uid == UINT32_MAX || cred->gid == UINT32_MAX)
		return -EPROTO;		/* means "leave it" to the kernel */
	bytes = cred->ngroups * sizeof(uint32_t);
	ret = msg_get_data(m, bytes, &from);
	if (ret || !bytes)
		return ret;
	*groups = malloc(bytes);
	if (!*groups)
		return -ENOMEM;
	memcpy(*groups, from, bytes);
	return 0;
}

int msg_end(const struct msg *m)
{
	return m->pos == m->len ? 0 : -EPROTO;
}

/* What can be said of a message by its header alone. */
static bool head_valid(const struct ccfs_header *head)
{
	return head->magic == CCFS_MAGIC && !head->reserved &&
	       head->len >= sizeof(*head) && head->len <= CCFS_MSG_MAX &&
	       head->op && head->op < CCFS_OPS && head->id &&
	       head->error <= 0 && head->error >= -4095;
}

int msg_take_over(struct msg *m, size_t len)
{
	m->pos = 0;
	m->error = 0;
	m->len = 0;
	if (!head_valid(&m->head) || m->head.len != sizeof(m->head) + len)
		return -EPROTO;
	m->len = len;
	return 0;
}

int msg_copy_in(struct msg *m, const void *from, size_t len)
{
	int ret;

	if (len < sizeof(m->head) || len > CCFS_MSG_MAX)
		return -EPROTO;
	len -= sizeof(m->head);
	ret = msg_make_room(m, len);
	if (ret)
		return ret;
	memcpy(&m->head, from, sizeof(m->head));
	if (len)
		memcpy(m->data, (const uint8_t *)from + sizeof(m->head), len);
	return msg_take_over(m, len);
}

ssize_t msg_copy_out(const struct msg *m, void *to, size_t room)
{
	struct ccfs_header head = m->head;

	if (m->error)
		return m->error;
	head.len = sizeof(head) + m->len;
	if (head.len > room)
		return -EMSGSIZE;
	memcpy(to, &head, sizeof(head));
	if (m->len)
		memcpy((uint8_t *)to + sizeof(head), m->data, m->len);
	return head.len;
}

int msg_send(int fd, const struct msg *m)
{
	struct ccfs_header head = m->head;
	struct iovec iov[2] = {
		{ .iov_base = &head, .iov_len = sizeof(head) },
		{ .iov_base = m->data, .iov_len = m->len },
	};
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	if (m->error)
		return m->error;
	head.len = sizeof(head) + m->len;
	while (mh.msg_iovlen) {
		n = sendmsg(fd, &mh, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		while (mh.msg_iovlen && (size_t)n >= mh.msg_iov->iov_len) {
			n -= mh.msg_iov->iov_len;
			mh.msg_iov++;
			mh.msg_iovlen--;
		}
		if (mh.msg_iovlen) {
			mh.msg_iov->iov_base = (char *)mh.msg_iov->iov_base + n;
			mh.msg_iov->iov_len -= n;
		}
	}
	return 0;
}

/* Exactly @len bytes. @first: an end of the stream before them is in order. */
static int stream_read(int fd, void *p, size_t len, bool first)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = recv(fd, (char *)p + done, len - done, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return first && !done ? -ENOTCONN : -EPROTO;
		done += n;
	}
	return 0;
}

int msg_recv(int fd, struct msg *m)
{
	int ret;

	msg_start(m, 0, 0, 0);
	ret = stream_read(fd, &m->head, sizeof(m->head), true);
	if (ret)
		return ret;
	if (!head_valid(&m->head))
		return -EPROTO;
	m->len = m->head.len - sizeof(m->head);
	ret = msg_make_room(m, m->len);
	if (!ret && m->len)
		ret = stream_read(fd, m->data, m->len, false);
	if (ret)
		m->len = 0;
	return ret;
}

int msg_skip_cred(struct msg *m)
{
	struct ccfs_cred cred;
	uint32_t *groups;
	int ret = msg_get_cred(m, &cred, &groups);

	free(groups);
	return ret;
}
