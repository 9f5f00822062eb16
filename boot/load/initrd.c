// SPDX-License-Identifier: GPL-2.0-only
/*
 * initrd.c - an initrd with a file more, see initrd.h
 *
 * The kernel unpacks archives that follow each other, with zeros between them
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/load/cpio.h"
#include "boot/load/initrd.h"

/* All of @path, malloc'ed: 0 or -errno. */
static int slurp(const char *path, void **data, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		ret = -errno;
	*len = ret ? 0 : st.st_size;
	*data = malloc(*len + 1);
	if (!*data)
		ret = -ENOMEM;
	else if (!ret && read(fd, *data, *len) != (ssize_t)*len)
		ret = -EIO;
	close(fd);
	return ret;
}

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
	char *text = NULL;
	void *data = NULL;
	size_t len = 0;
	FILE *stream;
	int ret = slurp(path, &data, &len);

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
