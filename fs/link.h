/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * link.h - the way to a proxy through sharedpc.ko
 *
 * A request goes through memory that both have, and wakes the thread that does it; its
 * answer wakes the thread that asked.  It has no room for what is very long, and not for
 * very many at once: then link_ask() says so, and the stream (conn.h) takes them.
 */
#ifndef CCFS_LINK_H
#define CCFS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/owner.h"
#include "msg.h"

struct link {
	int dev;		/* /dev/sharedpc that has joined; -1: there is no link */
	uint64_t mount;		/* ccfs_welcome.mount */
};

#define LINK_NONE	{ .dev = -1 }

/*
 * From here on requests of @mount go to @o's server by the link, if it is another image's.
 * 0 or -errno.
 */
int link_join(struct link *l, const struct owner *o, uint64_t mount);
/* All who ask are told that the owner is gone, and who comes later is. */
void link_leave(const struct link *l);

/* Is @m one for the link? */
bool link_takes(const struct link *l, const struct msg *m);
/*
 * Send @m and wait; the answer replaces it, whatever error it has.  0; 1: @m is as it was,
 * and has to take the stream; -EPROTO: what came is no answer; else what ASK has failed
 * with.
 */
int link_ask(const struct link *l, struct msg *m);

#endif
