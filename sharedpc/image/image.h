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
 * Which life image @id is in, or was; on the boot image for certain, elsewhere as its
 * slot says.
 */
u32 image_life(u32 id);
/* Certain: no CPU of image @id runs in the life @epoch any more. */
bool image_ended(u32 id, u32 epoch);

/*
 * Stop image @id's CPUs for certain, if it still lives the life @epoch.  0:
 * nothing of that life runs any more; else nobody here can, or it did not work.
 */
int image_fence(u32 id, u32 epoch);

#endif
