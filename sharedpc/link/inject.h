/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inject.h - messages that get lost, come late, come twice or are spoilt, for tests
 */
#ifndef INJECT_H
#define INJECT_H

#include <linux/types.h>

enum inject_what {
	INJECT_NOTHING,
	INJECT_DROP,		/* it is as if it were sent */
	INJECT_DELAY,		/* as if its ring were full, for INJECT_DELAY_MS */
	INJECT_DUPLICATE,	/* twice */
	INJECT_CORRUPT,		/* a word of it is another one */
	INJECT_CUT,		/* as DROP, but without the pause */
};

#define INJECT_DELAY_MS		50
#define INJECT_TYPES		32	/* of messages, sharedpc_wire.h */

/*
 * The next @count messages of @type that this image sends, but none that had that said just
 * before, so that what is said again arrives; for CUT all.  0 ends it.  -EINVAL: there is no
 * such type.
 */
int inject_arm(u32 type, enum inject_what what, u32 count);
u32 inject_left(u32 type);

/* What to do with a message of @type that is about to be sent, and is known by @key. */
enum inject_what inject_now(u32 type, u32 key);

#endif
