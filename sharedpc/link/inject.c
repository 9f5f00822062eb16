// SPDX-License-Identifier: GPL-2.0-only
/*
 * inject.c - messages that get lost, come late, come twice or are spoilt, for tests
 *
 * Each type is armed by itself.  While none is, a look at one word is all that it costs.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/spinlock.h>
#include "link/inject.h"

#define HITS		128	/* more than messages that wait to be said again */

static struct {
	u32 what;
	atomic_t left;
	u32 hit[HITS];		/* keys, not said again yet; 0: none.  hits_lock */
	u32 next;		/* .. in their order */
} armed[INJECT_TYPES];
static atomic_t any;		/* messages, of all types */
static DEFINE_SPINLOCK(hits_lock);

int inject_arm(u32 type, enum inject_what what, u32 count)
{
	if (type >= INJECT_TYPES || count > INT_MAX)
		return -EINVAL;
	atomic_sub(atomic_xchg(&armed[type].left, 0), &any);
	WRITE_ONCE(armed[type].what, what);
	atomic_add(count, &any);
	atomic_set(&armed[type].left, count);
	return 0;
}

u32 inject_left(u32 type)
{
	return type < INJECT_TYPES ? atomic_read(&armed[type].left) : 0;
}

/* Was the message of @key hit when it was said last?  It will not have been. */
static bool was_hit(u32 type, u32 key)
{
	bool was = false;
	u32 i;

	key = key ?: 1;
	spin_lock_bh(&hits_lock);
	for (i = 0; i < HITS && !was; i++) {
		was = armed[type].hit[i] == key;
		if (was)
			armed[type].hit[i] = 0;
	}
	if (!was)
		armed[type].hit[armed[type].next++ % HITS] = key;
	spin_unlock_bh(&hits_lock);
	return was;
}

enum inject_what inject_now(u32 type, u32 key)
{
	if (likely(!atomic_read(&any)) || type >= INJECT_TYPES ||
	    !atomic_read(&armed[type].left))
		return INJECT_NOTHING;
	if (READ_ONCE(armed[type].what) != INJECT_CUT && was_hit(type, key))
		return INJECT_NOTHING;
	if (!atomic_add_unless(&armed[type].left, -1, 0))
		return INJECT_NOTHING;
	atomic_dec(&any);
	return READ_ONCE(armed[type].what);
}
