// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - semantics: what every call does on a file system, a line for each case
 *
 *	semantics DIR [CALLER [GROUP]]	in DIR, which is made and removed
 *	semantics ids			who runs this, for the cases that run programs
 *	semantics wait			says a letter, and waits for its input to end
 *
 * Prints "CALLER GROUP.CASE: RESULT", the same on each file system that does the same:
 * results are names of errors, and values that are no accident (no inode numbers,
 * times, devices, process IDs). Callers: root; user and other, who are both in a second
 * group. Each group of cases runs in a process and a directory of its own, with files of
 * the caller and of somebody else; a process of root makes again what the cases change.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/box/prog/semantics/semantics.h"

uid_t me, them;

static const char *caller, *group;
static char said[8192];
static int root_process;		/* a socket to it */

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "open", open_all }, { "openat2", opens_how }, { "path", one_path },
	{ "rename", renames }, { "link", links }, { "read", reads }, { "seek", seeks },
	{ "size", sizes }, { "allocate", allocations }, { "copy", copies }, { "sync", syncs },
	{ "limit", limits }, { "map", maps }, { "fault", faults }, { "advice", advice },
	{ "mode", modes }, { "owner", owners }, { "setid", set_ids }, { "times", times },
	{ "changed", changed_times }, { "stat", stats }, { "xattr", xattrs }, { "acl", acls },
	{ "new", new_files }, { "list", listings }, { "flags", flags }, { "lock", locks },
	{ "ioctl", ioctls }, { "fifo", fifos }, { "socket", sockets },
	{ "program", programs }, { "removed", removed }, { "opath", paths_only },
	{ "handle", handles }, { "protected", protected }, { "watch", watches },
	{ "mount", mounts }, { "poll", polls },
};

static const struct {
	const char *name;
	uid_t uid, other;
} callers[] = { { "root", 0, OTHER }, { "user", USER, OTHER }, { "other", OTHER, USER } };

/* --- lines --- */

void tell(const char *fmt, ...)
{
	size_t len = strlen(said);
	va_list args;

	va_start(args, fmt);
	said[len++] = ' ';
	vsnprintf(said + len, sizeof(said) - len, fmt, args);
	va_end(args);
}

void say_ok(long ret)
{
	tell("%s", ret < 0 ? strerrorname_np(errno) ?: "?" : "ok");
}

void say_value(long ret)
{
	if (ret < 0)
		say_ok(ret);
	else
		tell("%ld", ret);
}

static void put(const char *fmt, va_list args)
{
	printf("%s %s.", caller, group);
	vprintf(fmt, args);
	printf(":%s\n", said);
	said[0] = '\0';
}

void line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put(fmt, args);
	va_end(args);
}

void ok(long ret, const char *fmt, ...)
{
	va_list args;

	say_ok(ret);
	va_start(args, fmt);
	put(fmt, args);
	va_end(args);
}

void value(long ret, const char *fmt, ...)
{
	va_list args;

	say_value(ret);
	va_start(args, fmt);
	put(fmt, args);
	va_end(args);
}

static const char *who(uid_t id, char *buf, size_t size)
{
	if (id == me)
		return "me";
	if (id == them)
		return "them";
	snprintf(buf, size, "%u", id);
	return buf;
}

void say_stat(const struct stat *st)
{
	static const char *const types[16] = {
		[1] = "fifo", [2] = "chr", [4] = "dir", [6] = "blk", [8] = "reg",
		[10] = "link", [12] = "sock",
	};
	char uid[16], gid[16];

	tell("%s %o %ld %lld %s:%s", types[st->st_mode >> 12] ?: "?", st->st_mode & 07777,
	     (long)st->st_nlink, (long long)st->st_size, who(st->st_uid, uid, sizeof(uid)),
	     who(st->st_gid, gid, sizeof(gid)));
}

void say_file(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		say_ok(-1);
	else
		say_stat(&st);
}

void say_fd(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		say_ok(-1);
	else
		say_stat(&st);
}

const char *bits(unsigned long value, const struct bit *names, int n)
{
	static char bufs[4][200];
	static int turn;
	char *buf = bufs[turn++ % 4];

	*buf = '\0';
	for (int i = 0; i < n; i++)
		if (names[i].value && (value & names[i].value) == names[i].value) {
			sprintf(buf + strlen(buf), "%s%s", *buf ? "|" : "", names[i].name);
			value &= ~names[i].value;
		}
	if (value || !*buf)
		sprintf(buf + strlen(buf), "%s%#lx", *buf ? "|" : "", value);
	return buf;
}

int must(int ret, const char *what)
{
	if (ret >= 0)
		return ret;
	fprintf(stderr, "semantics: %s %s: %s: %s\n", caller, group, what, strerror(errno));
	exit(2);
}

int make_file(const char *path, int flags)
{
	int fd = must(open(path, O_RDWR | O_CREAT | flags, 0644), path);

	must(pwrite(fd, TEXT, strlen(TEXT), 0), path);
	return fd;
}

/* --- root's process --- */

struct order {
	void (*run)(const char *arg);
	char arg[PAGE + 100];
};

void as_root(void (*run)(const char *arg), const char *arg)
{
	struct order order = { .run = run };
	char done;

	strcpy(order.arg, arg);
	must(send(root_process, &order, sizeof(order), 0), "order");
	must(recv(root_process, &done, 1, 0) - 1, "order's end");
}

void again(const char *path)
{
	as_root(make_again, path);
}

static void serve(int s)
{
	static struct order order;

	while (recv(s, &order, sizeof(order), 0) == sizeof(order)) {
		order.run(order.arg);
		must(send(s, "", 1, 0), "done");
	}
}

static void become(void)
{
	gid_t second = GROUP;

	if (me) {
		must(setgroups(1, &second), "groups");
		must(setresgid(me, me, me), "group");
		must(setresuid(me, me, me), "user");
	} else {
		must(setgroups(0, NULL), "groups");
	}
}

static void run_group(void (*run)(void))
{
	char dir[100];
	int s[2], status;
	pid_t pid;

	snprintf(dir, sizeof(dir), "%s.%s", caller, group);
	must(mkdir(dir, 0755), dir);
	must(chown(dir, me, me), dir);
	must(chdir(dir), dir);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), "socketpair");
	pid = must(fork(), "fork");
	if (!pid) {
		close(s[0]);
		root_process = s[1];
		become();
		run();
		_exit(fflush(stdout) ? 2 : 0);
	}
	close(s[1]);
	serve(s[0]);
	close(s[0]);
	must(waitpid(pid, &status, 0), "wait");
	if (status)
		printf("%s %s: ended with %#x\n", caller, group, status);
	must(chdir(".."), "..");
	remove_all(dir);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[argc - 1], "ids")) {
		printf("%d", (getuid() != geteuid()) | (getgid() != getegid()) << 1);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "wait"))
		return write(1, "w", 1) + read(0, said, 1) != 1;
	if (argc < 2) {
		fprintf(stderr, "semantics DIR [CALLER [GROUP]]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 1 << 14);
	umask(022);
	must(mkdir(argv[1], 0755), argv[1]);
	must(chdir(argv[1]), argv[1]);
	for (unsigned int c = 0; c < N(callers); c++)
		for (unsigned int g = 0; g < N(groups); g++) {
			if ((argc > 2 && strcmp(argv[2], "all") && strcmp(argv[2], callers[c].name)) ||
			    (argc > 3 && strcmp(argv[3], groups[g].name)))
				continue;
			caller = callers[c].name;
			me = callers[c].uid;
			them = callers[c].other;
			group = groups[g].name;
			run_group(groups[g].run);
		}
	must(chdir("/"), "/");
	must(rmdir(argv[1]), argv[1]);
	return 0;
}
