/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * region.h - the region: frames that all images share as page cache
 */
#ifndef REGION_H
#define REGION_H

#include <linux/types.h>

int region_init(int node);
void region_exit(void);

bool region_has(unsigned long pfn);	/* is this frame in the region? */
u64 region_pages(void);
int region_node(void);			/* -1 unless this image owns it */
u64 region_free(void);			/* owner: frames free or cheap to reclaim */

#endif
