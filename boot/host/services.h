/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * services.h - what the boot image runs for the others: modules and proxyd
 *
 * All of it is idempotent: starting what runs and stopping what does not is
 * success.  0 or -errno with @why.
 */
#ifndef BOOT_SERVICES_H
#define BOOT_SERVICES_H

#include "boot/plan/plan.h"
#include "boot/why.h"

#define RUN_DIR		"/run/ccluster"
#define PROXYD_PID	RUN_DIR "/proxyd.pid"
#define PROXYD_LOG	RUN_DIR "/proxyd.log"

/* Was this kernel started by this plan, all that it gives away kept from it? */
int services_verify(const struct plan *plan, struct why *why);

/* sharedpc.ko with the plan's control area and region, then ccboot.ko. */
int modules_load(const struct plan *plan, struct why *why);
/* -EBUSY also when they are gone, but the region is still this kernel's. */
int modules_unload(struct why *why);

int proxyd_start(const struct plan *plan, struct why *why);
int proxyd_stop(struct why *why);

/* The boot image's own mounts of the plan. */
int mounts_start(const struct plan *plan, struct why *why);
int mounts_stop(const struct plan *plan, struct why *why);

#endif
