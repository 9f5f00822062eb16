/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hotplug.h - CPUs of this kernel, on- and off-line, by their logical numbers
 */
#ifndef BOOT_HOTPLUG_H
#define BOOT_HOTPLUG_H

#include <stdbool.h>

#include "boot/text/why.h"

/* 1, 0, or -errno: ENOENT, no such CPU, or it cannot be switched. */
int hotplug_is_online(int cpu);
/* 0, also if it is so already, or -errno; EBUSY: the kernel refuses. */
int hotplug_set_online(int cpu, bool online, struct why *why);

#endif
