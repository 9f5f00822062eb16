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

/* What holds for a client in an export. */
struct export_rules {
	bool ro;
	bool nodev;		/* it makes no device files */
	bool nosuid;		/* ... and no programs that run as somebody else */
	enum conf_squash squash;
	struct conf_map map[CONF_MAX_MAPS];
	int nmaps;
	uint64_t quota;		/* bytes that it may hold at once; 0: no limit */
};

/*
 * May root of the client less than root of the owner? Then what its kernel has checked
 * for it counts for nothing.
 */
static inline bool export_narrows(const struct export_rules *rules)
{
	return rules->squash || rules->nmaps;
}

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
