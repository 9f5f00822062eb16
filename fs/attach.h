/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * attach.h - what this image remembers of a mount
 *
 * FUSE alone remembers nothing here: entry and attribute time-outs are 0.
 * sharedpc.ko does, once it is attached to the mount: it takes FUSE's
 * operations over, answers what it remembers as long as the owner's words say
 * that it still holds, and checks permissions. What there is to remember it is
 * told just before FUSE gets the answer: a *tale* for each file in it.
 *
 *	attach_mount	before anybody can see the mount, and FUSE's INIT
 *	attach_tell	a tale of one file
 *	attach_real	the file itself, of the owner's own mount
 *	tales_add	one of several, as listings have them
 *	tales_tell	all of them
 *	attach_end	the owner is gone: nothing is remembered any more
 */
#ifndef CCFS_ATTACH_H
#define CCFS_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ccfs_proto.h"
#include "fs/owner.h"

struct attach {
	int dev;		/* /dev/sharedpc that is attached; -1: FUSE alone */
	int null;		/* takes its place at the end */
	bool remembers;		/* not only checks permissions */
};

/* The name under which a file was found. */
struct tale_name {
	uint64_t dir;		/* node */
	const char *name;
	size_t len;
	uint64_t gen;		/* ccfs_entry.name_gen */
	const char *text;	/* of a symbolic link */
	size_t text_len;	/* 0: not known */
};

struct tales {
	uint8_t *data;		/* allocated when the first comes */
	uint32_t bytes;
	uint32_t count;
};

/*
 * Attach to the mount with the root @root (O_PATH will do), whose owner is @o, met and
 * alive, and has said @w, and whose nodes FUSE is told to be of @generation; nothing is
 * remembered unless @remember. 0; -EOPNOTSUPP: this
 * kernel's FUSE, or its sharedpc.ko, is not made for that; another -errno.
 */
int attach_mount(struct attach *a, const struct owner *o, int root,
		 const struct ccfs_welcome *w, uint32_t generation, bool remember);
/* May come at any time, in any thread, and again. */
void attach_end(struct attach *a);

/* @name may be NULL. Without an attached device nothing happens. */
void attach_tell(const struct attach *a, uint64_t node,
		 const struct ccfs_attr *attr, const struct tale_name *name);

/* This image is the owner, and @fd has the file open that @node is: locks are of that. */
void attach_real(const struct attach *a, uint64_t node, int fd);

/* What there is no room for is not told, and so not remembered. */
void tales_add(struct tales *t, uint64_t node, const struct ccfs_attr *attr,
	       const struct tale_name *name);
/* Tell and forget @t. */
void tales_tell(const struct attach *a, struct tales *t);

#endif
