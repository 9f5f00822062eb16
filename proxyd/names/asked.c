// SPDX-License-Identifier: GPL-2.0-only
/*
 * asked.c - requests that come through sharedpc.ko: NAME (sharedpc_ioctl.h).
 *
 * The request lies in the client's bounce buffers, which the client can write to at any
 * time: it is copied, and the copy is checked. Its answer goes to the same place.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#include "proxyd/data/proxy.h"
#include "proxyd/life/log.h"
#include "proxyd/names/asked.h"
#include "proxyd/names/conn.h"
#include "sharedpc_ioctl.h"

static int reply(struct proxy *proxy, uint32_t slot, ssize_t n)
{
	struct sharedpc_reply reply = {
		.slot = slot,
		.error = n < 0 ? n : 0,
		.result = n < 0 ? 0 : n,
	};

	if (!ioctl(proxy->dev, SHAREDPC_IOC_REPLY, &reply))
		return 0;
	if (errno != ESTALE)	/* the client's kernel has ended */
		log_say("reply to request %u: %s", slot, strerror(errno));
	return -errno;
}

/* The mount's stream has ended, whether its reader has seen that or not. */
static bool is_over(const struct conn *conn)
{
	struct pollfd p = { .fd = conn->fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0;
}

int asked_answer(struct request *req)
{
	const struct sharedpc_call *call = req->call;
	struct proxy *proxy = req->conn->proxy;
	char *at = (char *)proxy->bounce + call->data;
	ssize_t n = msg_copy_out(&req->out, at, call->pos);
	int ret;

	/* Whoever asked is gone, and with him who would close it. */
	if (req->opened && is_over(req->conn))
		n = -ENOTCONN;
	ret = reply(proxy, call->slot, n);
	return n < 0 ? n : ret;
}

/* The module has looked at the numbers: here they are only compared. */
static bool fits(const struct sharedpc_call *call)
{
	const uint64_t all = SHAREDPC_BOUNCES * SHAREDPC_BOUNCE_SIZE;

	return call->count <= call->pos && call->pos <= all &&
	       call->data <= all - call->pos;
}

void asked(struct proxy *proxy, const struct sharedpc_call *call)
{
	struct request req = { .call = call };
	int ret = -EINVAL;

	req.conn = conn_get(proxy, call->file);
	if (req.conn && fits(call))
		ret = msg_copy_in(&req.in, (char *)proxy->bounce + call->data, call->count);
	if (ret) {
		msg_free(&req.in);
		reply(proxy, call->slot, req.conn ? ret : -ESTALE);
	} else {
		req.room = call->pos;
		request_run(&req);
	}
	if (req.conn)
		conn_put(req.conn);
}
