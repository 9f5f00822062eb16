/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fsmount.h - a FUSE mount that nobody sees until it is put in its place
 *
 * What is looked up before sharedpc.ko is attached would be FUSE's alone, for as
 * long as it is remembered.  So the mount is made first, attached by its
 * descriptor, and put where others find it last.
 */
#ifndef CCFS_FSMOUNT_H
#define CCFS_FSMOUNT_H

#include <stdbool.h>

struct fsmount {
	const char *source;
	int fuse_fd;		/* /dev/fuse, open */
	unsigned long flags;	/* MS_* of mount(2) */
	bool checks;		/* FUSE checks permissions: default_permissions */
};

/* A descriptor of the new mount's root, or -errno. */
int fsmount_make(const struct fsmount *want);
/* Mount what fsmount_make() gave on @target. 0 or -errno. */
int fsmount_place(int mount, const char *target);

#endif
