// SPDX-License-Identifier: GPL-2.0-only
/*
 * kinds.c - files of all kinds, the caller's and somebody else's
 */
#define _GNU_SOURCE
#include <ftw.h>
#include <sys/sysmacros.h>

#include "tests/box/prog/semantics/semantics.h"

#define FULL	1		/* a directory with a file "in" */
#define THEIRS	2

static const struct kind {
	const char *name;
	mode_t mode;
	int how;
	const char *text;	/* of a symbolic link */
} table[] = {
	{ "file", S_IFREG | 0644, 0, NULL },
	{ "ro", S_IFREG | 0444, 0, NULL },
	{ "none", S_IFREG, 0, NULL },
	{ "theirs", S_IFREG | 0644, THEIRS, NULL },
	{ "shared", S_IFREG | 0666, THEIRS, NULL },
	{ "secret", S_IFREG | 0600, THEIRS, NULL },
	{ "dir", S_IFDIR | 0755, 0, NULL },
	{ "full", S_IFDIR | 0755, FULL, NULL },
	{ "closed", S_IFDIR | 0700, FULL | THEIRS, NULL },
	{ "locked", S_IFDIR | 0755, FULL | THEIRS, NULL },
	{ "sticky", S_IFDIR | 01777, FULL | THEIRS, NULL },
	{ "link", S_IFLNK, 0, "file" },
	{ "dlink", S_IFLNK, 0, "dir" },
	{ "dangling", S_IFLNK, 0, "nowhere" },
	{ "loop", S_IFLNK, 0, "loop" },
	{ "fifo", S_IFIFO | 0644, 0, NULL },
	{ "sock", S_IFSOCK | 0644, 0, NULL },
	{ "null", S_IFCHR | 0666, 0, NULL },
	{ "blk", S_IFBLK | 0666, 0, NULL },
};

const char *const kind_names[] = {
	"file", "ro", "none", "theirs", "shared", "secret", "dir", "full", "closed", "locked",
	"sticky", "link", "dlink", "dangling", "loop", "fifo", "sock", "null", "blk", "absent",
};
const int kinds = N(kind_names);

#define TEN(x)	x x x x x x x x x x
#define N250	TEN("nnnnnnnnnnnnnnnnnnnnnnnnn")
#define SHORT	TEN(TEN("./././././././././")) TEN("./././././././././././././././././././" \
		"./././././././././././././././")

const char *const paths[] = {
	"file", "ro", "none", "theirs", "shared", "secret", "dir", "full", "closed", "locked",
	"sticky", "link", "dlink", "dangling", "loop", "fifo", "sock", "null", "blk", "absent",
	"absent/", "absent/x", "file/", "file/x", "dir/", "dir/.", "link/", "dlink/", "dlink/x",
	"dangling/", "loop/x", "full/in", "full/..", "closed/in", "closed/new", "locked/in",
	"locked/new", "sticky/in", "sticky/new", "", ".", "..",
	N250 "12345", N250 "123456", SHORT TEN(TEN(TEN("./"))) "file",
	SHORT TEN(TEN(TEN("./"))) TEN(TEN("./")) "file",
};
const int path_count = N(paths);

const char *path_name(const char *path)
{
	static char buf[40];

	if (strlen(path) < 30)
		return path;
	snprintf(buf, sizeof(buf), "%s-%zu", *path == 'n' ? "name" : "path", strlen(path));
	return buf;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return must(remove(path), path);
}

void remove_all(const char *path)
{
	struct stat st;

	if (!lstat(path, &st))
		must(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), path);
}

static void fill(const char *path, mode_t mode)
{
	int fd = must(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600), path);

	must(write(fd, TEXT, strlen(TEXT)), path);
	must(fchmod(fd, mode), path);
	close(fd);
}

static void make(const struct kind *k)
{
	uid_t uid = k->how & THEIRS ? them : me;
	char in[100];

	snprintf(in, sizeof(in), "%s/in", k->name);
	if (k->text) {
		must(symlink(k->text, k->name), k->name);
	} else if (S_ISREG(k->mode)) {
		fill(k->name, k->mode & 07777);
	} else if (S_ISDIR(k->mode)) {
		must(mkdir(k->name, 0700), k->name);
		if (k->how & FULL) {
			fill(in, 0644);
			must(chown(in, uid, uid), in);
		}
	} else {
		must(mknod(k->name, k->mode, S_ISCHR(k->mode) ? makedev(1, 3) : 0), k->name);
	}
	must(lchown(k->name, uid, uid), k->name);
	if (!k->text)
		must(chmod(k->name, k->mode & 07777), k->name);
}

void make_again(const char *path)
{
	int len = strcspn(path, "/");
	char name[300];

	if (!*path || !strcmp(path, ".") || !strcmp(path, "..") || !strcmp(path, "full/..")) {
		must(chown(".", me, me), ".");
		must(chmod(".", 0755), ".");
		must(chown("..", 0, 0), "..");
		must(chmod("..", 0755), "..");
		return;
	}
	if (!strncmp(path, "./", 2))
		path = "file", len = 4;
	snprintf(name, sizeof(name), "%.*s", len, path);
	remove_all(name);
	for (unsigned int i = 0; i < N(table); i++)
		if (!strcmp(table[i].name, name))
			make(&table[i]);
	/* what it leads to */
	if (!strcmp(name, "link"))
		make_again("file");
	else if (!strcmp(name, "dlink"))
		make_again("dir");
	else if (!strcmp(name, "dangling"))
		remove_all("nowhere");
}

void make_all(const char *unused)
{
	(void)unused;
	for (unsigned int i = 0; i < N(table); i++)
		make_again(table[i].name);
}
