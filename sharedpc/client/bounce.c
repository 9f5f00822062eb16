// SPDX-License-Identifier: GPL-2.0-only
/*
 * bounce.c - this image's bounce buffers: bytes on their way to an owner
 *
 * A writer takes a buffer, fills it and hands it to call_run() with the WRITE.
 * From there on it is the call's: a caller may give up, but the owner may
 * still read the bytes, so the buffer is free again only when the answer has
 * come or the owner has gone.
 */
#include <linux/bitops.h>
#include <linux/jiffies.h>
#include <linux/wait.h>
#include "client/bounce.h"
#include "sharedpc_abi.h"
#include "sharedpc_limits.h"

#define PATIENCE	LIMIT_BOUNCE_S	/* seconds; other writers wait no longer for theirs */

static unsigned long used;
static DECLARE_WAIT_QUEUE_HEAD(wait);

static int bounce_try(void)
{
	int i;

	for (i = 0; i < SHAREDPC_BOUNCES; i++)
		if (!test_and_set_bit_lock(i, &used))
			return i;
	return -1;
}

int bounce_get(void)
{
	int i = -1;
	long left;

	left = wait_event_killable_timeout(wait, (i = bounce_try()) >= 0,
					   PATIENCE * HZ);
	if (i >= 0)
		return i;
	return left < 0 ? -EINTR : -ETIMEDOUT;
}

void bounce_put(int bounce)
{
	clear_bit_unlock(bounce, &used);
	wake_up(&wait);
}
