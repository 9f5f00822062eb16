// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops-watch.c - what the client watches: this kernel reports what happens to it
 * (sharedpc_ioctl.h).
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "proxyd/life/log.h"
#include "proxyd/names/ops.h"
#include "proxyd/names/watches.h"
#include "sharedpc_ioctl.h"

int request_watch(struct request *req)
{
	struct conn *conn = req->conn;
	struct ccfs_watch watch;
	struct sharedpc_report report;
	int ret = msg_get(&req->in, &watch, sizeof(watch));

	if (!ret)
		ret = msg_end(&req->in);
	if (ret)
		return ret;
	if (watch.serial == UINT64_MAX)		/* watches_drop()'s */
		return -EPROTO;
	if (conn->words.dev < 0)
		return -EOPNOTSUPP;
	report = (struct sharedpc_report) {
		.fd = req->node->fd, .mask = watch.mask, .node = req->node->id,
		.serial = watch.serial,
	};
	/* First: who lets go of the node takes it back. */
	node_watched(&conn->nodes, req->node);
	return ioctl(conn->words.dev, SHAREDPC_IOC_REPORT, &report) ? -errno : 0;
}

void watches_drop(void *conn, uint64_t node)
{
	const struct conn *c = conn;
	struct sharedpc_report report = { .fd = -1, .node = node, .serial = UINT64_MAX };

	if (c->words.dev >= 0 && ioctl(c->words.dev, SHAREDPC_IOC_REPORT, &report))
		log_say("node %llu is still watched: %m", (unsigned long long)node);
}

int watches_take(const struct conn *conn, struct msg *out)
{
	struct sharedpc_events events = { .room = CCFS_EVENTS_MAX };
	void *room = msg_put_room(out, CCFS_EVENTS_MAX);

	if (!room)
		return -ENOMEM;
	events.events = (uintptr_t)room;
	if (ioctl(conn->words.dev, SHAREDPC_IOC_EVENTS, &events))
		return -errno;
	msg_shrink(out, CCFS_EVENTS_MAX - events.bytes);
	return events.bytes;
}
