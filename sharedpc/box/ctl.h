/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctl.h - the control area, mapped, and who we are in it
 */
#ifndef CTL_H
#define CTL_H

#include <linux/types.h>
#include "sharedpc_abi.h"

extern u32 ctl_self;		/* this image's id; set before anything runs */
extern u32 ctl_nr_images;	/* checked copy from the header */
extern u32 ctl_epoch;		/* this life's, read once: others may scribble */

int ctl_map(u64 phys, u64 size);
int ctl_format(const char *images, const char *regions, const char *slices);
int ctl_join(void);
void ctl_unmap(void);

struct sharedpc_header *ctl_header(void);
struct sharedpc_slot *ctl_slot(u32 image);
struct sharedpc_console *ctl_console(u32 image);
struct sharedpc_futex *ctl_futex(u32 image);
struct sharedpc_ring *ctl_ring(u32 src, u32 dst, u32 class);
void *ctl_bounce(u32 image, u32 buffer);
u64 ctl_bounce_phys(u32 image);

/* An image's words and how many bytes they have; NULL: there are none. */
void *ctl_words(u32 image, u64 *size);

/* An image's name, for messages: a copy that ends, whatever is in the slot. */
const char *ctl_name(u32 image);

/* Is @phys in @image's own memory: its slice, or what the boot image had when it loaded this? */
bool ctl_is_ram(u32 image, u64 phys);

/* Its memory, as far as that is its slice: how many ranges, at most SHAREDPC_RAM_MAX. */
u32 ctl_ram(u32 image, struct sharedpc_range *range);

/* The parts of the region, as checked copies: how many, at most SHAREDPC_REGIONS_MAX. */
u32 ctl_regions(struct sharedpc_part *part);
/* Has @image one? */
bool ctl_is_owner(u32 image);

static inline bool ctl_is_boot(void)
{
	return ctl_self == SHAREDPC_BOOT;
}

#endif
