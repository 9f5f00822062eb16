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
	if (!ret) {
		if (fwrite(initrd, 1, size, stream) != size)
			ret = -ENOMEM;
		for (; size % 512; size++)
			fputc(0, stream);
	}
	if (!ret)
		ret = cpio_archive(stream, name, data, len);
	if (stream && fclose(stream) && !ret)
		ret = -ENOMEM;
	free(data);
	if (ret)
		free(text);
	else
		*out = text;
	return ret;
}
