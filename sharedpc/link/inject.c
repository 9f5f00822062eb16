// SPDX-License-Identifier: GPL-2.0-only
/*
 * inject.c - messages that get lost, come late, come twice or are spoilt, for tests
 *
 * Each type is armed by itself.  While none is, a look at one word is all that it costs.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/hash.h>
#include "link/inject.h"

static struct {
	u32 what;
	atomic_t left;
	unsigned long hit;	/* a bit for each hash of a key */
} armed[INJECT_TYPES];
static atomic_t any;		/* messages, of all types */

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

enum inject_what inject_now(u32 type, u32 key)
{
	if (likely(!atomic_read(&any)) || type >= INJECT_TYPES ||
	    !atomic_read(&armed[type].left))
		return INJECT_NOTHING;
	if (READ_ONCE(armed[type].what) != INJECT_CUT &&
	    test_and_change_bit(hash_32(key, 6), &armed[type].hit))
		return INJECT_NOTHING;
	if (!atomic_add_unless(&armed[type].left, -1, 0))
		return INJECT_NOTHING;
	atomic_dec(&any);
	return READ_ONCE(armed[type].what);
}
