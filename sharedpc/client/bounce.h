/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bounce.h - this image's bounce buffers: bytes on their way to an owner
 */
#ifndef BOUNCE_H
#define BOUNCE_H

/* The number of a buffer that is the caller's now; -EINTR, -ETIMEDOUT. */
int bounce_get(void);
/* Any context. */
void bounce_put(int bounce);

#endif
