/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * srat.h - an SRAT for the boot image with room for the region's node
 *
 * Linux can give hot-added memory a NUMA node of its own only if the firmware
 * named that node (a proximity domain) at boot.  Most do not name spare ones.
 * So `ccctl partition` hands the kernel a copy of the machine's SRAT with one
 * more domain, which has no memory yet.
 */
#ifndef BOOT_SRAT_H
#define BOOT_SRAT_H

#include <stddef.h>
#include <stdint.h>

#include "boot/machine/topology.h"
#include "boot/text/why.h"

/*
 * From the machine's SRAT (@len bytes), or with @old NULL a new one for
 * @topo.  *@out is malloc'ed, *@out_len bytes.  An SRAT that has the spare
 * domain already is copied.  -EINVAL and @why for a malformed table.
 */
int srat_make(const void *old, size_t len, const struct topology *topo,
	      void **out, size_t *out_len, struct why *why);

#endif
