/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ccctl.h - the sub-commands of ccctl and what they share.
 *
 * One file cmd-NAME.c per sub-command, but cmd-start.c has stop and restart as well;
 * ccctl.c has the table, the options and --help of all. A command returns its exit
 * status: CCCTL_OK, CCCTL_ERROR for an error, CCCTL_USAGE for wrong usage or a mistake
 * in the configuration; exec returns the command's own status.
 */
#ifndef BOOT_CCCTL_H
#define BOOT_CCCTL_H

#include "boot/conf/conf.h"
#include "boot/image/box.h"
#include "boot/machine/topology.h"
#include "boot/plan/plan.h"

#define CCCTL_VERSION	"0.1"

#define CCCTL_OK	0
#define CCCTL_ERROR	1
#define CCCTL_USAGE	2

#define CCCTL_SEVERAL	(-1)	/* at least one */

/* What a command was told. */
struct ccctl_options {
	const char *config;
	const char *topology;
	const char *root;
	const char *save_topology;
	const char *workdir;
	bool json, force, dry_run, no_wait, follow, tty;
	unsigned int timeout;	/* seconds */
};

/* The box, and images of it that something is done to. */
struct several {
	struct plan *plan;
	struct box box;
	const struct plan_image *images[PLAN_MAX_IMAGES];
	int count;
};

struct ccctl_command {
	const char *name;
	/* One of these; argv is what follows the options, and ends with NULL. */
	int (*run)(const struct ccctl_options *opt, int argc, char **argv);
	int (*act)(const struct ccctl_options *opt, struct several *s);	/* on the images */
	int (*on_plan)(const struct ccctl_options *opt, struct plan *plan);	/* the saved one */
	const char *options;	/* "timeout, force"; "+": only those before the first word */
	int images;		/* how many are named, or CCCTL_SEVERAL */
	bool changes;		/* the box, unless --dry-run: one at a time */
	unsigned int timeout;	/* unless --timeout */
	const char *args;	/* "[--json] IMAGE", for the usage line */
	const char *summary;	/* "start an image", one line */
	const char *help;	/* options and details, lines ended by \n */
};

/* Listed in ccctl.c. */
extern const struct ccctl_command cmd_check;
extern const struct ccctl_command cmd_plan;
extern const struct ccctl_command cmd_partition;
extern const struct ccctl_command cmd_up;
extern const struct ccctl_command cmd_down;
extern const struct ccctl_command cmd_start;
extern const struct ccctl_command cmd_stop;
extern const struct ccctl_command cmd_restart;
extern const struct ccctl_command cmd_status;
extern const struct ccctl_command cmd_locks;
extern const struct ccctl_command cmd_exec;
extern const struct ccctl_command cmd_console;
extern const struct ccctl_command cmd_log;

/* -c/--config, or CONF_DEFAULT_FILE. */
extern const char *ccctl_config;

/* This image's id. */
uint32_t ccctl_self(void);

/* Options of the running command in @argv, from the second on. -1: go on at optind. */
int ccctl_parse(int argc, char **argv, struct ccctl_options *opt);

/* "ccctl NAME: message" on standard error; returns CCCTL_ERROR. */
int ccctl_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same plus a pointer to --help; returns CCCTL_USAGE. */
int ccctl_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Read configuration and topology (@topology: file name, or NULL for this
 * machine), check all, make the plan. Prints every mistake.
 * CCCTL_OK and *@plan, *@topo (unless that is NULL), else the exit status.
 * @root as in conf_check_machine(), or NULL for "".
 */
int ccctl_make_plan(const char *topology, const char *root, struct plan **plan,
		    struct topology **topo);
/*
 * several.c: what start, stop, restart, up and down have in common.  Errors are
 * printed; results are exit statuses.  One image's failure does not keep the
 * others from being tried.
 *
 * Open the box of @plan; find the images called @names, NULL-terminated.
 */
int several_open(struct several *s, struct plan *plan, char **names);
/*
 * Start all, wait up to @timeout seconds for each to come up (0: do not
 * wait).  An image that fails is stopped and its last lines are shown.
 */
int several_start(struct several *s, unsigned int timeout);
/* @grace seconds to shut down by themselves, 0: none. */
int several_stop(struct several *s, unsigned int grace);

#endif
