/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doubt.h - questions about locks, and what is done when nobody knows how one ended
 */
#ifndef DOUBT_H
#define DOUBT_H

#include <linux/filelock.h>
#include <linux/fs.h>
#include "ccfs_proto.h"

/* What @fl says, to the owner, for whom it knows as @name. */
struct ccfs_lock doubt_wanted(const struct file_lock *fl, enum ccfs_lock_what what, u64 name);

/*
 * Ask, and again while there is no room for a question; *@lock becomes the answer.  0 or
 * -errno.  In doubt: -EINTR: what has been asked may still be done, while *@call (if not 0)
 * is open; -ETIMEDOUT: it may have been.
 */
int doubt_ask(struct inode *inode, struct ccfs_lock *lock, u32 *call);

/* Wait until nothing of his, on that mount, is in doubt.  0 or -EINTR: killed. */
int doubt_settle(const struct inode *inode, const struct file_lock *fl);

/*
 * What @asked says may have been done, or will be while @call is open: what is not noted here
 * of that goes.  Takes his use of the name over.  Valid also where @file is being released.
 */
void doubt_begin(struct file *file, const struct file_lock *fl,
		 const struct ccfs_lock *asked, u32 call);

#endif
