/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slurp.h - small files, read at once
 */
#ifndef BOOT_SLURP_H
#define BOOT_SLURP_H

#include <stddef.h>

/*
 * All of @path, at most @max bytes, malloced, with a NUL behind. 0, -EFBIG when it is
 * larger, or another -errno.
 */
int slurp_file(const char *path, size_t max, char **text, size_t *len);
/* The first line of a file of that name, without newline; "" if it fails. 0 or -errno. */
int slurp_line(char *buf, size_t len, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
