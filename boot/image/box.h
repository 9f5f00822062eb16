/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * box.h - the partitioned machine as the boot image's ccctl holds it
 *
 * A struct box has the saved plan, the open /dev/ccboot and the control area,
 * mapped.  Everything that commands do to images goes through it:
 *
 *	box.c		open and close
 *	image.c		start and stop an image, wait for it
 *	cpus.c		an image's CPUs, there and back
 *	state.c		what an image is doing, in words
 *	console.c	what an image says
 *
 * Nothing here prints; failures are -errno with a struct why.
 */
#ifndef BOOT_BOX_H
#define BOOT_BOX_H

#include <stdint.h>

#include "boot/plan/plan.h"
#include "boot/text/why.h"
#include "ccboot.h"
#include "sharedpc_abi.h"

struct box {
	struct plan *plan;		/* the caller's */
	int dev;			/* /dev/ccboot */
	uint8_t *ctl;			/* plan->ctl, mapped */
	struct ccboot_info info;
};

/* The modules must be loaded: else -ENODEV and what to do. */
int box_open(struct box *box, struct plan *plan, struct why *why);
void box_close(struct box *box);

struct sharedpc_slot *box_slot(const struct box *box, int id);
struct sharedpc_console *box_console(const struct box *box, int id);
/* The module's view of image @id; state CCBOOT_ABSENT if it has none. */
struct ccboot_status box_status(const struct box *box, int id);

#endif
