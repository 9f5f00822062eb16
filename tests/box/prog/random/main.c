// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - who runs on an image, and what comes out of it
 *
 *	random init --dir DIR --table FILE --writers N --runs N
 *	random run --dir DIR --table FILE [--writer I]... [--move] [--readers N]
 *		   [--seconds N] [--drop] [--seed N]
 *
 * init makes tree and table, once, on the owner.  Then --runs runs, on any
 * images, begin together and end together: --writer I is one of the N writers,
 * each of which must be in one run, --move is the one who moves directories;
 * readers are in turn root and a user; --drop drops caches every second.  When
 * all have ended each run looks at all of the tree once more.
 *
 * Status 0: nobody saw what cannot have been, nor got an error that he should
 * not; 1: somebody did; 2: the test itself did not work.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "random.h"

static struct {
	const char *table;
	unsigned int writers[WRITERS], nr_writers;	/* of this run */
	unsigned int all_writers, runs, readers;
	bool move, drop;
} opt;

static struct run run = { .seconds = 30, .seed = 1 };

static int fail(const char *what, int err)
{
	fprintf(stderr, "random: %s: %s\n", what, strerror(-err));
	return 2;
}

static int init(void)
{
	int ret;

	if (mkdir(run.dir, 0755) && errno != EEXIST)
		return fail(run.dir, -errno);
	ret = table_open(opt.table, true, &run.table);
	if (ret)
		return fail(opt.table, ret);
	ret = make_tree(&run);
	if (ret)
		return fail("tree", ret);
	run.table->runs = opt.runs;
	run.table->writers = opt.all_writers;
	__atomic_store_n(&run.table->magic, TABLE_MAGIC, __ATOMIC_RELEASE);
	return 0;
}

static int open_dirs(void)
{
	char path[256];

	for (unsigned int i = 0; i < DIRS; i++) {
		snprintf(path, sizeof(path), "%s/p%u", run.dir, i);
		run.dirs[i] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (run.dirs[i] < 0)
			return -errno;
	}
	return 0;
}

/* All runs come here, and go on together. */
static int meet(uint64_t *here)
{
	__atomic_add_fetch(here, 1, __ATOMIC_SEQ_CST);
	return wait_for(here, run.table->runs, 2 * WAIT_S);
}

static int drop(void)
{
	time_t until = seconds_now() + run.seconds;
	int fd;

	for (char what = '1'; seconds_now() < until; what = what == '3' ? '1' : what + 1) {
		fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			(void)!write(fd, &what, 1);
			close(fd);
		}
		sleep(1);
	}
	return 0;
}

static void be_user(void)
{
	if (setgroups(0, NULL) || setresgid(USER, USER, USER) ||
	    setresuid(USER, USER, USER))
		_exit(2);
}

enum role { WRITER, MOVER, READER, DROPPER };

static void start(enum role role, unsigned int who)
{
	int bad = 2;
	pid_t pid = fork();

	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	switch (role) {
	case WRITER:
		bad = write_names(&run, who);
		break;
	case MOVER:
		bad = move_places(&run);
		break;
	case READER:
		if (who % 2)
			be_user();
		bad = read_names(&run, who, !(who % 2));
		break;
	case DROPPER:
		bad = drop();
		break;
	}
	fflush(stdout);
	_exit(bad ? 1 : 0);
}

static int wait_all(void)
{
	int status, ret = 0;

	while (wait(&status) > 0)
		if (status)
			ret = WIFEXITED(status) && WEXITSTATUS(status) == 1 ? 1 : 2;
	return ret;
}

static int begin(void)
{
	int ret = table_open(opt.table, false, &run.table);

	if (!ret)
		ret = wait_for(&run.table->magic, TABLE_MAGIC, WAIT_S);
	if (!ret)
		ret = open_dirs();
	if (!ret)
		ret = meet(&run.table->arrived);
	return ret;
}

static int play(void)
{
	int ret = begin(), bad;

	if (ret)
		return fail("begin", ret);
	for (unsigned int i = 0; i < opt.nr_writers; i++)
		start(WRITER, opt.writers[i]);
	for (unsigned int i = 0; i < opt.readers; i++)
		start(READER, i);
	if (opt.move)
		start(MOVER, 0);
	if (opt.drop)
		start(DROPPER, 0);
	bad = wait_all();
	ret = meet(&run.table->finished);
	if (ret)
		return fail("end", ret);
	ret = read_all(&run);
	printf("at the end: %d names are not as they should be\n", ret);
	return bad ? bad : !!ret;
}

static const struct option options[] = {
	{ "dir", required_argument, NULL, 'd' },
	{ "table", required_argument, NULL, 't' },
	{ "writer", required_argument, NULL, 'w' },
	{ "writers", required_argument, NULL, 'W' },
	{ "runs", required_argument, NULL, 'R' },
	{ "readers", required_argument, NULL, 'r' },
	{ "seconds", required_argument, NULL, 's' },
	{ "seed", required_argument, NULL, 'S' },
	{ "move", no_argument, NULL, 'm' },
	{ "drop", no_argument, NULL, 'D' },
	{ }
};

static bool parse_one(int c)
{
	unsigned int n = optarg ? strtoul(optarg, NULL, 0) : 0;

	switch (c) {
	case 'd':
		run.dir = optarg;
		return true;
	case 't':
		opt.table = optarg;
		return true;
	case 'w':
		if (n >= WRITERS || opt.nr_writers == WRITERS)
			return false;
		opt.writers[opt.nr_writers++] = n;
		return true;
	case 'W':
		opt.all_writers = n;
		return n && n <= WRITERS;
	case 'R':
		opt.runs = n;
		return n;
	case 'r':
		opt.readers = n;
		return true;
	case 's':
		run.seconds = n;
		return n;
	case 'S':
		run.seed = n;
		return n;
	case 'm':
		opt.move = true;
		return true;
	case 'D':
		opt.drop = true;
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(0);
	while ((c = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1)
		if (!parse_one(c))
			return 2;
	if (!run.dir || !opt.table || strlen(run.dir) > 200)
		return 2;
	if (!strcmp(what, "init"))
		return opt.runs && opt.all_writers ? init() : 2;
	return strcmp(what, "run") ? 2 : play();
}
