// SPDX-License-Identifier: GPL-2.0-only
/*
 * pairs.c - rename and link, from each path to each other
 */
#define _GNU_SOURCE
#include <linux/fs.h>
#include <sys/syscall.h>

#include "tests/box/prog/semantics/semantics.h"

static const char *const froms[] = {
	"file", "theirs", "dir", "full", "closed", "link", "loop", "fifo", "absent", "file/",
	"dir/", "full/in", "locked/in", "sticky/in", ".", "",
};
static const char *const tos[] = {
	"file", "theirs", "dir", "full", "locked", "link", "fifo", "absent", "absent/", "file/x",
	"full/in", "full/new", "dir/sub", "locked/in", "locked/new", "sticky/new", "..",
};

/* What is new at @to, and whether @from is there; then both as they were. */
static void moved(const char *from, const char *to)
{
	struct stat st;

	say_file(to);
	tell("%s", lstat(from, &st) ? "gone" : "there");
	again(to);
	again(from);
}

static void rename_all(const char *from, const char *to)
{
	static const int flags[] = {
		0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT,
		RENAME_EXCHANGE | RENAME_NOREPLACE, 8,
	};

	for (unsigned int f = 0; f < N(flags); f++) {
		int ret = renameat2(AT_FDCWD, from, AT_FDCWD, to, flags[f]);

		say_ok(ret);
		if (!ret)
			moved(from, to);
		tell("/");
	}
	line("%s.%s", from, to);
}

void renames(void)
{
	int fd;

	as_root(make_all, "");
	for (unsigned int i = 0; i < N(froms); i++)
		for (unsigned int j = 0; j < N(tos); j++)
			rename_all(froms[i], tos[j]);
	for (int p = kinds; p < path_count; p++) {
		ok(rename("absent", paths[p]), "absent-to.%s", path_name(paths[p]));
		if (strlen(paths[p]) > 255)
			ok(rename(paths[p], "new"), "from.%s", path_name(paths[p]));
	}
	/* two names of one file: nothing is done */
	fd = make_file("one", 0);
	close(fd);
	ok(link("one", "two"), "same.link");
	ok(rename("one", "two"), "same.rename");
	say_file("one");
	line("same.after");
	ok(renameat2(AT_FDCWD, "one", AT_FDCWD, "two", RENAME_EXCHANGE), "same.exchange");
	ok(rename("one", "/proc/new"), "other-fs");
	ok(rename("/proc/self/stat", "new"), "from-other-fs");
	fd = open("one", O_PATH);
	ok(renameat(fd, "x", fd, "y"), "at-file");
	ok(renameat(-1, "x", -1, "y"), "at-nothing");
}

static void link_all(const char *from, const char *to)
{
	static const int flags[] = { 0, AT_SYMLINK_FOLLOW };

	for (unsigned int f = 0; f < N(flags); f++) {
		int ret = linkat(AT_FDCWD, from, AT_FDCWD, to, flags[f]);

		say_ok(ret);
		if (!ret)
			moved(from, to);
		tell("/");
	}
	line("%s.%s", from, to);
}

static void link_fd(int fd, const char *name)
{
	char path[50];

	say_ok(linkat(fd, "", AT_FDCWD, "linked", AT_EMPTY_PATH));
	unlink("linked");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	say_ok(linkat(AT_FDCWD, path, AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
	say_file("linked");
	say_fd(fd);
	unlink("linked");
	line("fd.%s", name);
	close(fd);
}

void links(void)
{
	int fd;

	as_root(make_all, "");
	for (unsigned int i = 0; i < N(froms); i++)
		for (unsigned int j = 0; j < N(tos); j++)
			link_all(froms[i], tos[j]);
	for (int p = kinds; p < path_count; p++)
		ok(link("file/x", paths[p]), "to.%s", path_name(paths[p]));
	ok(linkat(AT_FDCWD, "file", AT_FDCWD, "absent", 0x8), "bad-flag");
	ok(link("file", "/proc/new"), "other-fs");
	ok(link("/proc/self/stat", "absent"), "from-other-fs");
	link_fd(open("file", O_RDONLY), "file");
	link_fd(open("file", O_PATH), "path");
	link_fd(open("dir", O_RDONLY), "dir");
	link_fd(open("link", O_PATH | O_NOFOLLOW), "link");
	link_fd(open("shared", O_RDONLY), "shared");
	link_fd(open("theirs", O_RDONLY), "theirs");
	link_fd(open(".", O_TMPFILE | O_RDWR, 0600), "tmpfile");
	link_fd(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600), "tmpfile-excl");
	fd = make_file("gone", 0);
	unlink("gone");
	link_fd(fd, "removed");
	fd = make_file("again", 0);
	link("again", "more");
	unlink("again");
	link_fd(fd, "one-of-two");
}
