// SPDX-License-Identifier: GPL-2.0-only
/*
 * procfd.c - from an O_PATH descriptor to what it names, by /proc/self/fd.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "proxyd/export/procfd.h"

static int dir = -1;

int procfd_init(void)
{
	if (dir >= 0)
		close(dir);
	dir = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -errno : 0;
}

int procfd_dir(void)
{
	return dir;
}

const char *procfd_name(int fd, char name[PROCFD_PATH])
{
	snprintf(name, PROCFD_PATH, "%d", fd);
	return name;
}

const char *procfd_path(int fd, char path[PROCFD_PATH])
{
	snprintf(path, PROCFD_PATH, "/proc/self/fd/%d", fd);
	return path;
}

const char *procfd_where(int fd, char where[PATH_MAX])
{
	char name[PROCFD_PATH];
	int keep = errno;
	ssize_t len = readlinkat(dir, procfd_name(fd, name), where, PATH_MAX - 1);

	if (len < 0)
		where[0] = '?';
	where[len < 0 ? 1 : len] = '\0';
	errno = keep;
	return where;
}

int procfd_open(int fd, int flags)
{
	char name[PROCFD_PATH];
	int ret = openat(dir, procfd_name(fd, name), flags | O_CLOEXEC);

	return ret < 0 ? -errno : ret;
}
