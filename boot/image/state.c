// SPDX-License-Identifier: GPL-2.0-only
/*
 * state.c - what an image is doing, from ccboot.ko's state and its slot
 *
 * ccboot.ko knows for certain whether the CPUs run; the slot is the image's
 * own word and says more, but is believed only while they do.
 */
#include <ctype.h>
#include <string.h>

#include "boot/image/state.h"

const char *state_name(const struct ccboot_status *status,
		       const struct sharedpc_slot *slot)
{
	switch (status->state) {
	case CCBOOT_RUNNING:
		if (slot->stage == SHAREDPC_STAGE_SERVING)
			return "running";
		return slot->stage == SHAREDPC_STAGE_FAILED ? "failed" : "starting";
	case CCBOOT_DYING:
		return "stopping";
	case CCBOOT_STUCK:
		return "stuck";
	}
	if (!status->start_ns)
		return "off";
	switch (status->cause) {
	case CCBOOT_PANIC:
		return "panicked";
	case CCBOOT_REBOOT:
	case CCBOOT_RESET:
		return "rebooted";
	case CCBOOT_HALT:
		return "halted";
	case CCBOOT_FENCE:
		return "fenced";
	case CCBOOT_NOCPU:
		return "failed";
	}
	return "stopped";
}

const char *state_cause(const struct ccboot_status *status)
{
	static const char *const names[] = {
		[CCBOOT_NONE]	= "never started",
		[CCBOOT_STOP]	= "stopped by ccctl",
		[CCBOOT_HALT]	= "shut down",
		[CCBOOT_REBOOT]	= "asked for a reboot",
		[CCBOOT_PANIC]	= "kernel panic",
		[CCBOOT_RESET]	= "reset itself before sharedpc.ko was up",
		[CCBOOT_FENCE]	= "fenced: it did not answer",
		[CCBOOT_NOCPU]	= "its first CPU did not start",
	};

	if (status->state == CCBOOT_RUNNING)
		return "";
	if (status->cause >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[status->cause];
}

const char *state_stage(uint64_t stage)
{
	static const char *const names[] = {
		[SHAREDPC_STAGE_KERNEL]	 = "kernel",
		[SHAREDPC_STAGE_INIT]	 = "init",
		[SHAREDPC_STAGE_MOUNTED] = "mounted",
		[SHAREDPC_STAGE_SERVING] = "serving",
		[SHAREDPC_STAGE_FAILED]	 = "failed",
	};

	return stage < sizeof(names) / sizeof(names[0]) ? names[stage] : "unknown";
}

const char *state_last_words(const struct sharedpc_slot *slot, char *buf,
			     size_t len)
{
	size_t n = sizeof(slot->last_words) - 1;

	if (n > len - 1)
		n = len - 1;
	memcpy(buf, slot->last_words, n);
	buf[n] = '\0';
	for (char *p = buf; *p; p++)
		if (!isprint((unsigned char)*p))
			*p = ' ';
	return buf;
}
