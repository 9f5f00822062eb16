// SPDX-License-Identifier: GPL-2.0-only
/* acts-names.c - operations that make, move and remove names */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pairs.h"

static int64_t dir_links(const struct pair *p)
{
	struct stat st;

	return stat(p->dir, &st) ? -errno : (int64_t)st.st_nlink;
}

static int none(struct pair *p, unsigned char type)
{
	int ret = file_gone(p->a);
	int64_t links = dir_links(p);

	pair_fact(p, FACT_THERE, 0, 1);
	pair_fact(p, FACT_TYPE, 0, type);
	pair_fact(p, FACT_INO, 0, 0);
	pair_fact(p, FACT_DIR_LINKS, links, links + (type == DT_DIR));
	pair_fact(p, FACT_DIR_MTIME, file_mtime(p->dir), 0);
	return ret;
}

static void made(struct pair *p)
{
	pair_now(p, FACT_INO, file_ino(p->a));
	pair_now(p, FACT_DIR_MTIME, file_mtime(p->dir));
}

static int no_file(struct pair *p)
{
	return none(p, DT_REG);
}

static int act_create(struct pair *p)
{
	int fd = open(p->a, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : error_of(close(fd));
}

static int act_creat(struct pair *p)
{
	int fd = creat(p->a, 0644);

	return fd < 0 ? -errno : error_of(close(fd));
}

static int no_dir(struct pair *p)
{
	return none(p, DT_DIR);
}

static int act_mkdir(struct pair *p)
{
	return error_of(mkdir(p->a, 0755));
}

static int no_fifo(struct pair *p)
{
	return none(p, DT_FIFO);
}

static int act_mknod(struct pair *p)
{
	return error_of(mknod(p->a, S_IFIFO | 0644, 0));
}

static int64_t number(const struct pair *p, bool is)
{
	return 1000 + 2 * (int64_t)p->round + is;
}

static int make_symlink(const char *path, int64_t number)
{
	char to[32];

	snprintf(to, sizeof(to), "%lld", (long long)number);
	return error_of(symlink(to, path));
}

static int no_symlink(struct pair *p)
{
	int ret = none(p, DT_LNK);

	pair_fact(p, FACT_TEXT, -ENOENT, number(p, true));
	return ret;
}

static int act_symlink(struct pair *p)
{
	return make_symlink(p->a, number(p, true));
}

/* One symbolic link takes another's place. */
static int two_symlinks(struct pair *p)
{
	int ret = file_gone(p->a);

	if (!ret)
		ret = file_gone(p->b);
	if (!ret)
		ret = make_symlink(p->a, number(p, false));
	if (!ret)
		ret = make_symlink(p->b, number(p, true));
	pair_fact(p, FACT_TEXT, number(p, false), number(p, true));
	return ret;
}

static int act_over(struct pair *p)
{
	return error_of(rename(p->b, p->a));
}

/* ... with files behind them: x and y, which no other round changes. */
static int two_targets(struct pair *p)
{
	char path[PATH_SIZE + 2];
	const char *names[2] = { "x", "y" };
	int ret = 0;

	for (int i = 0; i < 2 && !ret; i++) {
		snprintf(path, sizeof(path), "%.200s/%s%u", p->dir, names[i], p->round % 2);
		ret = file_closed(p, path, PAGE, i ? stamp_new(p) : stamp_old(p));
		if (!ret)
			ret = file_gone(i ? p->b : p->a);
		if (!ret)
			ret = error_of(symlink(strrchr(path, '/') + 1, i ? p->b : p->a));
	}
	pair_fact(p, FACT_STAMP, stamp_old(p), stamp_new(p));
	return ret;
}

static int one(struct pair *p)
{
	int ret = file_closed(p, p->a, PAGE, stamp_old(p));

	return ret ? ret : file_gone(p->b);
}

/* a is there and b is not, then b. */
static void moves(struct pair *p)
{
	const int64_t ino = file_ino(p->a);

	pair_fact(p, FACT_THERE, 1, 0);
	pair_fact(p, FACT_THERE_B, 0, 1);
	pair_fact(p, FACT_INO, ino, 0);
	pair_fact(p, FACT_INO_B, 0, ino);
	pair_fact(p, FACT_PLACE, 0, 1);
}

static int one_link(struct pair *p)
{
	int ret = one(p);
	const int64_t ino = file_ino(p->a);

	pair_fact(p, FACT_THERE_B, 0, 1);
	pair_fact(p, FACT_INO_B, 0, ino);
	pair_fact(p, FACT_LINKS, 1, 2);
	pair_fact(p, FACT_HELD_LINKS, 1, 2);
	pair_fact(p, FACT_CTIME, file_ctime(p->a), 0);
	return ret;
}

static void linked(struct pair *p)
{
	pair_now(p, FACT_CTIME, file_ctime(p->a));
}

static int act_link(struct pair *p)
{
	return error_of(link(p->a, p->b));
}

static int two_links(struct pair *p)
{
	int ret = one(p);

	if (!ret)
		ret = error_of(link(p->a, p->b));
	pair_fact(p, FACT_LINKS, 2, 1);
	pair_fact(p, FACT_HELD_LINKS, 2, 1);
	pair_fact(p, FACT_THERE_B, 1, 0);
	return ret;
}

static int act_unlink_b(struct pair *p)
{
	return error_of(unlink(p->b));
}

static int one_file(struct pair *p)
{
	int ret = one(p);

	pair_fact(p, FACT_THERE, 1, 0);
	pair_fact(p, FACT_INO, file_ino(p->a), 0);
	pair_fact(p, FACT_TYPE, DT_REG, 0);
	pair_fact(p, FACT_HELD_LINKS, 1, 0);
	return ret;
}

static int act_unlink(struct pair *p)
{
	return error_of(unlink(p->a));
}

static int one_dir(struct pair *p)
{
	int64_t links;
	int ret = file_gone(p->a);

	if (!ret)
		ret = error_of(mkdir(p->a, 0755));
	links = dir_links(p);
	pair_fact(p, FACT_THERE, 1, 0);
	pair_fact(p, FACT_INO, file_ino(p->a), 0);
	pair_fact(p, FACT_TYPE, DT_DIR, 0);
	pair_fact(p, FACT_DIR_LINKS, links, links - 1);
	pair_fact(p, FACT_HELD_LINKS, 2, 0);
	return ret;
}

static int act_rmdir(struct pair *p)
{
	return error_of(rmdir(p->a));
}

static int one_to_move(struct pair *p)
{
	int ret = one(p);

	moves(p);
	return ret;
}

static int act_rename(struct pair *p)
{
	return error_of(rename(p->a, p->b));
}

static int act_noreplace(struct pair *p)
{
	return error_of(renameat2(AT_FDCWD, p->a, AT_FDCWD, p->b, RENAME_NOREPLACE));
}

static int two(struct pair *p)
{
	int ret = file_closed(p, p->b, PAGE, stamp_new(p));

	return ret ? ret : file_closed(p, p->a, PAGE, stamp_old(p));
}

static int two_to_one(struct pair *p)
{
	int ret = two(p);

	pair_fact(p, FACT_INO, file_ino(p->a), file_ino(p->b));
	pair_fact(p, FACT_THERE_B, 1, 0);
	pair_fact(p, FACT_STAMP, stamp_old(p), stamp_new(p));
	pair_fact(p, FACT_HELD_LINKS, 1, 0);
	return ret;
}

static int two_to_exchange(struct pair *p)
{
	int ret = two(p);

	pair_fact(p, FACT_INO, file_ino(p->a), file_ino(p->b));
	pair_fact(p, FACT_INO_B, file_ino(p->b), file_ino(p->a));
	pair_fact(p, FACT_STAMP, stamp_old(p), stamp_new(p));
	pair_fact(p, FACT_PLACE, 0, 1);
	return ret;
}

static int act_exchange(struct pair *p)
{
	return error_of(renameat2(AT_FDCWD, p->a, AT_FDCWD, p->b, RENAME_EXCHANGE));
}

static int dir_to_move(struct pair *p)
{
	int ret = file_gone(p->a);

	if (!ret)
		ret = file_gone(p->b);
	if (!ret)
		ret = error_of(mkdir(p->a, 0755));
	moves(p);
	pair_fact(p, FACT_TYPE, DT_DIR, 0);
	return ret;
}

/* u/a and v/b are one file in turn: u is renamed to v. */
static int below_to_move(struct pair *p)
{
	char u[PATH_SIZE], v[PATH_SIZE];
	int ret;

	pair_names(p, "u", "v");
	memcpy(u, p->a, sizeof(u));
	memcpy(v, p->b, sizeof(v));
	strcat(p->board->a, "/f");
	strcat(p->board->b, "/f");
	pair_follow(p);
	ret = file_gone(p->b);
	if (!ret || ret == -ENOTDIR)
		ret = file_gone(v);
	if (!ret && mkdir(u, 0755) && errno != EEXIST)
		ret = -errno;
	if (!ret)
		ret = file_closed(p, p->a, PAGE, stamp_old(p));
	moves(p);
	return ret;
}

static int act_rename_up(struct pair *p)
{
	char u[PATH_SIZE], v[PATH_SIZE];

	memcpy(u, p->a, sizeof(u));
	memcpy(v, p->b, sizeof(v));
	*strrchr(u, '/') = '\0';
	*strrchr(v, '/') = '\0';
	return error_of(rename(u, v));
}

/* A directory goes from one into another one: a is u/s, b is v/s. */
static int dir_to_cross(struct pair *p)
{
	char u[PATH_SIZE], v[PATH_SIZE];
	int ret;

	pair_names(p, "u", "v");
	memcpy(u, p->a, sizeof(u));
	memcpy(v, p->b, sizeof(v));
	if ((mkdir(u, 0755) && errno != EEXIST) || (mkdir(v, 0755) && errno != EEXIST))
		return -errno;
	strcat(p->board->a, "/s");
	strcat(p->board->b, "/s");
	pair_follow(p);
	ret = file_gone(p->b);
	if (!ret)
		ret = file_gone(p->a);
	if (!ret)
		ret = error_of(mkdir(p->a, 0755));
	moves(p);
	pair_fact(p, FACT_PARENT, file_ino(u), file_ino(v));
	return ret;
}

/* A file without a name gets one. */
static int nameless(struct pair *p)
{
	int ret = none(p, DT_REG);

	p->fd = open(p->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	return ret ? ret : p->fd < 0 ? -errno : 0;
}

static int act_name_it(struct pair *p)
{
	char from[32];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", p->fd);
	return error_of(linkat(AT_FDCWD, from, AT_FDCWD, p->a, AT_SYMLINK_FOLLOW));
}

/* What statfs(2) says is a second old at most, and what was let go of before takes its time. */
static void counted(struct pair *p, int more)
{
	sleep(2);
	pair_fact(p, FACT_FREE, 0, more);
}

static int to_fill(struct pair *p)
{
	int ret = file_make(p, p->a, 0, 0);

	counted(p, -1);
	return ret;
}

static int act_fill(struct pair *p)
{
	return error_of(fallocate(p->fd, 0, 0, FREE_UNIT));
}

static void filled(struct pair *p)
{
	file_gone(p->a);
}

/* A file without a name loses the last that has it. */
static int open_alone(struct pair *p)
{
	int ret = file_make(p, p->a, 0, 0);

	if (!ret)
		ret = act_fill(p);
	if (!ret)
		ret = file_gone(p->a);
	counted(p, 1);
	return ret;
}

static int act_close(struct pair *p)
{
	int fd = p->fd;

	p->fd = -1;
	return error_of(close(fd));
}

const struct op name_ops[] = {
	{ "create", no_file, act_create, made },
	{ "creat", no_file, act_creat, made },
	{ "mkdir", no_dir, act_mkdir, made },
	{ "mknod", no_fifo, act_mknod, made },
	{ "symlink", no_symlink, act_symlink, made },
	{ "symlink-over", two_symlinks, act_over, NULL },
	{ "symlink-turned", two_targets, act_over, NULL },
	{ "link", one_link, act_link, linked },
	{ "unlink", one_file, act_unlink, NULL },
	{ "unlink-one", two_links, act_unlink_b, NULL },
	{ "rmdir", one_dir, act_rmdir, NULL },
	{ "rename", one_to_move, act_rename, NULL },
	{ "rename-noreplace", one_to_move, act_noreplace, NULL },
	{ "rename-over", two_to_one, act_over, NULL },
	{ "exchange", two_to_exchange, act_exchange, NULL },
	{ "rename-dir", dir_to_move, act_rename, NULL },
	{ "rename-up", below_to_move, act_rename_up, NULL },
	{ "rename-cross", dir_to_cross, act_rename, NULL },
	{ "name-tmpfile", nameless, act_name_it, made },
	{ "fill", to_fill, act_fill, filled },
	{ "last-close", open_alone, act_close, NULL },
	{ }
};
