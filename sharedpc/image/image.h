/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image.h - this image's own life: heartbeat, how it ends
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <linux/types.h>

/* READY from now on. */
void image_init(void);
void image_exit(void);
/* The heartbeat; from time to time. */
void image_tick(void);

/* Boot image: @id's CPUs are parked, and nobody else knows that for certain yet.  May sleep; main.c sets it. */
extern void (*image_dead)(u32 id);

#endif
