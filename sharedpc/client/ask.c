// SPDX-License-Identifier: GPL-2.0-only
/*
 * ask.c - requests of ccfs to a proxy
 *
 * A request goes into bounce buffers of this image, where the proxy reads it and leaves
 * its answer.  So it is copied once on each side and each way, by those whose it is, and
 * nobody stands between the thread that asks and the one that answers.
 */
#include <linux/uaccess.h>
#include "box/ctl.h"
#include "client/ask.h"
#include "client/bounce.h"
#include "client/call.h"

static int ask_fill(void *to, const struct sharedpc_ask *ask)
{
	if (copy_from_user(to, u64_to_user_ptr(ask->head), SHAREDPC_ASK_HEAD) ||
	    copy_from_user(to + SHAREDPC_ASK_HEAD, u64_to_user_ptr(ask->body), ask->len))
		return -EFAULT;
	return 0;
}

/* @bytes of answer are at @from.  What they mean, ccfs checks in its copy. */
static int ask_answer(const void *from, u64 bytes, struct sharedpc_ask *ask)
{
	u32 len = bytes - SHAREDPC_ASK_HEAD;

	if (len > ask->room)
		return -EMSGSIZE;
	if (copy_to_user(u64_to_user_ptr(ask->head), from, SHAREDPC_ASK_HEAD) ||
	    copy_to_user(u64_to_user_ptr(ask->body), from + SHAREDPC_ASK_HEAD, len))
		return -EFAULT;
	ask->len = len;
	return 0;
}

int ask_run(struct session *s, struct sharedpc_ask *ask, const bool *left)
{
	size_t bytes = SHAREDPC_ASK_HEAD + (size_t)ask->len;
	size_t room = max(bytes, SHAREDPC_ASK_HEAD + (size_t)ask->room);
	struct sharedpc_msg msg = {
		.type = SHAREDPC_OP_NAME, .file = ask->mount, .count = bytes,
	};
	int first, err;
	void *buf;
	u32 nr;

	first = bounce_take(s, room, &nr);
	if (first < 0)
		return session_alive(s) ? -EBUSY : -ENOTCONN;
	room = min(room, nr * SHAREDPC_BOUNCE_SIZE);
	buf = ctl_bounce(ctl_self, first);
	err = bytes > room ? -EMSGSIZE : ask_fill(buf, ask);
	if (err) {
		bounce_put(s, first, nr);
		return err;
	}
	msg.data = first * SHAREDPC_BOUNCE_SIZE;
	msg.pos = room;
	/* The buffers are the call's, and ours again if it succeeds. */
	err = call_name(s, &msg, left);
	if (err == -EIO)
		return -ENOTCONN;
	if (err)	/* -ETIMEDOUT: it was not even sent */
		return err == -ETIMEDOUT ? -EBUSY : err;
	err = msg.result < SHAREDPC_ASK_HEAD || msg.result > room ? -EIO :
		ask_answer(buf, msg.result, ask);
	bounce_put(s, first, nr);
	return err;
}
