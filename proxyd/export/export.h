/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * export.h - which client may mount what, and the way into it.
 */
#ifndef PROXYD_EXPORT_H
#define PROXYD_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/export/cred.h"

#define EXPORT_MAPS	8

/* Users and groups of a client, and who they are in the file system. */
struct export_map {
	uint32_t client, owner, count;
};

/* What holds for a client in an export. */
struct export_rules {
	bool ro;
	bool nodev;		/* it makes no device files */
	bool nosuid;		/* ... and no programs that run as somebody else */
	enum squash squash;
	struct export_map map[EXPORT_MAPS];
	int nmaps;
	uint64_t quota;		/* bytes that it may hold at once; 0: no limit */
};

/*
 * Open the export at @path of image @owner for @client, as @config says now.
 * @ro: read-only is wanted. Returns an O_PATH descriptor of a mount of its
 * own, without what is mounted below it and read-only if @ro; *@rules are
 * the export's. On failure -errno and the reason in @why.
 */
int export_open(const char *config, const char *owner, const char *client,
		const char *path, bool ro, struct export_rules *rules,
		char *why, size_t len);

#endif
