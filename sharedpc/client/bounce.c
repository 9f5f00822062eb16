// SPDX-License-Identifier: GPL-2.0-only
/*
 * bounce.c - this image's bounce buffers: bytes on their way to an owner
 *
 * A writer takes buffers, fills them and hands them to call_run() with the WRITE.
 * From there on they are the call's: a caller may give up, but the owner may
 * still read the bytes, so a buffer is free again only when the answer has
 * come or the session has ended.
 *
 * A server that hangs keeps the buffers of the writes that it has.  So no session
 * gets more than half of all, and none gets a second one that a session which has none
 * could want, one that is yet to come too: whoever writes to a server that works finds
 * one.  Within a session writers take turns.
 *
 * Requests of ccfs go through buffers as well, which have the answers then.  They do not
 * wait for one, since they have another way, and leave some to the session's writers.
 *
 * Who wants several as one cannot have them while others' servers hang, or they lie
 * apart: he waits for a second, then takes what there is.
 */
#include <linux/bitmap.h>
#include <linux/jiffies.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "client/bounce.h"
#include "sharedpc_abi.h"
#include "sharedpc_limits.h"

#define PATIENCE	LIMIT_BOUNCE_S	/* seconds; other writers wait no longer for theirs */
#define WHOLE		LIMIT_BOUNCE_WHOLE_S	/* seconds; then in pieces */
#define MOST		(SHAREDPC_WRITE_MAX / SHAREDPC_BOUNCE_SIZE)
#define NAMES		(SHAREDPC_BOUNCES / 3)	/* of a session, by bounce_take */
#define SESSIONS	16	/* that find one, however many there are now */

static DEFINE_SPINLOCK(lock);		/* both below, and session.bounces */
static DECLARE_BITMAP(used, SHAREDPC_BOUNCES);
static u32 users;			/* sessions that have one */
static DECLARE_WAIT_QUEUE_HEAD(wait);

/* Sessions besides @s that have none. */
static u32 without(const struct session *s)
{
	u32 all = max(session_count(), SESSIONS), with = users + !s->bounces;

	return all > with ? all - with : 0;
}

/* Would @nr more for @s leave enough for the others? */
static bool may_have(const struct session *s, u32 nr)
{
	u32 left = SHAREDPC_BOUNCES - bitmap_weight(used, SHAREDPC_BOUNCES);

	if (nr == 1 && !s->bounces)
		return left;
	return s->bounces + nr <= SHAREDPC_BOUNCES / 2 && left >= nr + without(s);
}

static int take(struct session *s, u32 nr)
{
	unsigned long first;

	if (!may_have(s, nr))
		return -1;
	first = bitmap_find_next_zero_area(used, SHAREDPC_BOUNCES, 0, nr, 0);
	if (first >= SHAREDPC_BOUNCES)
		return -1;
	bitmap_set(used, first, nr);
	users += !s->bounces;
	s->bounces += nr;
	return first;
}

void bounce_wake(void)
{
	wake_up_all(&wait);
}

/* One that waits: it is tried when it is the first. */
struct waiter {
	struct list_head node;		/* in session.bounce_waiters */
	u32 want;
};

static int bounce_try(struct session *s, struct waiter *w, bool whole, u32 *nr)
{
	int first = -1;

	spin_lock_bh(&lock);
	if (!list_is_first(&w->node, &s->bounce_waiters))
		goto unlock;
	for (*nr = w->want; *nr && first < 0; *nr -= first < 0) {
		first = take(s, *nr);
		if (whole)
			break;
	}
unlock:
	spin_unlock_bh(&lock);
	return first;
}

/* Left, as of wait_event; 0: the time is over. */
static long bounce_wait(struct session *s, struct waiter *w, bool whole, u32 *nr,
			int *first, long time)
{
	return wait_event_killable_timeout(wait,
					   (*first = bounce_try(s, w, whole, nr)) >= 0 ||
					   !session_alive(s), time);
}

int bounce_get(struct session *s, size_t bytes, bool whole, u32 *nr)
{
	struct waiter w = {
		.want = min_t(size_t, DIV_ROUND_UP(bytes, SHAREDPC_BOUNCE_SIZE), MOST),
	};
	int first = -1;
	long left = 0;

	spin_lock_bh(&lock);
	list_add_tail(&w.node, &s->bounce_waiters);
	spin_unlock_bh(&lock);
	if (whole)
		left = bounce_wait(s, &w, true, nr, &first, WHOLE * HZ);
	if (!left)
		left = bounce_wait(s, &w, false, nr, &first, PATIENCE * HZ);
	spin_lock_bh(&lock);
	list_del(&w.node);
	spin_unlock_bh(&lock);
	bounce_wake();		/* it is the next one's turn */
	if (first >= 0)
		return first;
	return left < 0 ? -EINTR : left ? -EIO : -ETIMEDOUT;
}

int bounce_take(struct session *s, size_t bytes, u32 *nr)
{
	int first = -1;

	spin_lock_bh(&lock);
	*nr = min_t(size_t, DIV_ROUND_UP(bytes, SHAREDPC_BOUNCE_SIZE), NAMES);
	/* Those that wait come first, and find something. */
	if (!list_empty(&s->bounce_waiters) || s->bounces >= NAMES)
		*nr = 0;
	for (*nr = min(*nr, NAMES - s->bounces); *nr && first < 0; *nr -= first < 0)
		first = take(s, *nr);
	spin_unlock_bh(&lock);
	return first;
}

u32 bounce_count(void)
{
	return bitmap_weight(used, SHAREDPC_BOUNCES);
}

void bounce_put(struct session *s, u32 first, u32 nr)
{
	if (!nr)
		return;
	spin_lock_bh(&lock);
	bitmap_clear(used, first, nr);
	s->bounces -= nr;
	users -= !s->bounces;
	spin_unlock_bh(&lock);
	wake_up_all(&wait);
}
