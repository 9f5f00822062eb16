// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-start.c - ccctl start, stop and restart: images that are named
 */
#include "boot/ccctl/ccctl.h"
#include "boot/image/image.h"
#include "sharedpc_limits.h"

static int start(const struct ccctl_options *opt, struct several *s)
{
	return several_start(s, opt->no_wait ? 0 : opt->timeout);
}

static int stop(const struct ccctl_options *opt, struct several *s)
{
	return several_stop(s, opt->force ? 0 : opt->timeout);
}

/* None is stopped that could not be started again. */
static int restart(const struct ccctl_options *opt, struct several *s)
{
	int status = CCCTL_OK;
	struct why why;

	for (int i = 0; i < s->count; i++)
		if (image_check(&s->box, s->images[i], &why))
			status = ccctl_error("%s", why.text);
	if (!status)
		status = several_stop(s, opt->force ? 0 : LIMIT_GRACE_S);
	return status ? status : several_start(s, opt->timeout);
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
