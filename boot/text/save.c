// SPDX-License-Identifier: GPL-2.0-only
/*
 * save.c - replace a file whole or not at all. See save.h.
 */
#include "boot/text/save.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int save_make_parents(const char *path)
{
	char dir[PATH_MAX];
	char *slash;

	strcpy(dir, path);
	for (slash = strchr(dir + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

/* The rename itself is durable once the directory is on the disk. */
static int sync_parent(const char *path)
{
	char dir[PATH_MAX];
	int fd, err = 0;

	strcpy(dir, path);
	fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

int save_file(const char *path, int (*write)(FILE *out, const void *data),
	      const void *data)
{
	char temp[PATH_MAX];
	FILE *out;
	int err;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return -ENAMETOOLONG;
	err = save_make_parents(path);
	if (err)
		return err;
	out = fopen(temp, "we");
	if (!out)
		return -errno;
	err = write(out, data);
	if (!err && (fflush(out) || fsync(fileno(out))))
		err = -errno;
	if (fclose(out) && !err)
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (err) {
		unlink(temp);
		return err;
	}
	return sync_parent(path);
}

static int old_name(const char *path, char *old, size_t len)
{
	return snprintf(old, len, "%s.old", path) >= (int)len ? -ENAMETOOLONG : 0;
}

int save_keep(const char *path)
{
	char old[PATH_MAX];
	int err = old_name(path, old, sizeof(old));

	if (err)
		return err;
	if (unlink(old) && errno != ENOENT)
		return -errno;
	/* A second name of the old file: it stays when @path is renamed over. */
	if (link(path, old) && errno != ENOENT)
		return -errno;
	return 0;
}

int save_restore(const char *path)
{
	char old[PATH_MAX];
	int err = old_name(path, old, sizeof(old));

	if (err)
		return err;
	if (!access(old, F_OK))
		err = rename(old, path) ? -errno : 0;
	else if (unlink(path) && errno != ENOENT)
		err = -errno;
	return err ? err : sync_parent(path);
}
