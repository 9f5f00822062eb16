// SPDX-License-Identifier: GPL-2.0-only
/*
 * echo.c - a message there and back, for measuring
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include "link/echo.h"
#include "link/peer.h"

#define PATIENCE_US	1000000	/* then it is lost */

static DEFINE_MUTEX(running);		/* all below, but done from the soft interrupt */
static u32 serial, image_asked;
static DECLARE_COMPLETION(done);

void echo_asked(u32 image, const struct sharedpc_msg *msg)
{
	struct sharedpc_msg back = { .type = SHAREDPC_MSG_ECHOED, .slot = msg->slot };

	peer_send(image, &back, NULL, 0);
}

void echo_answered(u32 image, const struct sharedpc_msg *msg)
{
	if (image == READ_ONCE(image_asked) && msg->slot == READ_ONCE(serial))
		complete(&done);
}

static bool is_done(void *unused)
{
	return completion_done(&done);
}

static bool never(void *unused)
{
	return signal_pending(current);
}

s64 echo_run(u32 image, bool spin)
{
	struct sharedpc_msg msg = { .type = SHAREDPC_MSG_ECHO };
	u64 begin;
	s64 err;

	mutex_lock(&running);
	reinit_completion(&done);
	WRITE_ONCE(image_asked, image);
	WRITE_ONCE(serial, serial + 1);
	msg.slot = serial;
	begin = ktime_get_ns();
	err = peer_send(image, &msg, NULL, 0);
	if (!err && spin)
		peer_spin_for(PATIENCE_US, is_done, NULL);
	if (!err && !wait_for_completion_timeout(&done, usecs_to_jiffies(PATIENCE_US)))
		err = -ETIMEDOUT;
	if (!err)
		err = ktime_get_ns() - begin;
	mutex_unlock(&running);
	return err;
}

void echo_listen(u32 ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);

	while (time_before(jiffies, end) && !signal_pending(current)) {
		peer_spin_for(PATIENCE_US / 100, never, NULL);
		cond_resched();
	}
}
