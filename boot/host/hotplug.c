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
#include "boot/text/slurp.h"

#define ONLINE		"/sys/devices/system/cpu/cpu%d/online"

int hotplug_is_online(int cpu)
{
	char text[8];
	int err = slurp_line(text, sizeof(text), ONLINE, cpu);

	return err ? err : text[0] == '1';
}

int hotplug_set_online(int cpu, bool online, struct why *why)
{
	int fd, ret = 0;
	char path[64];

	if (hotplug_is_online(cpu) == online)
		return 0;
	snprintf(path, sizeof(path), ONLINE, cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
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
