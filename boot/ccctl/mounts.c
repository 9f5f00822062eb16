// SPDX-License-Identifier: GPL-2.0-only
/*
 * mounts.c - what this image has mounted, see mounts.h
 *
 * From /proc/self/mountstats, where sharedpc.ko counts for each mount what it knew (hit),
 * what it did not (ask), and of that what it asked the owner for without FUSE (direct).
 */
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "boot/ccctl/mounts.h"
#include "boot/machine/saved.h"

struct counters {
	uint64_t hit, ask, direct;
};

/* The next one of @f: its source and path, and the line of its counters.  False: no more. */
static bool mount_next(FILE *f, char source[PATH_MAX], char path[PATH_MAX], char *line,
		       size_t size)
{
	while (fgets(line, size, f)) {
		if (!strstr(line, " with fstype fuse.ccfs statvers=") ||
		    sscanf(line, "device %4095s mounted on %4095s ", source, path) != 2)
			continue;
		if (fgets(line, size, f) && !strncmp(line, "\tnames:", 7))
			return true;
	}
	return false;
}

/* The next counter of *@line.  False: no more. */
static bool counter_next(char **line, char name[32], uint64_t *value)
{
	int len = 0;

	if (sscanf(*line, " %31s %" SCNu64 "%n", name, value, &len) != 2)
		return false;
	*line += len;
	return true;
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len >= n && !strcmp(name + len - n, end);
}

static struct counters counters_of(char *line)
{
	struct counters c = { 0 };
	uint64_t value;
	char name[32];

	while (counter_next(&line, name, &value)) {
		if (ends_with(name, "-hit"))
			c.hit += value;
		else if (ends_with(name, "-ask") || !strcmp(name, "list"))
			c.ask += value;
		else if (!strcmp(name, "direct"))
			c.direct = value;
	}
	return c;
}

void mounts_print(void)
{
	char source[PATH_MAX], path[PATH_MAX], line[3 * PATH_MAX];
	FILE *f = fopen("/proc/self/mountstats", "re");
	struct counters c;
	bool any = false;

	while (f && mount_next(f, source, path, line, sizeof(line))) {
		if (!any)
			printf("\n%-24s %12s %12s %12s  %s\n", "MOUNT", "KNOWN", "ASKED",
			       "DIRECTLY", "PATH");
		any = true;
		c = counters_of(line + 7);
		printf("%-24s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "  %s\n", source, c.hit,
		       c.ask, c.direct, path);
	}
	if (f)
		fclose(f);
}

static json_t *mount_json(const char *source, const char *path, char *line)
{
	json_t *mount = json_pack("{s:s, s:s}", "source", source, "path", path);
	uint64_t value;
	char name[32];

	while (mount && counter_next(&line, name, &value))
		json_object_set_new(mount, name, json_integer(value));
	return mount;
}

json_t *mounts_json(void)
{
	char source[PATH_MAX], path[PATH_MAX], line[3 * PATH_MAX];
	FILE *f = fopen("/proc/self/mountstats", "re");
	json_t *list = json_array();

	while (f && mount_next(f, source, path, line, sizeof(line)))
		saved_append(&list, mount_json(source, path, line + 7));
	if (f)
		fclose(f);
	return list;
}
