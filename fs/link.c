// SPDX-License-Identifier: GPL-2.0-only
/*
 * link.c - the way to a proxy through sharedpc.ko, see link.h
 *
 * An answer that turns out to be too long for the link is lost.  So only requests that can
 * be made again go there with an answer of unknown length.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "fs/link.h"
#include "sharedpc_ioctl.h"

#define LINK_MAX	SHAREDPC_BOUNCE_SIZE	/* bytes of a message, but for listings */
#define ROOM		1024	/* for the answers that have no string in them */

_Static_assert(SHAREDPC_ASK_HEAD == sizeof(struct ccfs_header), "header");

int link_join(struct link *l, const struct owner *o, uint64_t mount)
{
	struct sharedpc_join join = {
		.owner = o->id, .epoch = o->epoch, .server = o->server,
	};

	if (o->dev < 0 || o->id == o->self)
		return 0;
	if (ioctl(o->dev, SHAREDPC_IOC_JOIN, &join))
		return -errno;
	l->dev = o->dev;
	l->mount = mount;
	return 0;
}

void link_leave(const struct link *l)
{
	if (l->dev >= 0)
		ioctl(l->dev, SHAREDPC_IOC_LEAVE);
}

/* Bytes of body that the answer to @m may have. */
static size_t answer_room(const struct msg *m)
{
	size_t fixed = sizeof(struct ccfs_cred);
	struct ccfs_readdir readdir;
	struct ccfs_cred cred;
	uint32_t size;

	memcpy(&cred, m->data, sizeof(cred));
	fixed += cred.ngroups * sizeof(uint32_t);
	switch (m->head.op) {
	case CCFS_READLINK:
		return sizeof(uint32_t) + CCFS_PATH_MAX;
	case CCFS_READDIR:
		memcpy(&readdir, m->data + fixed, sizeof(readdir));
		return readdir.size;
	case CCFS_GETXATTR:
	case CCFS_LISTXATTR:
		memcpy(&size, m->data + fixed, sizeof(size));
		return sizeof(struct ccfs_count) + sizeof(uint32_t) + size;
	}
	return ROOM;
}

bool link_takes(const struct link *l, const struct msg *m)
{
	if (l->dev < 0 || m->head.op == CCFS_EVENTS || sizeof(m->head) + m->len > LINK_MAX)
		return false;
	return m->head.op == CCFS_READDIR || answer_room(m) + sizeof(m->head) <= LINK_MAX;
}

int link_ask(const struct link *l, struct msg *m)
{
	struct sharedpc_ask ask = { .mount = l->mount, .len = m->len };
	const struct ccfs_header head = m->head;
	const size_t len = m->len;
	int ret;

	ask.room = answer_room(m);
	ret = msg_make_room(m, ask.room);
	if (ret)
		return ret;
	m->head.len = sizeof(m->head) + m->len;
	ask.head = (uintptr_t)&m->head;
	ask.body = (uintptr_t)m->data;
	ret = ioctl(l->dev, SHAREDPC_IOC_ASK, &ask) ? -errno : 0;
	if (!ret)
		ret = msg_take_over(m, ask.len);
	if (!ret && m->head.id != head.id)
		ret = -EPROTO;
	if (ret == -EBUSY || ret == -EMSGSIZE) {
		m->head = head;
		m->len = len;
		return 1;
	}
	return ret;
}
