// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-start.c - ccctl start: run images
 */
#include <getopt.h>
#include <stdlib.h>

#include "boot/ccctl/ccctl.h"
#include "boot/ccctl/several.h"
#include "sharedpc_limits.h"

static const struct option options[] = {
	{ "timeout", required_argument, NULL, 't' },
	{ "no-wait", no_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static int run(int argc, char **argv)
{
	unsigned int timeout = LIMIT_IMAGE_UP_S;
	bool wait = true;
	struct several s;
	int opt, status;

	while ((opt = getopt_long(argc, argv, "t:nh", options, NULL)) != -1) {
		switch (opt) {
		case 't':
			if (several_seconds(optarg, &timeout))
				return ccctl_usage("--timeout wants seconds, 1 to 3600");
			break;
		case 'n':
			wait = false;
			break;
		case 'h':
			return ccctl_help(&cmd_start);
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
	status = several_start(&s, wait ? timeout : 0);
	several_close(&s);
	return status;
}

const struct ccctl_command cmd_start = {
	.name = "start",
	.run = run,
	.args = "[--timeout SECONDS] [--no-wait] IMAGE...",
	.summary = "Start images and wait until they take commands",
	.help =
"  -t, --timeout SECONDS  give each that long to come up (default 60); one that\n"
"                         does not is stopped, its console's last lines are shown\n"
"  -n, --no-wait          only start them\n",
};
