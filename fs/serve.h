/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * serve.h - the process behind a mount
 *
 * It finds the owner, says HELLO, mounts, and answers FUSE until somebody
 * unmounts.  How the mount went it reports once, through a pipe, to the
 * mount.ccfs that started it.
 */
#ifndef CCFS_SERVE_H
#define CCFS_SERVE_H

#include <stdbool.h>

#include "fs/options.h"

struct report {
	int error;		/* 0 or -errno */
	bool remembers;		/* names and attributes are remembered */
	char text[500];		/* for the user: an error, or a remark, or "" */
};

/* Never fails silently: its first act on an error is the report. */
int serve(const struct options *opt, int report);

#endif
