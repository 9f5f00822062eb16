/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hear.h - what others do to files that are watched here
 *
 * sharedpc.ko knows what is watched (inotify and its like) and tells the owner.  When it has
 * done so for the first time a thread asks the owner, again and again, what has happened, and
 * has sharedpc.ko raise that here.
 */
#ifndef CCFS_HEAR_H
#define CCFS_HEAR_H

#include "fs/attach.h"
#include "fs/conn.h"

struct hearing {
	struct conn *conn;
	const struct attach *attach;
	int bell;		/* eventfd: something is watched */
};

/* Start the thread, which ends with @c; without an attached device there is none. */
int hear_start(struct hearing *h, struct conn *c, const struct attach *a);

#endif
