/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * point.h - moments at which this image can be made to stop, for tests
 */
#ifndef POINT_H
#define POINT_H

#include <linux/atomic.h>
#include <linux/types.h>
#include "sharedpc_ioctl.h"

enum point {
	POINT_NONE,
	/* up to SHAREDPC_OP_PUNCH: a call of that kind has been sent */
	POINT_FILED = SHAREDPC_OP_PUNCH + 1,	/* frames have come, nobody knows yet */
	POINT_REVOKING,		/* pages are wanted back, and not given yet */
	POINT_REVOKED,		/* they are given back, and the owner is not told yet */
	POINT_KEPT,		/* the owner has been told which are still held */
	/* on an owner */
	POINT_TAKEN,		/* a proxy has a call */
	POINT_GRANTED,		/* frames are noted as the client's, and not sent yet */
	POINT_ANSWERING,	/* a call is done, and the client is not told yet */
	POINT_TAKING,		/* pages have been wanted back */
	POINTS,
};

extern u32 point_armed;		/* enum point */

/*
 * At the next pass of @point this image panics, or (@silent) its CPU does nothing any
 * more, with interrupts off (at POINT_GRANTED with a lock as well), while others that it
 * may have go on.  POINT_NONE: not any more.
 */
void point_arm(enum point point, bool silent);
void point_stop(enum point point);

/* This is @point.  In any context. */
static inline void point_pass(enum point point)
{
	if (unlikely(READ_ONCE(point_armed) == point) && point)
		point_stop(point);
}

#endif
