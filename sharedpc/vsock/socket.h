/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * socket.h - AF_VSOCK between images
 */
#ifndef SOCKET_H
#define SOCKET_H

#include <linux/types.h>

int socket_init(void);
void socket_exit(void);
void socket_kick(void);			/* any context: look at the rings */
void socket_rung(void);			/* the same, when there is something */
void socket_peer_went(u32 image);
u64 socket_packets(u32 image);		/* with data, sent to @image; for debug.c */

#endif
