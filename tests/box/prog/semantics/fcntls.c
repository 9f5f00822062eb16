// SPDX-License-Identifier: GPL-2.0-only
/*
 * fcntls.c - flags and locks of open files, leases, ioctls
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "tests/box/prog/semantics/semantics.h"

static const struct {
	const char *name, *path;
	int flags;
} files[] = {
	{ "rdonly", "file", O_RDONLY }, { "wronly", "file", O_WRONLY }, { "rdwr", "file", O_RDWR },
	{ "append", "file", O_RDWR | O_APPEND }, { "path", "file", O_PATH },
	{ "neither", "file", O_ACCMODE }, { "dir", "dir", O_RDONLY },
	{ "fifo", "fifo", O_RDWR | O_NONBLOCK }, { "null", "null", O_RDWR },
	{ "theirs", "theirs", O_RDONLY }, { "shared", "shared", O_RDWR },
	{ "locked", "locked", O_RDONLY },
};

static const struct { const char *name; int flag; } status[] = {
	{ "none", 0 }, { "APPEND", O_APPEND }, { "NONBLOCK", O_NONBLOCK }, { "DIRECT", O_DIRECT },
	{ "ASYNC", O_ASYNC }, { "NOATIME", O_NOATIME }, { "SYNC", O_SYNC },
	{ "TRUNC", O_TRUNC }, { "WRONLY", O_WRONLY }, { "APPEND-DIRECT", O_APPEND | O_DIRECT },
};

static void flags_of(int fd, const char *name)
{
	for (unsigned int s = 0; s < N(status); s++) {
		say_ok(fcntl(fd, F_SETFL, status[s].flag));
		tell("%#x", fcntl(fd, F_GETFL));
	}
	line("SETFL.%s", name);
}

static void owner_of(int fd, const char *name)
{
	struct f_owner_ex ex = { F_OWNER_TID, getpid() };
	__u64 hint = 3;

	say_ok(fcntl(fd, F_SETOWN, getpid()));
	tell("%d", fcntl(fd, F_GETOWN) == getpid());
	say_ok(fcntl(fd, F_SETOWN, INT_MIN));
	say_ok(fcntl(fd, F_SETOWN_EX, &ex));
	say_ok(fcntl(fd, F_GETOWN_EX, &ex));
	say_ok(fcntl(fd, F_SETSIG, SIGIO));
	say_ok(fcntl(fd, F_SETSIG, 1000));
	say_value(fcntl(fd, F_GETSIG));
	line("owner.%s", name);
	say_ok(fcntl(fd, F_GET_SEALS));
	say_ok(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	say_ok(fcntl(fd, F_NOTIFY, DN_CREATE));
	say_ok(fcntl(fd, F_NOTIFY, 0));
	say_ok(fcntl(fd, F_GETPIPE_SZ));
	say_ok(fcntl(fd, F_SETPIPE_SZ, PAGE));
	say_ok(fcntl(fd, F_SET_RW_HINT, &hint));
	say_ok(fcntl(fd, F_GET_RW_HINT, &hint));
	tell("%lld", (long long)hint);
	hint = 77;
	say_ok(fcntl(fd, F_SET_RW_HINT, &hint));
	say_ok(fcntl(fd, 1027, fd));		/* F_DUPFD_QUERY */
	say_ok(fcntl(fd, 1028, 0));		/* F_CREATED_QUERY */
	say_ok(fcntl(fd, 9999, 0));
	line("commands.%s", name);
}

static void lease(int fd, const char *name)
{
	static const int types[] = { F_RDLCK, F_WRLCK, F_UNLCK, 9 };

	signal(SIGIO, SIG_IGN);
	for (unsigned int t = 0; t < N(types); t++) {
		say_ok(fcntl(fd, F_SETLEASE, types[t]));
		say_value(fcntl(fd, F_GETLEASE));
	}
	fcntl(fd, F_SETLEASE, F_UNLCK);
	line("lease.%s", name);
}

static void dups(int fd, const char *name)
{
	int d = dup(fd), e = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	say_ok(d);
	say_value(e);
	say_value(fcntl(e, F_GETFD));
	say_value(fcntl(d, F_GETFD));
	tell("%#x", fcntl(e, F_GETFL));
	lseek(fd, 3, SEEK_SET);
	say_value(lseek(d, 0, SEEK_CUR));
	say_ok(dup3(fd, fd, 0));
	say_ok(fcntl(fd, F_DUPFD, -1));
	line("dup.%s", name);
	close(d);
	close(e);
}

void flags(void)
{
	as_root(make_all, "");
	for (unsigned int f = 0; f < N(files); f++) {
		int fd = open(files[f].path, files[f].flags);

		dups(fd, files[f].name);
		lease(fd, files[f].name);
		owner_of(fd, files[f].name);
		flags_of(fd, files[f].name);
		close(fd);
	}
	{
		/* appends from here on, and no more */
		int fd = make_file("f", 0);

		fcntl(fd, F_SETFL, O_APPEND);
		lseek(fd, 0, SEEK_SET);
		say_value(write(fd, "ab", 2));
		say_value(lseek(fd, 0, SEEK_CUR));
		fcntl(fd, F_SETFL, 0);
		lseek(fd, 0, SEEK_SET);
		say_value(write(fd, "ab", 2));
		say_fd(fd);
		line("SETFL.append-and-back");
	}
}

static const struct {
	const char *name;
	int cmd;
	struct flock fl;
} cases[] = {
	{ "read", F_SETLK, { F_RDLCK, SEEK_SET, 0, 10, 0 } },
	{ "write", F_SETLK, { F_WRLCK, SEEK_SET, 0, 10, 0 } },
	{ "end", F_SETLK, { F_RDLCK, SEEK_END, 0, 0, 0 } },
	{ "negative-length", F_SETLK, { F_RDLCK, SEEK_SET, 10, -5, 0 } },
	{ "before-0", F_SETLK, { F_RDLCK, SEEK_SET, 3, -5, 0 } },
	{ "negative", F_SETLK, { F_RDLCK, SEEK_SET, -3, 5, 0 } },
	{ "far", F_SETLK, { F_RDLCK, SEEK_SET, LLONG_MAX, 5, 0 } },
	{ "far-end", F_SETLK, { F_RDLCK, SEEK_END, LLONG_MAX, 5, 0 } },
	{ "whence", F_SETLK, { F_RDLCK, 9, 0, 5, 0 } },
	{ "type", F_SETLK, { 9, SEEK_SET, 0, 5, 0 } },
	{ "get", F_GETLK, { F_WRLCK, SEEK_SET, 0, 0, 0 } },
	{ "get-none", F_GETLK, { F_UNLCK, SEEK_SET, 0, 0, 0 } },
	{ "wait", F_SETLKW, { F_RDLCK, SEEK_SET, 0, 0, 0 } },
	{ "unlock", F_SETLK, { F_UNLCK, SEEK_SET, 0, 0, 0 } },
	{ "ofd-read", F_OFD_SETLK, { F_RDLCK, SEEK_SET, 0, 10, 0 } },
	{ "ofd-write", F_OFD_SETLK, { F_WRLCK, SEEK_SET, 0, 10, 0 } },
	{ "ofd-pid", F_OFD_SETLK, { F_RDLCK, SEEK_SET, 0, 10, 1 } },
	{ "ofd-get", F_OFD_GETLK, { F_WRLCK, SEEK_SET, 0, 0, 0 } },
	{ "ofd-get-pid", F_OFD_GETLK, { F_WRLCK, SEEK_SET, 0, 0, 1 } },
	{ "ofd-wait", F_OFD_SETLKW, { F_RDLCK, SEEK_SET, 0, 0, 0 } },
	{ "ofd-unlock", F_OFD_SETLK, { F_UNLCK, SEEK_SET, 0, 0, 0 } },
};

void locks(void)
{
	static const int ops[] = {
		LOCK_SH, LOCK_EX, LOCK_UN, LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN | LOCK_NB,
		LOCK_NB, LOCK_SH | LOCK_EX, 64, LOCK_MAND | LOCK_READ,
	};

	as_root(make_all, "");
	for (unsigned int f = 0; f < N(files); f++) {
		int fd = open(files[f].path, files[f].flags);

		for (unsigned int c = 0; c < N(cases); c++) {
			struct flock fl = cases[c].fl;
			int ret = fcntl(fd, cases[c].cmd, &fl);

			say_ok(ret);
			if (!ret && cases[c].cmd == F_GETLK)
				tell("%d", fl.l_type);
			line("%s.%s", cases[c].name, files[f].name);
		}
		for (unsigned int o = 0; o < N(ops); o++)
			say_ok(flock(fd, ops[o]));
		line("flock.%s", files[f].name);
		close(fd);
	}
}

/* Not asked for: what freezes, trims or shuts down the file system. */
static void ioctls_of(int fd, const char *name)
{
	static const int settable[] = {
		FS_NODUMP_FL, FS_NOATIME_FL, FS_APPEND_FL, FS_IMMUTABLE_FL, FS_SYNC_FL,
		FS_DIRSYNC_FL, FS_COMPR_FL, FS_EXTENT_FL, FS_CASEFOLD_FL, 0,
	};
	struct fiemap map = { .fm_length = ~0ull };
	struct fsxattr x;
	int n = 0, was = 0;
	struct termios tty;
	long version[8] = {};

	say_ok(ioctl(fd, FS_IOC_GETFLAGS, &was));
	tell("%#x", was);
	line("GETFLAGS.%s", name);
	for (unsigned int i = 0; i < N(settable); i++) {
		int set = (was & FS_EXTENT_FL) | settable[i], back = was;

		say_ok(ioctl(fd, FS_IOC_SETFLAGS, &set));
		ioctl(fd, FS_IOC_SETFLAGS, &back);
	}
	line("SETFLAGS.%s", name);
	memset(&x, 0, sizeof(x));
	say_ok(ioctl(fd, FS_IOC_FSGETXATTR, &x));
	tell("%#x %u", x.fsx_xflags, x.fsx_projid);
	say_ok(ioctl(fd, FS_IOC_FSSETXATTR, &x));
	line("FSXATTR.%s", name);
	say_ok(ioctl(fd, FS_IOC_GETVERSION, version));
	line("GETVERSION.%s", name);
	say_value(ioctl(fd, FIGETBSZ, &n));
	tell("%d", n);
	line("FIGETBSZ.%s", name);
	n = 0;
	say_ok(ioctl(fd, FIBMAP, &n));
	line("FIBMAP.%s", name);
	n = 0;
	say_ok(ioctl(fd, FIONREAD, &n));
	tell("%d", n);
	line("FIONREAD.%s", name);
	say_ok(ioctl(fd, FS_IOC_FIEMAP, &map));
	line("FIEMAP.%s", name);
	n = 0;
	say_ok(ioctl(fd, FIONBIO, &n));
	say_ok(ioctl(fd, FIOCLEX));
	say_ok(ioctl(fd, FIOQSIZE, version));
	line("generic.%s", name);
	say_ok(ioctl(fd, TCGETS, &tty));
	say_ok(ioctl(fd, 0x12345678, version));
	line("unknown.%s", name);
}

static void labels(int fd)
{
	char label[FSLABEL_MAX] = "";

	ok(ioctl(fd, FS_IOC_GETFSLABEL, label), "GETFSLABEL");
	if (me)
		ok(ioctl(fd, FS_IOC_SETFSLABEL, label), "SETFSLABEL");
}

void ioctls(void)
{
	as_root(make_all, "");
	for (unsigned int f = 0; f < N(files); f++) {
		int fd = open(files[f].path, files[f].flags);

		ioctls_of(fd, files[f].name);
		close(fd);
	}
	labels(open("file", O_RDONLY));
}
