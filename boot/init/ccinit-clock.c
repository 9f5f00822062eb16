// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccinit-clock.c - an image's clock follows the boot image's
 *
 * Who owns a file system stamps its files' times, and programs compare these with their own
 * clock.  The module says how far that is from the boot image's (image/clock.c): a little is made
 * up for slowly, so that the clock does not go backwards; more than that is a step there,
 * and becomes one here when it has been said twice: a stray store in ctl does not last.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timex.h>

#include "boot/init/ccinit.h"
#include "clock.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_limits.h"

#define NS_S		1000000000
#define STEP_NS		500000		/* as much as adjtime(3) makes up for in a second */

/* By exactly so much, whenever it happens. */
static int clock_step(int64_t ns)
{
	struct timex t = {
		.modes = ADJ_SETOFFSET | ADJ_NANO,
		.time.tv_sec = ns / NS_S,
		.time.tv_usec = ns % NS_S,	/* with ADJ_NANO, ns */
	};

	if (t.time.tv_usec < 0) {
		t.time.tv_sec--;
		t.time.tv_usec += NS_S;
	}
	return adjtimex(&t);
}

static int clock_slew(int64_t ns)
{
	struct timex t = { .modes = ADJ_OFFSET_SINGLESHOT, .offset = ns / 1000 };

	return adjtimex(&t);
}

/* One of @ns: is it said for the second time, by another word of the boot image? */
static bool is_said_twice(int64_t ns)
{
	static int64_t first, since;	/* ms; 0: none */

	if (!since || llabs(ns - first) >= STEP_NS) {
		first = ns;
		since = clock_ms();
		return false;
	}
	if (clock_ms() - since < 2 * LIMIT_CLOCK_MS)
		return false;
	since = 0;
	return true;
}

void ccinit_follow_clock(int device)
{
	static int complained;
	int64_t ns;
	int ret = 0;

	if (ioctl(device, SHAREDPC_IOC_CLOCK, &ns) || llabs(ns) > INT64_MAX / 4)
		return;
	if (llabs(ns) < STEP_NS)
		ret = clock_slew(ns);
	else if (is_said_twice(ns))
		ret = clock_step(ns);
	if (ret < 0 && !complained++)
		ccinit_say("the clock cannot be set: %s", strerror(errno));
}
