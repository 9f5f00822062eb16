/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * box.h - the partitioned machine as the boot image's ccctl holds it
 *
 * A struct box has the saved plan, the open /dev/ccboot and the control area,
 * mapped.  Everything that commands do to images goes through it:
 *
 *	box.c		open and close
 *	lifecycle.c	start and stop an image, wait for it
 *	cpus.c		CPUs on- and off-line
 *	cmdline.c	the kernel command line of an image
 *	state.c		what an image is doing, in words
 *
 * Nothing here prints; failures are -errno with a struct why.
 */
#ifndef BOOT_BOX_H
#define BOOT_BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/plan/plan.h"
#include "boot/load/slice.h"
#include "boot/why.h"
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

/* cpus.c.  -errno; EBUSY with a reason when the kernel refuses. */
int cpu_is_online(int cpu);
int cpu_set_online(int cpu, bool online, struct why *why);

/* cmdline.c: malloc'ed, NULL when out of memory.  @token as in kmsg.h. */
char *image_cmdline(const struct plan *plan, const struct plan_image *img,
		    const struct ccboot_info *info, uint64_t token);

/* state.c: one word for people and scripts, and why its last life ended. */
const char *image_state_name(const struct ccboot_status *status,
			     const struct sharedpc_slot *slot);
const char *image_cause_name(const struct ccboot_status *status);
const char *image_stage_name(uint64_t stage);
/* The panic message, or ""; at most @len - 1 printable bytes. */
const char *image_last_words(const struct sharedpc_slot *slot, char *buf,
			     size_t len);

#endif
