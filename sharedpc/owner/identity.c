// SPDX-License-Identifier: GPL-2.0-only
/*
 * identity.c - which file it is, for all images
 *
 * An inode in memory has a number of its own, which Linux gives it when a futex in a
 * mapping of it is first used, and never again to another: i_sequence.  That is what a
 * file is known by here, too.  One that has none yet gets one of ours, from a half of the
 * numbers that Linux does not come to.
 *
 * A server holds the inode, from SIZE to the end of the client's last open: so the
 * number stays with the file for as long as any image has it open.
 */
#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include "owner/server.h"

#define OURS	BIT_ULL(63)

static atomic64_t last;

u64 identity_of(struct inode *inode)
{
	u64 ours, old = atomic64_read(&inode->i_sequence);

	if (old)
		return old;
	ours = atomic64_inc_return(&last);
	old = atomic64_cmpxchg(&inode->i_sequence, 0, ours);
	return old ?: ours;
}

/* An inode may have a number of an earlier load of this module: time is ahead of those. */
void identity_init(void)
{
	atomic64_set(&last, OURS | ktime_get_boottime_ns());
}
