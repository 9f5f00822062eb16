// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-restart.c - ccctl restart: stop images, start them again
 *
 * None is stopped that could not be started again.
 */
#include <getopt.h>

#include "boot/ccctl/ccctl.h"
#include "boot/ccctl/several.h"
#include "sharedpc_limits.h"

static const struct option options[] = {
	{ "force", no_argument, NULL, 'f' },
	{ "timeout", required_argument, NULL, 't' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static int run(int argc, char **argv)
{
	unsigned int grace = LIMIT_GRACE_S, timeout = LIMIT_IMAGE_UP_S;
	struct several s;
	int opt, status;

	while ((opt = getopt_long(argc, argv, "ft:h", options, NULL)) != -1) {
		switch (opt) {
		case 'f':
			grace = 0;
			break;
		case 't':
			if (several_seconds(optarg, &timeout))
				return ccctl_usage("--timeout wants seconds, 1 to 3600");
			break;
		case 'h':
			return ccctl_help(&cmd_restart);
		default:
			return ccctl_usage("wrong option");
		}
	}
	if (optind == argc)
		return ccctl_usage("which image?");
	status = ccctl_lock();
	if (!status)
		status = several_open(&s, argv + optind);
	if (status)
		return status;
	status = several_check(&s);
	if (!status)
		status = several_stop(&s, grace);
	if (!status)
		status = several_start(&s, timeout);
	several_close(&s);
	return status;
}

const struct ccctl_command cmd_restart = {
	.name = "restart",
	.run = run,
	.args = "[--force] [--timeout SECONDS] IMAGE...",
	.summary = "Stop images and start them again",
	.help =
"  -f, --force            stop the CPUs at once\n"
"  -t, --timeout SECONDS  give each that long to come up (default 60)\n",
};
