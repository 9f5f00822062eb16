// SPDX-License-Identifier: GPL-2.0-only
/*
 * open.c - open with all flags, two and three at a time, of all kinds of files
 */
#define _GNU_SOURCE
#include <linux/openat2.h>
#include <sys/syscall.h>

#include "tests/box/prog/semantics/semantics.h"

static const struct bit names[] = {
	{ "CREAT", O_CREAT }, { "EXCL", O_EXCL }, { "TRUNC", O_TRUNC }, { "APPEND", O_APPEND },
	{ "TMPFILE", O_TMPFILE }, { "DIRECTORY", O_DIRECTORY }, { "NOFOLLOW", O_NOFOLLOW },
	{ "PATH", O_PATH }, { "NOATIME", O_NOATIME }, { "DIRECT", O_DIRECT },
	{ "SYNC", O_SYNC }, { "DSYNC", O_DSYNC }, { "ASYNC", O_ASYNC },
	{ "CLOEXEC", O_CLOEXEC }, { "NOCTTY", O_NOCTTY },
};

/* Fifos that nobody else has open would be waited for. */
static int try(const char *path, int flags)
{
	return open(path, flags | O_NONBLOCK, 0640);
}

static void opens_with(const char *path, int flags, int step)
{
	bool changes = flags & (O_CREAT | O_TRUNC);

	for (int mode = O_RDONLY; mode <= O_ACCMODE; mode += step) {
		int fd = try(path, flags | mode);
		struct stat st = {};

		if (fd < 0) {
			say_ok(fd);
		} else {
			fstat(fd, &st);
			tell("%#x/%o/%lld", fcntl(fd, F_GETFL), st.st_mode,
			     S_ISDIR(st.st_mode) ? 0 : (long long)st.st_size);
			close(fd);
			if (changes)
				again(path);
		}
	}
	line("%s.%s", path_name(path), bits(flags, names, N(names)));
}

void open_all(void)
{
	as_root(make_all, "");
	for (int k = 0; k < kinds; k++) {
		opens_with(kind_names[k], 0, 1);
		for (unsigned int i = 0; i < N(names); i++) {
			opens_with(kind_names[k], names[i].value, 1);
			for (unsigned int j = i + 1; j < 10; j++)
				/* O_TMPFILE has O_DIRECTORY in it */
				if ((names[i].value | names[j].value) != names[i].value)
					opens_with(kind_names[k], names[i].value | names[j].value, 2);
		}
		for (unsigned int i = 2; i < 10; i++)
			opens_with(kind_names[k], O_CREAT | O_EXCL | names[i].value, 2);
	}
	for (int p = kinds; p < path_count; p++) {
		opens_with(paths[p], 0, 2);
		opens_with(paths[p], O_CREAT, 2);
		opens_with(paths[p], O_CREAT | O_EXCL, 2);
		opens_with(paths[p], O_TRUNC, 2);
		opens_with(paths[p], O_TMPFILE, 2);
		opens_with(paths[p], O_DIRECTORY, 2);
		opens_with(paths[p], O_NOFOLLOW, 2);
	}
}

static const struct bit resolve[] = {
	{ "NO_XDEV", RESOLVE_NO_XDEV }, { "NO_MAGICLINKS", RESOLVE_NO_MAGICLINKS },
	{ "NO_SYMLINKS", RESOLVE_NO_SYMLINKS }, { "BENEATH", RESOLVE_BENEATH },
	{ "IN_ROOT", RESOLVE_IN_ROOT },
};

static void how(const char *path, __u64 flags, __u64 mode, __u64 res, size_t size,
		const char *name)
{
	struct open_how h[2] = { { .flags = flags, .mode = mode, .resolve = res } };
	int fd = syscall(SYS_openat2, AT_FDCWD, path, h, size);

	ok(fd, "%s.%s", path, name);
	close(fd);
}

void opens_how(void)
{
	static const char *const tries[] = {
		"file", "link", "dlink", "dir/..", "../..", "dir/../file", "/etc/passwd",
		"absent", "loop", "closed/in", "/proc/self/exe",
	};

	as_root(make_all, "");
	for (unsigned int p = 0; p < N(tries); p++) {
		how(tries[p], O_RDONLY, 0, 0, sizeof(struct open_how), "plain");
		for (unsigned int i = 0; i < N(resolve); i++)
			how(tries[p], O_RDONLY, 0, resolve[i].value, sizeof(struct open_how),
			    resolve[i].name);
	}
	how("file", O_RDONLY, 0600, 0, sizeof(struct open_how), "mode");
	how("file", 1ull << 40, 0, 0, sizeof(struct open_how), "flag");
	how("file", O_RDONLY, 0, 1 << 20, sizeof(struct open_how), "resolve");
	how("file", O_RDONLY, 0, 0, 8, "small");
	how("file", O_RDONLY, 0, 0, sizeof(struct open_how) + 8, "large");
	how("file", O_PATH | O_TRUNC, 0, 0, sizeof(struct open_how), "path");
	how("absent", O_CREAT | O_WRONLY, 07777, 0, sizeof(struct open_how), "create");
	say_file("absent");
	line("created");
	how("absent2", O_CREAT | O_WRONLY, 010000, 0, sizeof(struct open_how), "create");
	how("dir", O_TMPFILE | O_WRONLY, 0600, 0, sizeof(struct open_how), "tmpfile");
	how("dir", O_CREAT | O_DIRECTORY, 0600, 0, sizeof(struct open_how), "create-directory");
}
