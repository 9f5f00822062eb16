// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirs.c - listings of directories, and places in them
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <sys/syscall.h>

#include "tests/box/prog/semantics/semantics.h"

#define MANY	120

static int order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void list(const char *path, const char *name)
{
	struct dirent **all;
	int n = scandir(path, &all, NULL, order);

	if (n < 0)
		say_ok(n);
	for (int i = 0; i < n; i++) {
		char in[600];
		struct stat st = {};

		snprintf(in, sizeof(in), "%s/%s", path, all[i]->d_name);
		lstat(in, &st);
		tell("%s:%d%s", all[i]->d_name, all[i]->d_type,
		     st.st_ino == all[i]->d_ino ? "" : "!");
	}
	line("all.%s", name);
}

static void raw(const char *path, int size, const char *name)
{
	char buf[4096];
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	long ret = syscall(SYS_getdents64, fd, buf, size);

	ok(ret, "getdents.%s.%d.%s", path_name(path), size, name);
	close(fd);
}

static void make_many(const char *path)
{
	char name[100];

	mkdir(path, 0755);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%s/name-%d", path, i);
		close(make_file(name, 0));
	}
}

/* From a place in the middle the rest is the same again; places are as many as names. */
static void places(void)
{
	static char names[MANY + 2][256];
	static long at[MANY + 3];
	DIR *d = opendir("many");
	struct dirent *e;
	int n = 0, same = 0;

	at[0] = telldir(d);
	while ((e = readdir(d)) && n < MANY + 2) {
		snprintf(names[n++], sizeof(names[0]), "%s", e->d_name);
		at[n] = telldir(d);
	}
	value(n, "places.names");
	for (int i = n - 1; i >= 0; i--) {
		seekdir(d, at[i]);
		e = readdir(d);
		same += e && !strcmp(e->d_name, names[i]);
	}
	value(same, "places.same");
	seekdir(d, at[n]);
	tell("%s", readdir(d) ? "more" : "nothing");
	line("places.end");
	closedir(d);
}

/* Who removes all that he finds has found all, each once. */
static void while_removing(void)
{
	DIR *d = opendir("many");
	struct dirent *e;
	char path[300];
	int n = 0, failed = 0;

	while ((e = readdir(d))) {
		if (*e->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "many/%s", e->d_name);
		failed += !!unlink(path);
		n++;
	}
	value(n, "removing.seen");
	value(failed, "removing.twice");
	close(make_file("many/late", 0));
	rewinddir(d);
	for (n = 0; (e = readdir(d)); n++)
		;
	value(n, "rewound");
	unlink("many/late");
	ok(rmdir("many"), "rmdir");
	rewinddir(d);
	errno = 0;
	e = readdir(d);
	tell("%s", e ? e->d_name : errno ? strerrorname_np(errno) : "end");
	line("removed-dir");
	closedir(d);
}

static void offsets(void)
{
	static const off_t offs[] = { 0, -1, 1 };
	int fd = open("full", O_RDONLY);
	char buf[4096] = "";
	long first = syscall(SYS_getdents64, fd, buf, sizeof(buf));

	value(syscall(SYS_getdents64, fd, buf, sizeof(buf)), "at-end");
	ok(lseek(fd, 0, SEEK_SET), "back");
	value(syscall(SYS_getdents64, fd, buf, sizeof(buf)) == first, "again");
	for (unsigned int i = 0; i < N(offs); i++)
		say_ok(lseek(fd, offs[i], SEEK_SET));
	say_ok(lseek(fd, 0, SEEK_CUR));
	say_ok(lseek(fd, -1, SEEK_CUR));
	say_ok(lseek(fd, 0, SEEK_END));
	say_ok(lseek(fd, 0, SEEK_DATA));
	say_ok(lseek(fd, 0, SEEK_HOLE));
	line("seeks");
	lseek(fd, 0, SEEK_SET);
	say_ok(syscall(SYS_getdents64, fd, (void *)1, 4096));
	line("fault");
	close(fd);
}

static void current(void)
{
	char buf[PAGE], *got;

	must(mkdir("gone", 0755), "gone");
	must(chdir("gone"), "gone");
	ok(getcwd(buf, 3) ? 0 : -1, "cwd.small");
	must(rmdir("../gone"), "gone");
	got = getcwd(buf, sizeof(buf));
	tell("%s", got ? got : strerrorname_np(errno));
	line("cwd.gone");
	ok(open(".", O_RDONLY), "cwd.open");
	ok(open("..", O_RDONLY), "cwd.open-parent");
	ok(open("new", O_CREAT | O_RDWR, 0600), "cwd.create");
	ok(mkdir("new", 0700), "cwd.mkdir");
	ok(symlink("a", "new"), "cwd.symlink");
	ok(open(".", O_TMPFILE | O_RDWR, 0600), "cwd.tmpfile");
	ok(access("new", F_OK), "cwd.access");
	ok(rename("../file", "new"), "cwd.rename");
	ok(link("../file", "new"), "cwd.link");
	ok(rmdir("../gone"), "cwd.rmdir");
	ok(chmod(".", 0700), "cwd.chmod");
	ok(utimensat(AT_FDCWD, ".", NULL, 0), "cwd.utimens");
	say_file(".");
	line("cwd.stat");
	list(".", "gone");
	ok(chdir(".."), "cwd.leave");
	say_file("file");
	line("cwd.left");
}

void listings(void)
{
	static const char *const them_all[] = {
		".", "dir", "full", "closed", "locked", "sticky", "file", "link", "dlink", "absent",
	};
	static const int room[] = { 0, 10, 24, 50, 4096 };

	as_root(make_all, "");
	for (unsigned int i = 0; i < N(them_all); i++)
		list(them_all[i], them_all[i]);
	for (int k = 0; k < kinds; k++)
		for (unsigned int r = 0; r < N(room); r++)
			raw(kind_names[k], room[r], "fresh");
	make_many("many");
	places();
	while_removing();
	offsets();
	current();
	/* links of a directory */
	must(mkdir("up", 0755), "up");
	must(mkdir("up/a", 0755), "up/a");
	must(mkdir("up/b", 0755), "up/b");
	say_file("up");
	must(rename("up/b", "b"), "up/b");
	say_file("up");
	must(rmdir("up/a"), "up/a");
	say_file("up");
	line("links");
}
