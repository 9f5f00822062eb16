/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * options.h - the command line of mount.ccfs
 *
 *	mount.ccfs SOURCE TARGET [-sfnvrwh] [-o OPTIONS]
 *
 * as mount(8) calls its helpers.  SOURCE is IMAGE:/PATH.
 *
 * Rules: an option that nobody knows is an error (unless -s), because an
 * option that is silently ignored is a promise broken.
 */
#ifndef CCFS_OPTIONS_H
#define CCFS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "sharedpc_abi.h"

struct options {
	const char *source;		/* as given */
	const char *target;
	char image[SHAREDPC_NAME_MAX];	/* the owner's name */
	const char *path;		/* of the export, absolute, in source */
	const char *connect;		/* tests: a unix socket, not the owner */
	unsigned long flags;		/* MS_* for mount(2) */
	bool fake;			/* -f: check the arguments only */
	bool sloppy;			/* -s: ignore unknown options */
	bool verbose;			/* -v */
	bool foreground;		/* option foreground, for debugging */
	bool debug;			/* option debug: libfuse's trace */
	bool nocache;			/* option nocache: remember nothing */
	bool help;
};

/*
 * Fill @opt from the command line.  0, or -EINVAL with one line for the user
 * in @why.  Strings point into @argv.
 */
int options_parse(struct options *opt, int argc, char *argv[],
		  char *why, size_t len);

#endif
