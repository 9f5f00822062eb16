/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bounce.h - this image's bounce buffers: bytes on their way to an owner
 */
#ifndef BOUNCE_H
#define BOUNCE_H

#include "client/session.h"

/*
 * Buffers side by side for @bytes, or for the first of them: *@nr of them from the
 * number that is returned.  @whole: for all of @bytes, up to SHAREDPC_WRITE_MAX, if that
 * can be had within a second.  Or -EINTR, -ETIMEDOUT, -EIO: the session has ended.
 */
int bounce_get(struct session *s, size_t bytes, bool whole, u32 *nr);
/*
 * The same, without waiting: as many of them as there are at once, or -1.  For a NAME.
 */
int bounce_take(struct session *s, size_t bytes, u32 *nr);
/* A session has ended. */
void bounce_wake(void);
u32 bounce_count(void);		/* that are in use */
/* Does not sleep. */
void bounce_put(struct session *s, u32 first, u32 nr);

#endif
