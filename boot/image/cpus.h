/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpus.h - the CPUs of an image, on their way to it and back
 */
#ifndef BOOT_CPUS_H
#define BOOT_CPUS_H

#include "boot/image/box.h"

/* On failure, -errno, they are the boot image's as before.  Hold signals. */
int cpus_take(struct box *box, const struct plan_image *img, struct why *why);
/* Of an image that has ended. */
int cpus_return(struct box *box, const struct plan_image *img, struct why *why);
/*
 * Of an image that has none lent: a ccctl that was killed may have left them
 * off-line.
 */
int cpus_recover(const struct plan_image *img, struct why *why);

#endif
