// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-stop.c - ccctl stop: end images, take their CPUs back
 */

#include "boot/ccctl/ccctl.h"
#include "boot/ccctl/several.h"
#include "sharedpc_limits.h"

static int stop(const struct ccctl_options *opt, struct several *s)
{
	return several_stop(s, opt->force ? 0 : opt->timeout);
}

const struct ccctl_command cmd_stop = {
	.name = "stop",
	.act = stop,
	.options = "force, timeout",
	.images = CCCTL_SEVERAL,
	.changes = true,
	.timeout = LIMIT_GRACE_S,
	.args = "[--force] [--timeout SECONDS] IMAGE...",
	.summary = "Stop images and take their CPUs back",
	.help =
"  -f, --force            stop the CPUs at once\n"
"  -t, --timeout SECONDS  let each shut itself down for that long first\n"
"                         (default 10)\n"
"An image that has ended by itself (halted, rebooted, panicked) is cleaned up.\n"
"Stopping one that does not run is no error.\n",
};
