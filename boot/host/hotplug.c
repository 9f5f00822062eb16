// SPDX-License-Identifier: GPL-2.0-only
/*
 * hotplug.c - takes CPUs from this kernel and gives them back, through sysfs
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "boot/host/hotplug.h"

static int open_online(int cpu, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	return open(path, flags | O_CLOEXEC);
}

int hotplug_is_online(int cpu)
{
	int fd = open_online(cpu, O_RDONLY);
	char c = 0;
	int ret;

	if (fd < 0)
		return -errno;
	ret = read(fd, &c, 1) == 1 ? c == '1' : -EIO;
	close(fd);
	return ret;
}

int hotplug_set_online(int cpu, bool online, struct why *why)
{
	int fd, ret = 0, is = hotplug_is_online(cpu);

	if (is == online)
		return 0;
	fd = open_online(cpu, O_WRONLY);
	if (fd < 0 || write(fd, online ? "1" : "0", 1) != 1)
		ret = -errno;
	if (fd >= 0)
		close(fd);
	if (ret == -ENOENT)
		return why_set(why, ret, "this kernel has no CPU %d to switch %s",
			       cpu, online ? "on" : "off");
	if (ret)
		return why_set(why, ret, "CPU %d cannot be taken %s: %s", cpu,
			       online ? "on-line" : "off-line", strerror(-ret));
	return 0;
}
