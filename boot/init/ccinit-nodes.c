// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccinit-nodes.c - device nodes whose opening loads a module
 *
 * /dev/loop-control, say: the kernel makes the node when the module is loaded, and asks
 * for the module when the node is opened.  What of that kind there is, depmod has written
 * down, as on any Debian.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include "boot/init/ccinit.h"

/*
 * Not these: vhost-vsock would take the image's own way out (AF_VSOCK) from it, and nvram
 * uses ports of which the machine has one set, the boot image's.
 */
static bool is_unwanted(const char *name)
{
	return !strcmp(name, "vhost-vsock") || !strcmp(name, "nvram") || strstr(name, "..");
}

/* For a line like "tun net/tun c10:200". */
static void make_node(const char *line)
{
	char path[128] = "/dev/", type;
	unsigned int major, minor;
	char *name = path + strlen(path);

	if (sscanf(line, "%*s %99s %c%u:%u", name, &type, &major, &minor) != 4 ||
	    (type != 'c' && type != 'b') || is_unwanted(name))
		return;
	for (char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	if (mknod(path, 0600 | (type == 'b' ? S_IFBLK : S_IFCHR), makedev(major, minor)) &&
	    errno != EEXIST)
		ccinit_say("%s: %s", path, strerror(errno));
}

void ccinit_make_nodes(void)
{
	char path[256], line[256];
	struct utsname kernel;
	FILE *nodes;
	int fd;

	uname(&kernel);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.devname", kernel.release);
	fd = ccinit_open_in_root(path, O_RDONLY | O_NONBLOCK);
	/* A root without modules for this kernel loads none. */
	if (fd < 0)
		return;
	nodes = fdopen(fd, "r");
	while (nodes && fgets(line, sizeof(line), nodes))
		make_node(line);
	if (nodes)
		fclose(nodes);
}
