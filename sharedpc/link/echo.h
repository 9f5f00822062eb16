/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * echo.h - a message there and back, for measuring
 */
#ifndef ECHO_H
#define ECHO_H

#include "sharedpc_wire.h"

/*
 * To @image and back: nanoseconds, or -ENOTCONN, -EAGAIN (the ring is full), -ETIMEDOUT.
 * @spin: neither sleep here nor take an interrupt.
 */
s64 echo_run(u32 image, bool spin);
/* Look for messages for @ms milliseconds: the other end of that. */
void echo_listen(u32 ms);

/* Soft interrupt. */
void echo_asked(u32 image, const struct sharedpc_msg *msg);
void echo_answered(u32 image, const struct sharedpc_msg *msg);

#endif
