// SPDX-License-Identifier: GPL-2.0-only
/*
 * idmap.c - a mount on which users and groups are others than on the disk.
 *
 * The kernel takes such a map in the form of a user namespace, which a process has to be
 * in when it is made. For a mount "inside" are the ids on the disk, "outside" are those
 * that are seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxyd/export/idmap.h"

#define LINE	40	/* bytes: three numbers */

/* In the child: say when it is there, then stay until we are killed. */
static void stay(int ready)
{
	char byte = unshare(CLONE_NEWUSER) ? errno : 0;

	if (write(ready, &byte, 1) == 1)
		pause();
	_exit(0);
}

static int put_map(pid_t pid, const char *file, const char *text)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	n = n < 0 ? -errno : 0;
	close(fd);
	return n;
}

static int take_namespace(pid_t pid, const struct conf_map *map, int n)
{
	char text[CONF_MAX_MAPS * LINE], path[64];
	size_t len = 0;
	int i, fd, ret;

	for (i = 0; i < n; i++)
		len += snprintf(text + len, sizeof(text) - len, "%u %u %u\n", map[i].owner,
				map[i].client, map[i].count);
	ret = put_map(pid, "uid_map", text);
	if (!ret)
		ret = put_map(pid, "gid_map", text);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int idmap_open(const struct conf_map *map, int n)
{
	int ready[2], ret;
	char byte = EIO;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid) {
		close(ready[0]);
		stay(ready[1]);
	}
	ret = pid < 0 ? -errno : 0;
	close(ready[1]);
	if (!ret && read(ready[0], &byte, 1) != 1)
		byte = EIO;
	close(ready[0]);
	if (ret)
		return ret;
	ret = byte ? -byte : take_namespace(pid, map, n);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return ret;
}
