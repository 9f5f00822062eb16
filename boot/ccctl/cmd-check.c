// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-check.c - ccctl check: is partitions.conf right for this machine?
 *
 * Reads, resolves, changes nothing. All mistakes are printed, each with its
 * line; without any, one line says what would run.
 */
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "boot/ccctl/ccctl.h"

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "topology", required_argument, NULL, 't' },
	{ "root", required_argument, NULL, 'r' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static int run(int argc, char **argv)
{
	const char *topology = NULL, *root = "";
	struct plan *plan;
	char size[24];
	int opt, status;

	while ((opt = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			ccctl_config = optarg;
			break;
		case 't':
			topology = optarg;
			break;
		case 'r':
			root = strcmp(optarg, "/") ? optarg : "";
			break;
		case 'h':
			return ccctl_help(&cmd_check);
		default:
			return ccctl_usage("wrong option");
		}
	}
	if (optind < argc)
		return ccctl_usage("unexpected argument \"%s\"", argv[optind]);
	status = ccctl_make_plan(topology, root, &plan, NULL);
	if (status)
		return status;
	printf("%s: OK, %d images, region of %s\n", ccctl_config, plan->nimages,
	       values_size_str(plan_region_size(plan), size, sizeof(size)));
	plan_print_devices(plan, stdout);
	plan_free(plan);
	return CCCTL_OK;
}

const struct ccctl_command cmd_check = {
	.name = "check",
	.run = run,
	.args = "[-c FILE] [--topology FILE] [--root DIR]",
	.summary = "Check partitions.conf against this machine, change nothing",
	.help =
"  -c, --config FILE    check FILE (default " CONF_DEFAULT_FILE ")\n"
"      --topology FILE  for the machine described in FILE, not this one\n"
"      --root DIR       look for exported paths below DIR\n",
};
