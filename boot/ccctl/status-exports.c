// SPDX-License-Identifier: GPL-2.0-only
/*
 * status-exports.c - are names of an export remembered? See status-exports.h
 *
 * sharedpc.ko decides that by the kind of file system, so it is asked: a watch
 * that it grants lasts as long as the device is open, here for a moment. That of another
 * image cannot be asked here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "boot/ccctl/status-exports.h"
#include "boot/machine/saved.h"
#include "sharedpc_ioctl.h"

static const char *names_of(const struct plan_export *e)
{
	struct sharedpc_watch want = { 0 };
	const char *names = "unknown";
	int dev;

	if (e->image != SHAREDPC_BOOT)
		return names;
	dev = open(SHAREDPC_DEVICE, O_RDWR | O_CLOEXEC);
	want.fd = open(e->path, O_PATH | O_CLOEXEC);
	if (dev >= 0 && want.fd >= 0) {
		if (!ioctl(dev, SHAREDPC_IOC_WATCH, &want))
			names = "remembered";
		else if (errno == EOPNOTSUPP)
			names = "asked";
	}
	if (want.fd >= 0)
		close(want.fd);
	if (dev >= 0)
		close(dev);
	return names;
}

void exports_print_text(const struct plan *plan)
{
	if (plan->nexports)
		printf("\n%-10s %-10s %-10s  %s\n", "EXPORT", "OWNER", "NAMES", "PATH");
	for (int i = 0; i < plan->nexports; i++) {
		const struct plan_export *e = &plan->exports[i];

		printf("%-10s %-10s %-10s  %s\n", e->name, plan->images[e->image].name,
		       names_of(e), e->path);
	}
}

json_t *exports_json(const struct plan *plan)
{
	json_t *list = json_array();

	for (int i = 0; i < plan->nexports; i++) {
		const struct plan_export *e = &plan->exports[i];

		saved_append(&list, json_pack("{s:s, s:s, s:s, s:s}", "export", e->name,
			"owner", plan->images[e->image].name, "path", e->path,
			"names", names_of(e)));
	}
	return list;
}
