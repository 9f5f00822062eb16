// SPDX-License-Identifier: GPL-2.0-only
/*
 * slurp.c - small files, read at once, see slurp.h
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/text/slurp.h"

int slurp_file(const char *path, size_t max, char **text, size_t *len)
{
	FILE *in = fopen(path, "re");
	size_t room = 4096, n = 0;
	char *grown;
	int err = 0;

	*text = NULL;
	*len = 0;
	if (!in)
		return -errno;
	/* Its size is no help: that of a file in /proc or /sys is 0. */
	do {
		room *= 2;
		grown = realloc(*text, room + 1);
		if (!grown) {
			err = -ENOMEM;
			break;
		}
		*text = grown;
		errno = 0;
		n += fread(*text + n, 1, room - n, in);
		if (ferror(in))
			err = errno ? -errno : -EIO;
		else if (n > max)
			err = -EFBIG;
	} while (!err && n == room);
	fclose(in);
	if (err) {
		free(*text);
		*text = NULL;
		return err;
	}
	(*text)[n] = '\0';
	*len = n;
	return 0;
}

int slurp_line(char *buf, size_t len, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	FILE *in;

	buf[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	in = fopen(path, "re");
	if (!in)
		return -errno;
	if (!fgets(buf, len, in))
		buf[0] = '\0';
	fclose(in);
	if (!buf[0])
		return -EIO;
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}
