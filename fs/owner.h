/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * owner.h - the image that serves a mount: found by name, reached, watched
 *
 * Everything comes from /dev/sharedpc.  A mount for tests (connect=unix:)
 * has no device and no image: dev is -1, and the owner counts as alive for as
 * long as the connection does.
 */
#ifndef CCFS_OWNER_H
#define CCFS_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ccfs_proto.h"

struct owner {
	int dev;		/* /dev/sharedpc, or -1 */
	uint32_t id;		/* image */
	uint32_t self;		/* this image */
	uint32_t epoch;		/* its life in which we mounted */
	uint32_t server;	/* number of what serves us there */
};

/*
 * Find image @name.  0; -ENODEV no sharedpc.ko, -ENXIO no such image,
 * -ENOTCONN not up; each with one line for the user in @why.
 */
int owner_find(struct owner *o, const char *name, char *why, size_t len);

/*
 * A connected stream socket to the owner's proxyd within 10 s, or -errno: over
 * AF_VSOCK, or on the owner itself through proxyd's own socket.
 */
int owner_connect(const struct owner *o, char *why, size_t len);
/* The same to a unix socket. */
int owner_connect_unix(const char *path, char *why, size_t len);

/* 0 while the owner lives the life in which we mounted, else -ENOTCONN. */
int owner_alive(const struct owner *o);

/*
 * The backing file for what @open says of @node, one call for each open that the
 * proxy answered (see sharedpc_ioctl.h).  @dev: the device that is attached to
 * the mount, or -1; @keep: remember it for later opens for reading.  A new
 * descriptor, or -errno.
 */
int owner_backing(const struct owner *o, int dev, uint64_t node,
		  const struct ccfs_open *open, bool keep);

#endif
