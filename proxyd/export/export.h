/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * export.h - which client may mount what, and the way into it.
 */
#ifndef PROXYD_EXPORT_H
#define PROXYD_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Open the export at @path of image @owner for @client, as @config says now.
 * @ro: read-only is wanted. Returns an O_PATH descriptor of a mount of its
 * own, without what is mounted below it and read-only if @ro; *@export_ro
 * says what the export is. On failure -errno and the reason in @why.
 */
int export_open(const char *config, const char *owner, const char *client,
		const char *path, bool ro, bool *export_ro,
		char *why, size_t len);

#endif
