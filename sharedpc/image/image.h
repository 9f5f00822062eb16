/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image.h - this image's own life: clock, heartbeat, how it ends
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <linux/types.h>

/*
 * READY from now on.  On the boot image @gone is called, and may sleep, when another
 * image has ended and its CPUs are known to have stopped.
 */
void image_init(void (*gone)(u32 id));
void image_exit(void);
/* The heartbeat; from time to time. */
void image_tick(void);

/*
 * Stop image @id's CPUs for certain, if it still lives the life @epoch.  0:
 * nothing of that life runs any more; else nobody here can, or it did not work.
 */
int image_fence(u32 id, u32 epoch);

#endif
