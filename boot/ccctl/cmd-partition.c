// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-partition.c - ccctl partition: make this machine the boot image
 *
 * Plan and check all, load the kernel, save plan and topology, jump.  On success
 * it does not return: the machine comes back as the boot image in a few seconds.
 * On failure the saved plan is what it was and no kernel is left loaded.
 */
#include <string.h>
#include <unistd.h>

#include "boot/ccctl/ccctl.h"
#include "boot/host/lock.h"
#include "boot/host/repartition.h"
#include "boot/text/save.h"

static void restore(const char *path)
{
	int err = save_restore(path);

	if (err)
		ccctl_error("%s: cannot put the old one back: %s", path,
			    strerror(-err));
}

static void restore_plan(void)
{
	restore(TOPO_SAVED_FILE);
	restore(PLAN_FILE);
}

/* What is to outlive the kexec. CCCTL_OK, or CCCTL_ERROR and the files are as before. */
static int save_plan(const struct plan *plan, const struct topology *topo)
{
	const char *path = TOPO_SAVED_FILE;
	int err = save_keep(TOPO_SAVED_FILE);

	if (!err)
		err = save_keep(PLAN_FILE);
	if (err)
		return ccctl_error("cannot keep the old plan: %s", strerror(-err));
	err = topology_save(topo, path);
	if (!err) {
		path = PLAN_FILE;
		err = plan_save(plan, path);
	}
	if (!err)
		return CCCTL_OK;
	ccctl_error("%s: %s", path, strerror(-err));
	restore_plan();
	return CCCTL_ERROR;
}

/*
 * Whoever interrupts this would leave the new plan on the machine that the old
 * one made.  What is slow comes before.
 */
static int save_and_jump(const struct repartition *r, const struct plan *plan)
{
	struct why why;
	sigset_t old;
	int status;

	sync();
	signals_hold(&old);
	status = save_plan(plan, r->topo);
	if (!status) {
		printf("jumping into the boot image\n");
		fflush(stdout);
		repartition_jump(&why);
		status = ccctl_error("%s", why.text);
		restore_plan();
	}
	signals_release(&old);
	return status;
}

static int jump(const struct repartition *r, const struct plan *plan)
{
	struct why why;
	int status;

	printf("loading %s\n", r->kernel);
	if (repartition_load(r, &why))
		return ccctl_error("%s", why.text);
	status = save_and_jump(r, plan);
	repartition_unload();
	return status;
}

static int run(const struct ccctl_options *opt, int argc, char **argv)
{
	struct repartition r;
	struct topology *topo;
	struct plan *plan;
	struct why why;
	int status;

	status = ccctl_make_plan(NULL, NULL, &plan, &topo);
	if (status)
		return status;
	if (repartition_prepare(&r, plan, topo, &why)) {
		status = ccctl_error("%s", why.text);
	} else if (opt->dry_run) {
		printf("kernel:       %s\ninitrd:       SRAT with a spare node%s%s\n"
		       "command line: %s\n", r.kernel,
		       r.initrd[0] ? ", " : "", r.initrd, r.cmdline);
	} else {
		status = jump(&r, plan);
	}
	repartition_free(&r);
	plan_free(plan);
	topology_free(topo);
	return status;
}

const struct ccctl_command cmd_partition = {
	.name = "partition",
	.run = run,
	.options = "config, dry-run",
	.changes = true,
	.args = "[-c FILE] [--dry-run]",
	.summary = "Restart this machine by kexec as the boot image of a partition",
	.help =
"  -c, --config FILE  partition by FILE (default " CONF_DEFAULT_FILE ")\n"
"  -n, --dry-run      only print what would be loaded\n"
"All programs of this machine end, as in a reboot, but firmware does not run.\n"
"Then ccctl up starts the other images. Images that run must be stopped first.\n",
};
