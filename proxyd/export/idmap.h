/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * idmap.h - a mount on which users and groups are others than on the disk.
 */
#ifndef PROXYD_IDMAP_H
#define PROXYD_IDMAP_H

#include "proxyd/export/export.h"

/*
 * A descriptor of a user namespace that says what @map of @n ranges does, for
 * mount_setattr(2). Or -errno.
 */
int idmap_open(const struct conf_map *map, int n);

#endif
