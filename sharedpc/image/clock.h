/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clock.h - CLOCK_REALTIME of all images is the boot image's
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <linux/types.h>

/* Boot image: say what it is now. */
void clock_publish(void);
/*
 * *@ns: how far the boot image's is ahead of ours, at the moment.  -ENODATA: that is not
 * known, or we are the boot image.
 */
int clock_behind(s64 *ns);
/* Set ours, which starts anywhere (there is no RTC). */
void clock_take(void);

#endif
