/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doorbell.h - the interrupt from one image to another
 */
#ifndef DOORBELL_H
#define DOORBELL_H

#include <linux/types.h>

int doorbell_init(void (*rung)(void));
void doorbell_exit(void);
void doorbell_ring(u32 image);

#endif
