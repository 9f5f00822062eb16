/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * several.h - start or stop the images that a command names
 *
 * What start, stop, restart, up and down have in common.  Errors are printed;
 * results are exit statuses.  One image's failure does not keep the others
 * from being tried.
 */
#ifndef BOOT_SEVERAL_H
#define BOOT_SEVERAL_H

#include "boot/image/box.h"
#include "boot/ccctl/ccctl.h"

struct several {
	struct plan *plan;
	struct box box;
	const struct plan_image *images[PLAN_MAX_IMAGES];
	int count;
};

/* Open the box; find the images called @names, NULL-terminated. */
int several_open(struct several *s, char **names);
void several_close(struct several *s);

/* Could all be started, as far as their files tell?  Changes nothing. */
int several_check(struct several *s);
/*
 * Start all, wait up to @timeout seconds for each to come up (0: do not
 * wait).  An image that fails is stopped and its last lines are shown.
 */
int several_start(struct several *s, unsigned int timeout);
/* @grace seconds to shut down by themselves, 0: none. */
int several_stop(struct several *s, unsigned int grace);

#endif
