// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-down.c - ccctl down: only the boot image remains
 *
 * The way of up backwards.  A step that fails is reported and the next one is
 * tried, except that a module is not unloaded under an image that runs.
 */
#include <unistd.h>

#include "boot/ccctl/ccctl.h"
#include "boot/host/services.h"
#include "boot/image/image.h"
#include "sharedpc_limits.h"

/* Stop what runs.  A CPU that does not come home is only noted in @failed. */
static int stop_images(struct plan *plan, unsigned int grace, int *failed)
{
	struct several s = { .plan = plan };
	struct why why;
	int status;

	if (access(CCBOOT_DEVICE, F_OK))
		return CCCTL_OK;
	if (box_open(&s.box, plan, &why))
		return ccctl_error("%s", why.text);
	for (int i = 1; i < plan->nimages; i++) {
		/* There is nothing to stop and to talk of, only to tidy up. */
		if (box_status(&s.box, i).state >= CCBOOT_LENT)
			s.images[s.count++] = &plan->images[i];
		else if (image_stop(&s.box, &plan->images[i], 0, &why))
			*failed = ccctl_error("%s", why.text);
	}
	status = several_stop(&s, grace);
	box_close(&s.box);
	return status;
}

static int down(const struct ccctl_options *opt, struct plan *plan)
{
	int status = CCCTL_OK, stopped;
	struct why why;

	if (services_unmount(plan, &why))
		status = ccctl_error("%s", why.text);
	stopped = stop_images(plan, opt->force ? 0 : LIMIT_GRACE_S, &status);
	if (services_stop_proxyd(&why))
		status = ccctl_error("%s", why.text);
	if (stopped)
		return stopped;
	if (services_unload_modules(&why))
		status = ccctl_error("%s", why.text);
	return status;
}

const struct ccctl_command cmd_down = {
	.name = "down",
	.on_plan = down,
	.options = "force",
	.changes = true,
	.args = "[--force]",
	.summary = "Unmount the shared files, stop every image, take all CPUs back",
	.help =
"  -f, --force  stop the images' CPUs at once\n"
"The boot image keeps running, with all CPUs; the memory stays partitioned.\n",
};
