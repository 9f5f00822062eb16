// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccctl.c - the command that checks, partitions and runs a box.
 *
 * main() takes the global options, finds the sub-command in the table and runs
 * it. What several commands need (the plan from configuration and topology, the
 * saved plan, messages) is here as well. A command prints its own results;
 * errors go to standard error.
 */
#include "boot/ccctl/ccctl.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "boot/host/lock.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_limits.h"

const char *ccctl_config = CONF_DEFAULT_FILE;

static const struct ccctl_command *const commands[] = {
	&cmd_check,
	&cmd_plan,
	&cmd_partition,
	&cmd_up,
	&cmd_down,
	&cmd_start,
	&cmd_stop,
	&cmd_restart,
	&cmd_status,
	&cmd_locks,
	&cmd_exec,
	&cmd_console,
	&cmd_log,
};

#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

static const struct ccctl_command *running;

int ccctl_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vwarnx(fmt, ap);
	va_end(ap);
	return CCCTL_ERROR;
}

int ccctl_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vwarnx(fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try: %s --help\n", program_invocation_short_name);
	return CCCTL_USAGE;
}

uint32_t ccctl_self(void)
{
	struct sharedpc_info info;
	int fd = open(SHAREDPC_DEVICE, O_RDWR | O_CLOEXEC);
	bool answered = fd >= 0 && !ioctl(fd, SHAREDPC_IOC_INFO, &info);

	if (fd >= 0)
		close(fd);
	return answered ? info.self : SHAREDPC_BOOT;
}

static int print_command_help(const struct ccctl_command *command)
{
	printf("Usage: ccctl %s%s%s\n\n%s.\n", command->name,
	       command->args[0] ? " " : "", command->args, command->summary);
	if (command->help)
		printf("\n%s", command->help);
	return CCCTL_OK;
}

static void say_waiting(pid_t holder)
{
	if (holder)
		ccctl_error("waiting for another ccctl (pid %d)", holder);
	else
		ccctl_error("waiting for another ccctl");
}

/* Mistakes in @diag, or the bare @err: printed, and the exit status. */
static int report_diag(struct diag *diag, int err)
{
	if (!err)
		return CCCTL_OK;
	if (diag_print(diag, stderr))
		return CCCTL_USAGE;
	return ccctl_error("%s: %s", diag->file, strerror(-err));
}

static int read_topology(const char *file, struct topology **topo)
{
	struct diag diag;
	int err, status;

	if (!file) {
		err = topology_read_live(topo);
		if (!err)
			return CCCTL_OK;
		return ccctl_error("cannot read this machine's topology: %s",
				   strerror(-err));
	}
	diag_init(&diag, file);
	status = report_diag(&diag, topology_read_file(file, topo, &diag));
	diag_free(&diag);
	return status;
}

int ccctl_make_plan(const char *topology, const char *root, struct plan **plan,
		    struct topology **topo)
{
	struct topology *machine = NULL;
	struct conf *conf = NULL;
	struct diag diag;
	int err, status;

	diag_init(&diag, ccctl_config);
	status = report_diag(&diag, conf_read(ccctl_config, &conf, &diag));
	if (!status)
		status = read_topology(topology, &machine);
	if (!status) {
		err = conf_check_machine(conf, machine, root ? root : "", &diag);
		if (!err)
			err = plan_make(conf, machine, plan, &diag);
		status = report_diag(&diag, err);
	}
	conf_free(conf);
	diag_free(&diag);
	if (!status && topo)
		*topo = machine;
	else
		topology_free(machine);
	return status;
}

/* The plan that `ccctl partition` saved. */
static int load_plan(struct plan **plan)
{
	struct diag diag;
	int err, status;

	diag_init(&diag, PLAN_FILE);
	err = plan_load(PLAN_FILE, plan, &diag);
	if (err == -ENOENT)
		status = ccctl_error("this machine is not partitioned; run ccctl partition first");
	else
		status = report_diag(&diag, err);
	diag_free(&diag);
	return status;
}

static void print_help(void)
{
	size_t i;

	printf("Usage: ccctl [-c FILE] COMMAND [ARGUMENT...]\n\n"
	       "Partition this machine into several Linux images and run them.\n\n"
	       "Commands:\n");
	for (i = 0; i < NCOMMANDS; i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	printf("\nOptions:\n"
	       "  -c, --config FILE  partition by FILE (default " CONF_DEFAULT_FILE ")\n"
	       "  -h, --help         print this, or with COMMAND what it does\n"
	       "  -V, --version      print the version\n\n"
	       "Exit status: 0 success, 1 error, 2 wrong usage or configuration.\n"
	       "See ccctl(1) and partitions.conf(5).\n");
}

enum option_kind { FLAG, TEXT, SECONDS, VARIABLE };

static const struct known_option {
	const char *name;
	int letter;		/* above 255: it has none */
	enum option_kind kind;
	size_t offset;		/* in struct ccctl_options */
} known_options[] = {
	{ "config", 'c', TEXT, offsetof(struct ccctl_options, config) },
	{ "topology", 256, TEXT, offsetof(struct ccctl_options, topology) },
	{ "root", 257, TEXT, offsetof(struct ccctl_options, root) },
	{ "save-topology", 258, TEXT, offsetof(struct ccctl_options, save_topology) },
	{ "json", 'j', FLAG, offsetof(struct ccctl_options, json) },
	{ "force", 'f', FLAG, offsetof(struct ccctl_options, force) },
	{ "dry-run", 'n', FLAG, offsetof(struct ccctl_options, dry_run) },
	{ "no-wait", 'n', FLAG, offsetof(struct ccctl_options, no_wait) },
	{ "follow", 'f', FLAG, offsetof(struct ccctl_options, follow) },
	{ "timeout", 't', SECONDS, offsetof(struct ccctl_options, timeout) },
	{ "env", 'e', VARIABLE, 0 },
	{ "workdir", 'w', TEXT, offsetof(struct ccctl_options, workdir) },
	{ "tty", 't', FLAG, offsetof(struct ccctl_options, tty) },
};

#define NOPTIONS	(sizeof(known_options) / sizeof(known_options[0]))

/* "1" .. "3600".  0 or -EINVAL. */
static int parse_seconds(const char *text, unsigned int *seconds)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n < 1 || n > 3600)
		return -EINVAL;
	*seconds = n;
	return 0;
}

/* -1: go on. */
static int take_option(const struct known_option *known, struct ccctl_options *opt)
{
	void *field = (char *)opt + known->offset;

	switch (known->kind) {
	case FLAG:
		*(bool *)field = true;
		break;
	case TEXT:
		*(const char **)field = optarg;
		break;
	case SECONDS:
		if (parse_seconds(optarg, field))
			return ccctl_usage("--%s wants seconds, 1 to 3600", known->name);
		break;
	case VARIABLE:
		if (!strchr(optarg, '='))
			return ccctl_usage("--%s wants VAR=VALUE", known->name);
		putenv(optarg);
		break;
	}
	return -1;
}

int ccctl_parse(int argc, char **argv, struct ccctl_options *opt)
{
	const struct known_option *of[NOPTIONS];
	struct option longs[NOPTIONS + 2] = { { "help", no_argument, NULL, 'h' } };
	char shorts[2 * NOPTIONS + 3], *end = shorts;
	int letter, status, n = 0;
	size_t i;

	if (running->options[0] == '+')
		*end++ = '+';
	*end++ = 'h';
	for (i = 0; i < NOPTIONS; i++) {
		const struct known_option *known = &known_options[i];
		bool flag = known->kind == FLAG;

		if (!strstr(running->options, known->name))
			continue;
		of[n++] = known;
		longs[n] = (struct option){ known->name, flag ? no_argument : required_argument,
					    NULL, known->letter };
		if (known->letter < 256)
			end = stpcpy(end, (char[]){ known->letter, flag ? '\0' : ':', '\0' });
	}
	*end = '\0';
	optind = 0;	/* glibc: start anew, also its inner state */
	while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (letter == 'h')
			return print_command_help(running);
		for (i = 0; i < (size_t)n && of[i]->letter != letter; i++)
			;
		status = i < (size_t)n ? take_option(of[i], opt) : ccctl_usage("wrong option");
		if (status >= 0)
			return status;
	}
	return -1;
}

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

/* Global options. -1: go on with argv[optind], else the exit status. */
static int parse_options(int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "+c:hV", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			ccctl_config = optarg;
			break;
		case 'h':
			print_help();
			return CCCTL_OK;
		case 'V':
			printf("ccctl %s\n", CCCTL_VERSION);
			return CCCTL_OK;
		default:
			fprintf(stderr, "Try: ccctl --help\n");
			return CCCTL_USAGE;
		}
	}
	return -1;
}

/* With the saved plan, or on those of its images that are called @names. */
static int on_plan(const struct ccctl_options *opt, char **names)
{
	struct several s;
	struct plan *plan;
	int status = load_plan(&plan);

	if (status)
		return status;
	if (running->on_plan) {
		status = running->on_plan(opt, plan);
	} else {
		status = several_open(&s, plan, names);
		if (!status) {
			status = running->act(opt, &s);
			box_close(&s.box);
		}
	}
	plan_free(plan);
	return status;
}

static int run(int argc, char **argv)
{
	struct ccctl_options opt = { .timeout = running->timeout };
	int status = ccctl_parse(argc, argv, &opt);
	struct why why;

	if (status >= 0)
		return status;
	argc -= optind;
	argv += optind;
	if (running->images && (!argc || (running->images == 1 && argc > 1)))
		return ccctl_usage("which image?");
	if (!running->images && argc)
		return ccctl_usage("unexpected argument \"%s\"", argv[0]);
	if (opt.config)
		ccctl_config = opt.config;
	/*
	 * Be the only ccctl that changes the box until this process exits. Before
	 * anything looks at the plan or at an image.
	 */
	if (running->changes && !opt.dry_run &&
	    lock_take(LOCK_FILE, LIMIT_LOCK_S, say_waiting, &why))
		return ccctl_error("%s", why.text);
	return running->run ? running->run(&opt, argc, argv) : on_plan(&opt, argv);
}

int main(int argc, char **argv)
{
	char title[32];
	int status;

	/* for messages */
	program_invocation_short_name = "ccctl";
	/* Who started us may ignore it, which exec passes on: no waitpid() then. */
	signal(SIGCHLD, SIG_DFL);
	status = parse_options(argc, argv);
	if (status >= 0)
		return status;
	argc -= optind;
	argv += optind;
	if (!argc)
		return ccctl_usage("no command given");
	for (size_t i = 0; i < NCOMMANDS && !running; i++)
		if (!strcmp(commands[i]->name, argv[0]))
			running = commands[i];
	if (!running)
		return ccctl_usage("unknown command \"%s\"", argv[0]);
	snprintf(title, sizeof(title), "ccctl %s", running->name);
	program_invocation_short_name = title;
	status = run(argc, argv);
	if (fflush(stdout) && !status)
		status = ccctl_error("standard output: %s", strerror(errno));
	return status;
}
