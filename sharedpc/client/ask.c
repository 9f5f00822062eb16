// SPDX-License-Identifier: GPL-2.0-only
/*
 * ask.c - requests to a proxy, of ccfs and of this kernel
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

int ask_begin(struct ask *a, struct session *s, size_t bytes)
{
	a->session = s;
	a->first = bounce_take(s, bytes, &a->nr);
	if (a->first < 0)
		return session_alive(s) ? -EBUSY : -ENOTCONN;
	a->room = min(bytes, a->nr * SHAREDPC_BOUNCE_SIZE);
	a->at = ctl_bounce(ctl_self, a->first);
	return 0;
}

ssize_t ask_send(struct ask *a, u64 mount, size_t bytes, const bool *left)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_OP_NAME, .file = mount, .count = bytes,
		.data = a->first * SHAREDPC_BOUNCE_SIZE, .pos = a->room,
	};
	int err;

	/* The buffers are the call's, and ours again if it succeeds. */
	err = call_name(a->session, &msg, left);
	a->call = msg.slot;
	if (err)
		a->first = -1;
	if (err == -EIO)
		return -ENOTCONN;
	if (err)	/* -ETIMEDOUT: it was not even sent */
		return err == -ETIMEDOUT ? -EBUSY : err;
	return msg.result < SHAREDPC_ASK_HEAD || msg.result > a->room ? -EIO : msg.result;
}

void ask_end(struct ask *a)
{
	if (a->first >= 0)
		bounce_put(a->session, a->first, a->nr);
}

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
	struct ask a;
	ssize_t ret;

	ret = ask_begin(&a, s, max(bytes, SHAREDPC_ASK_HEAD + (size_t)ask->room));
	if (ret)
		return ret;
	ret = bytes > a.room ? -EMSGSIZE : ask_fill(a.at, ask);
	if (!ret)
		ret = ask_send(&a, ask->mount, bytes, left);
	if (ret > 0)
		ret = ask_answer(a.at, ret, ask);
	ask_end(&a);
	return ret;
}
