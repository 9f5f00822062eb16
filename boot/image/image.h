/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image.h - starts and stops an image of the box
 */
#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include "boot/image/box.h"

/*
 * Look at all that image_start() wants of @img's files and memory.  Changes
 * nothing; same errors.
 */
int image_check(const struct box *box, const struct plan_image *img,
		struct why *why);

/*
 * Start @img: check its files, take its CPUs off-line, write its memory, run
 * it.  On failure everything is as it was, -errno: EBUSY it runs already or a
 * CPU cannot be had, ENOENT a file is missing, ENOEXEC no kernel, ENOSPC the
 * initrd does not fit, others.
 */
int image_start(struct box *box, const struct plan_image *img, struct why *why);

/*
 * Stop @img, if it runs, and bring its CPUs back on-line; also those that an
 * interrupted start left off-line.  @grace_ms: ask it to shut itself down and
 * give it that long first; 0: at once.
 */
int image_stop(struct box *box, const struct plan_image *img,
	       unsigned int grace_ms, struct why *why);

/*
 * Is @img up?  1: yes; 0: not yet; -errno: it never will be, with @why.
 */
int image_poll(const struct box *box, const struct plan_image *img,
	       struct why *why);

#endif
