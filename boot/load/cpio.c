// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpio.c - newc archives: per member a header of 110 bytes of ASCII, the name
 * with its NUL, padding to 4, the data, padding to 4.  Archives may follow each
 * other, with zeros between them
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/load/cpio.h"
#include "boot/text/slurp.h"

#define HEADER		110
#define TRAILER		"TRAILER!!!"
#define FILE_MAX	(1u << 20)	/* bytes of a file that is added to an initrd */

static int pad(FILE *out, size_t written, size_t unit)
{
	while (written++ % unit)
		if (fputc(0, out) == EOF)
			return -EIO;
	return 0;
}

static int member(FILE *out, const char *name, unsigned int mode,
		  const void *data, size_t len)
{
	size_t namesize = strlen(name) + 1;
	int ret;

	if (len > UINT32_MAX)
		return -EFBIG;
	/* ino, mode, uid, gid, nlink, mtime, size, 4 of devices, name, check */
	if (fprintf(out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		    0, mode, 0, 0, 1, 0, (unsigned int)len, 0, 0, 0, 0,
		    (unsigned int)namesize, 0) != HEADER)
		return -EIO;
	if (fwrite(name, 1, namesize, out) != namesize)
		return -EIO;
	ret = pad(out, HEADER + namesize, 4);
	if (ret)
		return ret;
	if (len && fwrite(data, 1, len, out) != len)
		return -EIO;
	return pad(out, len, 4);
}

int cpio_add(FILE *out, const char *name, const void *data, size_t len)
{
	if (!data)
		return member(out, name, S_IFDIR | 0755, NULL, 0);
	return member(out, name, S_IFREG | 0644, data, len);
}

int cpio_end(FILE *out)
{
	int ret = member(out, TRAILER, 0, NULL, 0);
	long at;

	if (ret)
		return ret;
	at = ftell(out);
	return at < 0 ? -errno : pad(out, at, 512);
}

int cpio_archive(FILE *out, const char *name, const void *data, size_t len)
{
	const char *slash = name;
	char dir[256];
	int ret = 0;

	while (!ret && (slash = strchr(slash, '/'))) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - name), name);
		ret = cpio_add(out, dir, NULL, 0);
		slash++;
	}
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
	int ret = slurp_file(path, FILE_MAX, &data, &len);

	if (ret)
		return ret;
	stream = open_memstream(&text, out_size);
	if (!stream || fwrite(initrd, 1, size, stream) != size)
		ret = -ENOMEM;
	if (!ret)
		ret = pad(stream, size, 512);
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
