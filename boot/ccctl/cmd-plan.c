// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-plan.c - ccctl plan: which image would get what?
 *
 * Like check, but prints the whole plan: what `ccctl partition` would save and
 * put on the boot image's command line. With --save-topology it writes down
 * this machine instead, for planning elsewhere.
 */
#include <string.h>

#include "boot/ccctl/ccctl.h"

static int save_topology(const char *path)
{
	struct topology *topo;
	int err = topology_read_live(&topo);

	if (err)
		return ccctl_error("cannot read this machine's topology: %s",
				   strerror(-err));
	if (strcmp(path, "-"))
		err = topology_save(topo, path);
	else
		err = topology_write(topo, stdout);
	topology_free(topo);
	if (err)
		return ccctl_error("%s: %s", path, strerror(-err));
	return CCCTL_OK;
}

static int print_plan(const struct ccctl_options *opt)
{
	struct topology *topo;
	struct plan *plan;
	int err, status;

	status = ccctl_make_plan(opt->topology, opt->root, &plan, &topo);
	if (status)
		return status;
	if (opt->json)
		err = plan_print_json(plan, stdout);
	else
		err = plan_print(plan, topo, stdout);
	plan_free(plan);
	topology_free(topo);
	if (err)
		return ccctl_error("cannot print: %s", strerror(-err));
	return CCCTL_OK;
}

static int run(const struct ccctl_options *opt, int argc, char **argv)
{
	return opt->save_topology ? save_topology(opt->save_topology) : print_plan(opt);
}

const struct ccctl_command cmd_plan = {
	.name = "plan",
	.run = run,
	.options = "config, topology, root, json, save-topology",
	.args = "[-c FILE] [--json] [--topology FILE] [--root DIR] [--save-topology FILE]",
	.summary = "Show which CPUs, memory, devices and files each image would get",
	.help =
"  -c, --config FILE         plan by FILE (default " CONF_DEFAULT_FILE ")\n"
"      --json                print JSON\n"
"      --topology FILE       for the machine described in FILE, not this one\n"
"      --root DIR            look for exported paths below DIR\n"
"      --save-topology FILE  only write this machine's topology to FILE (- for\n"
"                            standard output); as root, to be complete\n",
};
