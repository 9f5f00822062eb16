// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-start.c - ccctl start: run images
 */
#include "boot/ccctl/ccctl.h"
#include "boot/ccctl/several.h"
#include "sharedpc_limits.h"

static int start(const struct ccctl_options *opt, struct several *s)
{
	return several_start(s, opt->no_wait ? 0 : opt->timeout);
}

const struct ccctl_command cmd_start = {
	.name = "start",
	.act = start,
	.options = "timeout, no-wait",
	.images = CCCTL_SEVERAL,
	.changes = true,
	.timeout = LIMIT_IMAGE_UP_S,
	.args = "[--timeout SECONDS] [--no-wait] IMAGE...",
	.summary = "Start images and wait until they take commands",
	.help =
"  -t, --timeout SECONDS  give each that long to come up (default 60); one that\n"
"                         does not is stopped, its console's last lines are shown\n"
"  -n, --no-wait          only start them\n",
};
