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
#include "boot/text/why.h"

#define RUN_DIR		"/run/ccluster"
#define PROXYD_PID	RUN_DIR "/proxyd.pid"
#define PROXYD_LOG	RUN_DIR "/proxyd.log"

/* Was this kernel started by this plan, all that it gives away kept from it? */
int services_verify(const struct plan *plan, struct why *why);

/* sharedpc.ko with the plan's control area and region, then ccboot.ko. */
int services_load_modules(const struct plan *plan, struct why *why);
/* -EBUSY also when they are gone, but the region is still this kernel's. */
int services_unload_modules(struct why *why);

int services_start_proxyd(const struct plan *plan, struct why *why);
int services_stop_proxyd(struct why *why);

/* The boot image's own mounts of the plan. */
int services_mount(const struct plan *plan, struct why *why);
int services_unmount(const struct plan *plan, struct why *why);

#endif
