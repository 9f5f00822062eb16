// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-plan.c - ccctl plan: which image would get what?
 *
 * Like check, but prints the whole plan: what `ccctl partition` would save and
 * put on the boot image's command line. With --save-topology it writes down
 * this machine instead, for planning elsewhere.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#include "boot/ccctl/ccctl.h"

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "topology", required_argument, NULL, 't' },
	{ "root", required_argument, NULL, 'r' },
	{ "json", no_argument, NULL, 'j' },
	{ "save-topology", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

struct args {
	const char *topology;
	const char *root;
	const char *save;
	bool json;
};

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

static int print_plan(const struct args *args)
{
	struct topology *topo;
	struct plan *plan;
	int err, status;

	status = ccctl_make_plan(args->topology, args->root, &plan, &topo);
	if (status)
		return status;
	if (args->json)
		err = plan_print_json(plan, stdout);
	else
		err = plan_print(plan, topo, stdout);
	plan_free(plan);
	topology_free(topo);
	if (err)
		return ccctl_error("cannot print: %s", strerror(-err));
	return CCCTL_OK;
}

static int run(int argc, char **argv)
{
	struct args args = { .root = "" };
	int opt;

	while ((opt = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			ccctl_config = optarg;
			break;
		case 't':
			args.topology = optarg;
			break;
		case 'r':
			args.root = strcmp(optarg, "/") ? optarg : "";
			break;
		case 'j':
			args.json = true;
			break;
		case 's':
			args.save = optarg;
			break;
		case 'h':
			return ccctl_help(&cmd_plan);
		default:
			return ccctl_usage("wrong option");
		}
	}
	if (optind < argc)
		return ccctl_usage("unexpected argument \"%s\"", argv[optind]);
	return args.save ? save_topology(args.save) : print_plan(&args);
}

const struct ccctl_command cmd_plan = {
	.name = "plan",
	.run = run,
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
