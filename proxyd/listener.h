/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * listener.h - takes connections, sees who they are from, and gives each to
 * a process of its own.
 */
#ifndef PROXYD_LISTENER_H
#define PROXYD_LISTENER_H

#include <stdbool.h>

#include "sharedpc_abi.h"

struct listener_options {
	const char *config;		/* path of partitions.conf */
	const char *socket;		/* path for connections of the same image */
	const char *image;		/* for tests: be this one, without sharedpc.ko */
};

/* Serve until SIGTERM or SIGINT. 0 then, or -errno with the reason logged. */
int listener_run(const struct listener_options *options);

#endif
