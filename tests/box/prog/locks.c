// SPDX-License-Identifier: GPL-2.0-only
/*
 * locks.c - locks of a file, or a directory
 *
 *	locks hold FILE KIND TYPE FIRST LEN [SECONDS]	without waiting: "held", then SECONDS
 *							(until killed) with it
 *	locks wait FILE KIND TYPE FIRST LEN [SECONDS]	the same, but waits for it; with SECONDS
 *							for so long at most: "interrupted"
 *	locks test FILE KIND TYPE FIRST LEN		"free", or "TYPE FIRST LEN PID" of what is
 *							in the way
 *	locks knot FILE FIRST SECOND			locks byte FIRST, says "held", and when
 *							its input ends waits for byte SECOND
 *	locks parts FILE				splits, merges, upgrades: its own locks as
 *							a file on this kernel has them
 *	locks count FILE KIND ROUNDS			locks byte 8 * n, adds 1 to the word there,
 *							ROUNDS times each, n up to WORDS
 *	locks turn FILE					two open files of it: flock(2) changes
 *							between shared and exclusive as locally
 *	locks other FILE SAME				two names of it: closing one lets go of
 *							what the other has
 *	locks share FILE				has 10 bytes for reading, "held"; a child
 *							with the same open file waits to have them
 *							alone; when it ends: "ended"
 *
 * KIND: posix, ofd, flock, none; TYPE: read, write. A lock that is not free: "busy", status 3.
 * Other errors: status 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS	4

enum kind { POSIX, OFD, FLOCK, NONE };

static int failed(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

static int say(const char *what)
{
	puts(what);
	return fflush(stdout);
}

static enum kind kind_of(const char *name)
{
	static const char *const names[] = { "posix", "ofd", "flock", "none" };

	for (enum kind k = POSIX; k <= NONE; k++)
		if (!strcmp(name, names[k]))
			return k;
	fprintf(stderr, "locks: %s?\n", name);
	exit(2);
}

static short type_of(const char *name)
{
	return !strcmp(name, "write") ? F_WRLCK : F_RDLCK;
}

static const char *type_name(short type)
{
	return type == F_WRLCK ? "write" : type == F_RDLCK ? "read" : "none";
}

/* Directories, and files that cannot be written, are opened for reading. */
static int open_file(const char *path)
{
	int fd = open(path, O_RDWR);

	return fd < 0 && (errno == EISDIR || errno == EACCES || errno == EROFS) ?
		open(path, O_RDONLY) : fd;
}

static int set(int fd, enum kind kind, short type, off_t first, off_t len, int wait)
{
	static const int cmds[2][2] = {
		{ F_SETLK, F_SETLKW }, { F_OFD_SETLK, F_OFD_SETLKW },
	};
	struct flock fl = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = first, .l_len = len,
	};
	int op = type == F_UNLCK ? LOCK_UN : type == F_RDLCK ? LOCK_SH : LOCK_EX;

	if (kind == NONE)
		return 0;
	if (kind == FLOCK)
		return flock(fd, op | (wait ? 0 : LOCK_NB));
	return fcntl(fd, cmds[kind][!!wait], &fl);
}

static void alarmed(int sig)
{
	(void)sig;
}

static int hold(char **arg, int n, int wait)
{
	struct sigaction sa = { .sa_handler = alarmed };
	int fd = open_file(arg[0]);

	if (fd < 0)
		return failed(arg[0]);
	sigaction(SIGALRM, &sa, NULL);
	if (wait && n == 6)
		alarm(atoi(arg[5]));
	if (set(fd, kind_of(arg[1]), type_of(arg[2]), atoll(arg[3]), atoll(arg[4]), wait)) {
		if (errno == EINTR)
			return say("interrupted");
		if (errno != EAGAIN && errno != EACCES)
			return failed("lock");
		say("busy");
		return 3;
	}
	alarm(0);
	say("held");
	if (n == 6 && !wait)
		sleep(atoi(arg[5]));
	else if (!wait)
		pause();
	return 0;
}

static int test(char **arg)
{
	struct flock fl = {
		.l_type = type_of(arg[2]), .l_whence = SEEK_SET, .l_start = atoll(arg[3]),
		.l_len = atoll(arg[4]),
	};
	int fd = open_file(arg[0]);

	if (fd < 0)
		return failed(arg[0]);
	if (fcntl(fd, kind_of(arg[1]) == OFD ? F_OFD_GETLK : F_GETLK, &fl))
		return failed("test");
	if (fl.l_type == F_UNLCK)
		return say("free");
	printf("%s %lld %lld %d\n", type_name(fl.l_type), (long long)fl.l_start,
	       (long long)fl.l_len, fl.l_pid);
	return 0;
}

static int knot(char **arg)
{
	int fd = open_file(arg[0]);
	char c;

	if (fd < 0)
		return failed(arg[0]);
	if (set(fd, POSIX, F_WRLCK, atoll(arg[1]), 1, 0))
		return failed("first");
	say("held");
	while (read(0, &c, 1) > 0)
		;
	if (!set(fd, POSIX, F_WRLCK, atoll(arg[2]), 1, 1))
		return say("got both");
	return errno == EDEADLK ? say("deadlock") : failed("second");
}

/* What another process sees of ours from @first on: "TYPE FIRST LEN". */
static int seen(const char *path, off_t first, short type, off_t start, off_t len)
{
	struct flock fl = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = first, .l_len = 0,
	};
	int fd = open(path, O_RDWR), ret;

	if (fd < 0)
		return failed(path);
	/* an open file is nobody's, and so asks as somebody else */
	if (fcntl(fd, F_OFD_GETLK, &fl))
		return failed("seen");
	ret = fl.l_type == type && (type == F_UNLCK || (fl.l_start == start && fl.l_len == len));
	if (!ret)
		fprintf(stderr, "from %lld: %s %lld %lld, not %s %lld %lld\n", (long long)first,
			type_name(fl.l_type), (long long)fl.l_start, (long long)fl.l_len,
			type_name(type), (long long)start, (long long)len);
	/* not close(): that would let go of all that this process has */
	return !ret;
}

static int parts(const char *path)
{
	int fd = open_file(path);

	if (fd < 0)
		return failed(path);
	if (set(fd, POSIX, F_WRLCK, 100, 100, 0) ||
	    seen(path, 0, F_WRLCK, 100, 100) ||
	    set(fd, POSIX, F_UNLCK, 140, 20, 0) ||		/* split */
	    seen(path, 0, F_WRLCK, 100, 40) || seen(path, 140, F_WRLCK, 160, 40) ||
	    set(fd, POSIX, F_RDLCK, 110, 10, 0) ||		/* a part goes down */
	    seen(path, 110, F_RDLCK, 110, 10) || seen(path, 120, F_WRLCK, 120, 20) ||
	    set(fd, POSIX, F_WRLCK, 140, 20, 0) ||		/* merge */
	    seen(path, 120, F_WRLCK, 120, 80) ||
	    set(fd, POSIX, F_WRLCK, 110, 10, 0) ||		/* and up again */
	    seen(path, 0, F_WRLCK, 100, 100) ||
	    set(fd, POSIX, F_WRLCK, 150, 0, 0) ||		/* to the end of all files */
	    seen(path, 0, F_WRLCK, 100, 0) ||
	    set(fd, POSIX, F_UNLCK, 200, 0, 0) ||
	    seen(path, 0, F_WRLCK, 100, 100))
		return 1;
	close(dup(fd));						/* POSIX: all go */
	return seen(path, 0, F_UNLCK, 0, 0);
}

static int count(char **arg)
{
	const enum kind kind = kind_of(arg[1]);
	const int rounds = atoi(arg[2]);
	volatile uint64_t *words;
	int fd = open_file(arg[0]);

	if (fd < 0)
		return failed(arg[0]);
	words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (words == MAP_FAILED)
		return failed("mmap");
	for (int i = 0; i < rounds * WORDS; i++) {
		int n = kind == FLOCK ? 0 : i % WORDS;
		uint64_t old;

		if (set(fd, kind, F_WRLCK, n * 8, 8, 1))
			return failed("lock");
		old = words[n];
		if (i % 16 < WORDS)	/* somebody else would come in between */
			sched_yield();
		words[n] = old + 1;
		if (set(fd, kind, F_UNLCK, n * 8, 8, 1))
			return failed("unlock");
	}
	return 0;
}

/* A lock that is to change is lost if it cannot: then the other one has his way. */
static int turn(const char *path)
{
	int a = open_file(path), b = open_file(path);

	if (a < 0 || b < 0)
		return failed(path);
	if (flock(a, LOCK_SH) || flock(b, LOCK_SH))
		return failed("shared");
	if (!flock(a, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
		return failed("exclusive beside shared");
	if (flock(b, LOCK_EX | LOCK_NB))
		return failed("exclusive, the other one has been lost");
	if (!flock(a, LOCK_SH | LOCK_NB) || errno != EWOULDBLOCK)
		return failed("shared beside exclusive");
	if (flock(b, LOCK_SH | LOCK_NB) || flock(a, LOCK_SH | LOCK_NB))
		return failed("shared again");
	return 0;
}

static int other(const char *path, const char *same)
{
	int a = open_file(path), b = open_file(same), status;

	if (a < 0 || b < 0)
		return failed(path);
	if (set(a, POSIX, F_WRLCK, 0, 10, 0) || set(b, POSIX, F_WRLCK, 10, 10, 0) ||
	    set(a, POSIX, F_UNLCK, 0, 10, 0))
		return failed("lock");
	if (seen(path, 0, F_WRLCK, 10, 10))
		return 1;
	close(a);
	if (seen(path, 0, F_UNLCK, 0, 0))
		return 1;
	/* and the other way round: somebody else can have it by either name at once */
	a = open_file(path);
	if (set(a, POSIX, F_WRLCK, 0, 10, 0) || close(b))
		return failed("lock again");
	if (!fork())
		_exit(set(open_file(path), POSIX, F_WRLCK, 0, 10, 0) != 0);
	if (wait(&status) < 0 || status)
		return failed("somebody else's lock");
	return seen(path, 0, F_UNLCK, 0, 0);
}

/* Has it for reading, and a child that has the same open file waits to have it alone. */
static int share(const char *path)
{
	int fd = open_file(path);
	pid_t child;

	if (fd < 0 || set(fd, OFD, F_RDLCK, 0, 10, 0))
		return failed(path);
	say("held");
	child = fork();
	if (!child)
		_exit(set(fd, OFD, F_WRLCK, 0, 10, 1) != 0);
	if (child < 0 || waitpid(child, NULL, 0) < 0)
		return failed("child");
	say("ended");
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	char **arg = argv + 2;
	int n = argc - 2;

	if (!strcmp(what, "hold") && n >= 5)
		return hold(arg, n, 0);
	if (!strcmp(what, "wait") && n >= 5)
		return hold(arg, n, 1);
	if (!strcmp(what, "test") && n == 5)
		return test(arg);
	if (!strcmp(what, "knot") && n == 3)
		return knot(arg);
	if (!strcmp(what, "parts") && n == 1)
		return parts(*arg);
	if (!strcmp(what, "count") && n == 3)
		return count(arg);
	if (!strcmp(what, "turn") && n == 1)
		return turn(*arg);
	if (!strcmp(what, "other") && n == 2)
		return other(arg[0], arg[1]);
	if (!strcmp(what, "share") && n == 1)
		return share(*arg);
	fprintf(stderr, "locks: what?\n");
	return 2;
}
