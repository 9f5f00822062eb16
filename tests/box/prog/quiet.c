// SPDX-License-Identifier: GPL-2.0-only
/*
 * quiet.c - what something costs in upcalls and messages
 *
 *	quiet all DIR			calls on what is in DIR: d1/d2/f, link (a
 *					symbolic link), acl (a file that user 1000
 *					may read by its ACL)
 *	quiet run CMD [ARG...]		a command
 *	quiet once CMD [ARG...]		the same, without having run it before
 *
 * Prints "NAME upcalls N messages N packets N" of REPS calls, or of a command:
 * upcalls are FUSE's requests of this process and its children (a tracepoint, so
 * that nobody else's are counted), messages and packets what this image sent to
 * all others (/sys/kernel/debug/sharedpc/images). Others send as well, so the
 * least of ROUNDS counts.
 *
 * Static, so that it is not measured itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPS	20
#define ROUNDS	7
#define WARM	3
#define IMAGES	"/sys/kernel/debug/sharedpc/images"
#define EVENT	"/sys/kernel/tracing/events/fuse/fuse_request_send/id"

struct cost {
	long upcalls, messages, packets;
};

static int images, upcalls;	/* descriptors of the counters */
static int file;		/* d1/d2/f */

static void die(const char *what)
{
	fprintf(stderr, "quiet: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* --- counters --- */

static void counters_open(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.inherit = 1,
	};
	FILE *f = fopen(EVENT, "r");

	if (!f || fscanf(f, "%llu", &attr.config) != 1)
		die(EVENT);
	fclose(f);
	upcalls = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (upcalls < 0)
		die("perf_event_open");
	images = open(IMAGES, O_RDONLY | O_CLOEXEC);
	if (images < 0)
		die(IMAGES);
}

/* The sum of the numbers after @name, over all images. */
static long sum(const char *text, const char *name)
{
	long n = 0;

	while ((text = strstr(text, name))) {
		text += strlen(name);
		n += atol(text);
	}
	return n;
}

static struct cost counters_read(void)
{
	static char text[8192];
	uint64_t count;
	ssize_t n = pread(images, text, sizeof(text) - 1, 0);

	if (n <= 0 || read(upcalls, &count, sizeof(count)) != sizeof(count))
		die("counters");
	text[n] = '\0';
	if (!strstr(text, " messages ") || !strstr(text, " packets "))
		die("no messages in " IMAGES);
	return (struct cost){ count, sum(text, " messages "), sum(text, " packets ") };
}

static long less(long a, long b)
{
	return a < b ? a : b;
}

/* What @run(@what), @reps times, costs at least. */
static struct cost measure(void (*run)(void *what), void *what, int reps, int rounds)
{
	struct cost least = { LONG_MAX, LONG_MAX, LONG_MAX }, from, to;

	while (rounds--) {
		from = counters_read();
		for (int i = 0; i < reps; i++)
			run(what);
		to = counters_read();
		least.upcalls = less(least.upcalls, to.upcalls - from.upcalls);
		least.messages = less(least.messages, to.messages - from.messages);
		least.packets = less(least.packets, to.packets - from.packets);
	}
	return least;
}

static void report(const char *name, struct cost c)
{
	printf("%s upcalls %ld messages %ld packets %ld\n", name, c.upcalls, c.messages,
	       c.packets);
}

/* --- calls --- */

static void expect(int ret, int err, const char *what)
{
	if (err ? ret >= 0 || errno != err : ret < 0)
		die(what);
}

static void do_stat(void *what)
{
	struct stat st;

	expect(stat("d1/d2/f", &st), 0, "stat");
}

static void do_absent(void *what)
{
	struct stat st;

	expect(stat("d1/absent", &st), ENOENT, "stat of an absent name");
}

static void do_deep(void *what)
{
	struct stat st;

	expect(stat("d1/absent/below", &st), ENOENT, "stat below an absent name");
}

static void do_access(void *what)
{
	expect(access("d1/d2/f", R_OK | W_OK), 0, "access");
	expect(access("d1/d2/f", X_OK), EACCES, "access");
}

static void do_acl(void *what)
{
	setfsuid(1000);
	expect(faccessat(AT_FDCWD, "acl", R_OK, AT_EACCESS), 0, "access by an ACL");
	expect(faccessat(AT_FDCWD, "acl", X_OK, AT_EACCESS), EACCES, "access by an ACL");
	setfsuid(0);
}

static void do_other(void *what)
{
	struct stat st;

	setfsuid(1001);
	expect(stat("d1/d2/f", &st), 0, "stat by somebody");
	expect(open("acl", O_RDONLY | O_CLOEXEC), EACCES, "open by somebody");
	setfsuid(0);
}

static void do_fstat(void *what)
{
	struct stat st;

	expect(fstat(file, &st), 0, "fstat");
}

static void do_open(void *what)
{
	int fd = open("d1/d2/f", O_RDONLY | O_CLOEXEC);

	expect(fd, 0, "open");
	close(fd);
}

static void do_readlink(void *what)
{
	char text[64];

	expect(readlink("link", text, sizeof(text)), 0, "readlink");
}

static void do_through(void *what)
{
	struct stat st;

	expect(stat("link", &st), 0, "stat of a link");
}

/* These two are how it is known that messages and upcalls are noticed.  Always asked: */
static void do_asked(void *what)
{
	struct statx st;

	expect(statx(AT_FDCWD, "d1", AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &st), 0, "statx");
}

/* .. and done by FUSE. */
static void do_changed(void *what)
{
	expect(chmod("d1/d2/f", 0644), 0, "chmod");
}

static const struct {
	const char *name;
	void (*run)(void *what);
} calls[] = {
	{ "stat", do_stat }, { "absent", do_absent }, { "below-absent", do_deep },
	{ "access", do_access }, { "acl", do_acl }, { "others", do_other },
	{ "fstat", do_fstat }, { "open", do_open }, { "readlink", do_readlink },
	{ "through", do_through }, { "asked", do_asked },
	{ "changed", do_changed },
};

static int do_all(const char *dir)
{
	expect(chdir(dir), 0, dir);
	file = open("d1/d2/f", O_RDONLY | O_CLOEXEC);
	expect(file, 0, "open");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (int n = 0; n < WARM; n++)
			calls[i].run(NULL);
		report(calls[i].name, measure(calls[i].run, NULL, REPS, ROUNDS));
	}
	return 0;
}

/* --- commands --- */

static void command(void *what)
{
	posix_spawn_file_actions_t to;
	char **argv = what;
	int err, status;
	pid_t pid;

	posix_spawn_file_actions_init(&to);
	posix_spawn_file_actions_addopen(&to, 1, "/dev/null", O_WRONLY, 0);
	err = posix_spawnp(&pid, argv[0], &to, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&to);
	if (err) {
		errno = err;
		die(argv[0]);
	}
	if (waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "quiet: %s: status %x\n", argv[0], status);
		exit(2);
	}
}

static int do_run(char **argv)
{
	for (int n = 0; n < WARM; n++)
		command(argv);
	report("run", measure(command, argv, 1, ROUNDS));
	return 0;
}

static int do_once(char **argv)
{
	report("once", measure(command, argv, 1, 1));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	counters_open();
	if (!strcmp(argv[1], "all"))
		return do_all(argv[2]);
	if (!strcmp(argv[1], "run"))
		return do_run(argv + 2);
	if (!strcmp(argv[1], "once"))
		return do_once(argv + 2);
	return 2;
}
