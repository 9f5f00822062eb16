/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pass.h - what the listener and its proxies say to each other.
 *
 * A socket pair (SOCK_SEQPACKET) for each proxy. To the listener:
 *
 *	SERVES	it is the proxy for its client's mounts of one file system
 *	PASS	this mount is for the proxy that is server `number`: here it is. The
 *		one that says so ends.
 *	IDLE	it has nothing left to do, after `number` mounts in all. If that is all
 *		of them the listener closes its end, and the proxy ends.
 *
 * From the listener:
 *
 *	PASS	one mount more
 */
#ifndef PROXYD_PASS_H
#define PROXYD_PASS_H

#include <stdint.h>

#include "proxyd/names/hello.h"

enum pass_what { PASS_SERVES = 1, PASS_MOUNT, PASS_IDLE };

/* A connection and what is known of it. */
struct mount {
	int conn;
	struct hello hello;	/* root -1: has not been said */
	unsigned int tries;	/* to find its proxy */
};

struct pass {
	enum pass_what what;
	uint32_t number;	/* server, or mounts */
	struct mount mount;	/* PASS: its descriptors come along */
};

/* Both take no longer than the kernel: -EAGAIN rather than wait for the peer. */
int pass_send(int control, const struct pass *p);
/* Wait for the next; -ENOTCONN: there will be none. Descriptors are the caller's. */
int pass_recv(int control, struct pass *p);

/* Close what @m has. */
void mount_drop(struct mount *m);

#endif
