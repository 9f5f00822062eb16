/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmdline.h - the kernel command line of an image that ccctl starts
 */
#ifndef BOOT_CMDLINE_H
#define BOOT_CMDLINE_H

#include <stdint.h>

#include "boot/plan/plan.h"
#include "ccboot.h"

/* malloc'ed, NULL when out of memory.  @token as in kmsg.h. */
char *cmdline_make(const struct plan *plan, const struct plan_image *img,
		   const struct ccboot_info *info, uint64_t token);

#endif
