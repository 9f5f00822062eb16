/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * state.h - what an image is doing, in words
 */
#ifndef BOOT_STATE_H
#define BOOT_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "ccboot.h"

/* One word for people and scripts, and why its last life ended. */
const char *state_name(const struct ccboot_status *status,
		       const struct sharedpc_slot *slot);
const char *state_cause(const struct ccboot_status *status);
const char *state_stage(uint64_t stage);
/* The panic message, or ""; at most @len - 1 printable bytes. */
const char *state_last_words(const struct sharedpc_slot *slot, char *buf,
			     size_t len);

#endif
