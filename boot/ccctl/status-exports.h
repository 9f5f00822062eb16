/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status-exports.h - what ccctl status says of the boot image's exports: may
 * clients remember names in them, or is the owner asked for each
 */
#ifndef BOOT_CCCTL_STATUS_EXPORTS_H
#define BOOT_CCCTL_STATUS_EXPORTS_H

#include <jansson.h>

#include "boot/plan/plan.h"

/* A table with a headline. Nothing if there are no exports. */
void exports_print_text(const struct plan *plan);
/* A JSON array of objects: export, owner, path, names. */
json_t *exports_json(const struct plan *plan);

#endif
