// SPDX-License-Identifier: GPL-2.0-only
/*
 * initrd.c - an initrd with a file more, see initrd.h
 *
 * The kernel unpacks archives that follow each other, with zeros between them
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/load/cpio.h"
#include "boot/load/initrd.h"
#include "boot/text/slurp.h"

#define INITRD_FILE_MAX	(1u << 20)	/* bytes of the file that is added */

static int put_dirs(FILE *out, const char *name)
{
	const char *slash = name;
	char dir[256];
	int ret = 0;

	while (!ret && (slash = strchr(slash, '/'))) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - name), name);
		ret = cpio_add(out, dir, NULL, 0);
		slash++;
	}
	return ret;
}

static int put_all(FILE *out, const void *initrd, size_t size, const char *name,
		   const void *data, size_t len)
{
	int ret;

	if (fwrite(initrd, 1, size, out) != size)
		return -ENOMEM;
	for (; size % 512; size++)
		fputc(0, out);
	ret = put_dirs(out, name);
	if (!ret)
		ret = cpio_add(out, name, data, len);
	return ret ? ret : cpio_end(out);
}

int initrd_add(const void *initrd, size_t size, const char *name, const char *path,
	       void **out, size_t *out_size)
{
	char *text = NULL, *data;
	size_t len;
	FILE *stream;
	int ret = slurp_file(path, INITRD_FILE_MAX, &data, &len);

	stream = ret ? NULL : open_memstream(&text, out_size);
	if (!ret && !stream)
		ret = -ENOMEM;
	if (!ret)
		ret = put_all(stream, initrd, size, name, data, len);
	if (stream && fclose(stream) && !ret)
		ret = -ENOMEM;
	free(data);
	if (ret)
		free(text);
	else
		*out = text;
	return ret;
}
