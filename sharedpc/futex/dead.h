/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dead.h - the memory of an image that has died, as its kernel saw it
 *
 * Nothing in it is trusted: an address is looked up in what belongs to that image or to the
 * region, and so many reads are all.  What cannot be read is 0.
 */
#ifndef DEAD_H
#define DEAD_H

#include "sharedpc_abi.h"

struct dead {
	u32 id;
	struct sharedpc_tasks tasks;	/* as it said, checked */
	u32 nr;
	struct sharedpc_range ram[SHAREDPC_RAM_MAX];
	void *at[SHAREDPC_RAM_MAX];
	u64 frame;		/* of the region, mapped last: physical address */
	void *frame_at;		/* NULL: none */
	u64 reads;		/* that are left */
	u64 mm;			/* of the thread whose addresses are meant */
};

/* 0; -ESRCH: it has not said where its tasks are; -ENOMEM. */
int dead_open(struct dead *d, u32 id);
void dead_close(struct dead *d);

/* Eight bytes at an address of its kernel, or of its thread. */
u64 dead_read(struct dead *d, u64 addr);
u64 dead_user_read(struct dead *d, u64 addr);
/*
 * The word at @addr of the thread's, if that is in a file of another image, which it may
 * write, and in a frame that this image still has; else NULL.  Until the next call.
 */
u32 *dead_user_word(struct dead *d, u64 addr);

/* Say where our tasks are. */
void dead_publish(void);

#endif
