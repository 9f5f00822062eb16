// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-restart.c - ccctl restart: stop images, start them again
 *
 * None is stopped that could not be started again.
 */

#include "boot/ccctl/ccctl.h"
#include "boot/ccctl/several.h"
#include "sharedpc_limits.h"

static int restart(const struct ccctl_options *opt, struct several *s)
{
	int status = several_check(s);

	if (!status)
		status = several_stop(s, opt->force ? 0 : LIMIT_GRACE_S);
	return status ? status : several_start(s, opt->timeout);
}

const struct ccctl_command cmd_restart = {
	.name = "restart",
	.act = restart,
	.options = "force, timeout",
	.images = CCCTL_SEVERAL,
	.changes = true,
	.timeout = LIMIT_IMAGE_UP_S,
	.args = "[--force] [--timeout SECONDS] IMAGE...",
	.summary = "Stop images and start them again",
	.help =
"  -f, --force            stop the CPUs at once\n"
"  -t, --timeout SECONDS  give each that long to come up (default 60)\n",
};
