// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-check.c - ccctl check: is partitions.conf right for this machine?
 *
 * Reads, resolves, changes nothing. All mistakes are printed, each with its
 * line; without any, one line says what would run.
 */
#include "boot/ccctl/ccctl.h"

static int run(const struct ccctl_options *opt, int argc, char **argv)
{
	struct plan *plan;
	char size[24];
	int status = ccctl_make_plan(opt->topology, opt->root, &plan, NULL);

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
	.options = "config, topology, root",
	.args = "[-c FILE] [--topology FILE] [--root DIR]",
	.summary = "Check partitions.conf against this machine, change nothing",
	.help =
"  -c, --config FILE    check FILE (default " CONF_DEFAULT_FILE ")\n"
"      --topology FILE  for the machine described in FILE, not this one\n"
"      --root DIR       look for exported paths below DIR\n",
};
