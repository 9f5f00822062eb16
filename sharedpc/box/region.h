/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * region.h - the region: frames that all images share as page cache
 */
#ifndef REGION_H
#define REGION_H

#include <linux/types.h>

int region_init(void);
void region_exit(void);

bool region_has(u32 owner, unsigned long pfn);	/* is this frame one of @owner's? */
/* Nobody here uses a frame of @owner, another image.  May sleep. */
bool region_idle(u32 owner);
u64 region_pages(void);			/* of all owners */
u64 region_pages_of(u32 owner);
int region_node(void);			/* ours, -1: this image owns none of it */
u64 region_free(void);			/* owner: frames free or cheap to reclaim */

#endif
