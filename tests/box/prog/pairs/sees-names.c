// SPDX-License-Identifier: GPL-2.0-only
/* sees-names.c - is a name there, whose is it, and what does it lead to */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pairs.h"

#define FREE_S	20	/* statfs(2) on a client is a second old at most: some more */
#define BUSY_S	20

static int64_t there(long ret)
{
	return ret >= 0 ? 1 : errno == ENOENT ? 0 : -errno;
}

static int64_t fd_there(int fd)
{
	int64_t ret = there(fd);

	if (fd >= 0)
		close(fd);
	return ret;
}

static int64_t see_stat(struct pair *p)
{
	struct stat st;

	return there(stat(p->a, &st));
}

static int64_t see_stat_b(struct pair *p)
{
	struct stat st;

	return there(stat(p->b, &st));
}

static int64_t see_lstat(struct pair *p)
{
	struct stat st;

	return there(lstat(p->a, &st));
}

static int64_t see_statx(struct pair *p)
{
	struct statx stx;

	return there(statx(AT_FDCWD, p->a, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &stx));
}

static int64_t see_access(struct pair *p)
{
	return there(faccessat(AT_FDCWD, p->a, F_OK, AT_SYMLINK_NOFOLLOW));
}

static int64_t see_access_b(struct pair *p)
{
	return there(access(p->b, F_OK));
}

static int64_t see_open(struct pair *p)
{
	return fd_there(open(p->a, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

static int64_t see_open_b(struct pair *p)
{
	return fd_there(open(p->b, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

static int64_t see_path(struct pair *p)
{
	return fd_there(open(p->a, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

/* Where there is one, none can be made. */
static int64_t see_exclusive(struct pair *p)
{
	int fd;

	if (!p->after)
		return see_lstat(p);
	fd = open(p->a, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EEXIST ? 1 : -errno;
	close(fd);
	unlink(p->a);
	return 0;
}

/* Where there is none, one can be made. */
static int64_t see_mkdir(struct pair *p)
{
	if (!p->after)
		return see_lstat(p);
	if (mkdir(p->a, 0755))
		return errno == EEXIST ? 1 : -errno;
	return rmdir(p->a) ? -errno : 0;
}

static int64_t see_chdir(struct pair *p)
{
	return there(chdir(p->a));
}

/* What a listing says of a name. */
static struct dirent *listed(DIR *dir, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	struct dirent *e;

	while ((e = readdir(dir)))
		if (!strcmp(e->d_name, name))
			break;
	return e;
}

static DIR *parent_of(const char *path)
{
	char up[PATH_SIZE];

	memcpy(up, path, sizeof(up));
	*strrchr(up, '/') = '\0';
	return opendir(up);
}

enum of_entry { IS_THERE, ITS_TYPE, ITS_INO };

static int64_t see_entry(const char *path, enum of_entry what)
{
	DIR *dir = parent_of(path);
	struct dirent *e;
	int64_t ret;

	if (!dir)
		return -errno;
	e = listed(dir, path);
	ret = !e ? 0 : what == IS_THERE ? 1 : what == ITS_TYPE ? e->d_type : (int64_t)e->d_ino;
	closedir(dir);
	return ret;
}

static int64_t see_list(struct pair *p)
{
	return see_entry(p->a, IS_THERE);
}

static int64_t see_list_b(struct pair *p)
{
	return see_entry(p->b, IS_THERE);
}

static int64_t see_list_type(struct pair *p)
{
	return see_entry(p->a, ITS_TYPE);
}

static int64_t see_list_ino(struct pair *p)
{
	return see_entry(p->a, ITS_INO);
}

/* A directory that is open since before the change, from its start. */
static int64_t see_rewind(struct pair *p)
{
	if (!p->list)
		p->list = parent_of(p->a);
	if (!p->list)
		return -errno;
	rewinddir(p->list);
	return !!listed(p->list, p->a);
}

static int64_t see_seekdir(struct pair *p)
{
	static long start;

	if (!p->list) {
		p->list = parent_of(p->a);
		if (!p->list)
			return -errno;
		start = telldir(p->list);
	}
	seekdir(p->list, start);
	return !!listed(p->list, p->a);
}

static int64_t see_ino(struct pair *p)
{
	struct stat st;

	return lstat(p->a, &st) ? (errno == ENOENT ? 0 : -errno) : (int64_t)st.st_ino;
}

static int64_t see_ino_b(struct pair *p)
{
	struct stat st;

	return lstat(p->b, &st) ? (errno == ENOENT ? 0 : -errno) : (int64_t)st.st_ino;
}

/* The inode that a handle of the name leads to. */
static int64_t see_handle(struct pair *p)
{
	struct {
		struct file_handle h;
		unsigned char bytes[MAX_HANDLE_SZ];
	} handle = { .h.handle_bytes = MAX_HANDLE_SZ };
	struct stat st;
	int64_t ret;
	int id, fd, dir;

	if (name_to_handle_at(AT_FDCWD, p->a, &handle.h, &id, 0))
		return errno == ENOENT ? 0 : -errno;
	dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open_by_handle_at(dir, &handle.h, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ret = fd < 0 || fstat(fd, &st) ? -errno : (int64_t)st.st_ino;
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return ret;
}

static int64_t see_links(struct pair *p)
{
	struct stat st;

	return stat(p->a, &st) ? -errno : (int64_t)st.st_nlink;
}

static int64_t see_links_statx(struct pair *p)
{
	struct statx stx;

	return statx(AT_FDCWD, p->a, 0, STATX_NLINK, &stx) ? -errno :
		(int64_t)stx.stx_nlink;
}

static int held(struct pair *p)
{
	if (p->fd < 0)
		p->fd = open(p->a, (p->round % 2 ? O_RDONLY : O_PATH) | O_CLOEXEC);
	return p->fd;
}

static int64_t see_held_links(struct pair *p)
{
	struct stat st;

	return fstat(held(p), &st) ? -errno : (int64_t)st.st_nlink;
}

static int64_t see_dir_links(struct pair *p)
{
	struct stat st;

	return stat(p->dir, &st) ? -errno : (int64_t)st.st_nlink;
}

static int64_t see_dir_time(struct pair *p)
{
	struct stat st;

	return stat(p->dir, &st) ? -errno : st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
}

static int64_t see_text(struct pair *p)
{
	char text[32];
	ssize_t n = readlink(p->a, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return atoll(text);
}

/* Which of both names a path ends in: 0 or 1. */
static int64_t place(const struct pair *p, const char *path)
{
	const size_t n = strlen(path), a = strlen(p->board->a), b = strlen(p->board->b);

	if (n > a && !strcmp(path + n - a, p->board->a))
		return 0;
	return n > b && !strcmp(path + n - b, p->board->b) ? 1 : -EINVAL;
}

static int64_t see_fd_path(struct pair *p)
{
	char link[32], path[PATH_SIZE * 2];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", held(p));
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	return place(p, path);
}

static int64_t see_cwd(struct pair *p)
{
	char path[PATH_SIZE * 2];

	if (p->fd < 0 && fchdir(held(p)))
		return -errno;
	return getcwd(path, sizeof(path)) ? place(p, path) : -errno;
}

/* What is above an open directory. */
static int64_t see_above(struct pair *p)
{
	struct stat st;

	return fstatat(held(p), "..", &st, 0) ? -errno : (int64_t)st.st_ino;
}

/* Both for who has looked where it is now. */
static int64_t see_cwd_looked(struct pair *p)
{
	struct stat st;

	if (p->after && stat(p->b, &st))
		return -errno;
	return see_cwd(p);
}

static int64_t see_above_looked(struct pair *p)
{
	struct stat st;

	if (p->after && stat(p->b, &st))
		return -errno;
	return see_above(p);
}

static int64_t run(struct pair *p)
{
	char *const argv[] = { p->a, NULL };
	volatile int err = 0;
	int status;
	pid_t pid = vfork();

	if (!pid) {
		execve(p->a, argv, argv + 1);
		err = errno;
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return err ? -err : WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* What a client has closed is open for writing at the owner a moment longer, as documented. */
static int64_t see_exec(struct pair *p)
{
	const time_t until = time(NULL) + BUSY_S;
	int64_t ret;

	do {
		ret = run(p);
	} while (ret == -ETXTBSY && time(NULL) < until);
	return ret;
}

/* How much more than before is free; on a client that takes a second, as documented. Others
 * may free some, but not as much.
 */
static int64_t see_free(struct pair *p)
{
	const time_t until = time(NULL) + FREE_S;
	static int64_t before;
	struct statfs fs;
	int64_t more;

	do {
		if (statfs(p->dir, &fs))
			return -errno;
		if (!p->after)
			before = fs.f_bfree * fs.f_bsize;
		more = ((int64_t)(fs.f_bfree * fs.f_bsize) - before) * 2 / FREE_UNIT;
		more = more > 0 ? (more + 1) / 2 : (more - 1) / 2;
		if (!p->after || more == p->board->is[FACT_FREE])
			break;
		usleep(50000);
	} while (time(NULL) < until);
	return more;
}

const struct see name_sees[] = {
	{ "stat", FACT_THERE, see_stat },
	{ "stat-b", FACT_THERE_B, see_stat_b },
	{ "lstat", FACT_THERE, see_lstat },
	{ "statx", FACT_THERE, see_statx },
	{ "access", FACT_THERE, see_access },
	{ "access-b", FACT_THERE_B, see_access_b },
	{ "open", FACT_THERE, see_open },
	{ "open-b", FACT_THERE_B, see_open_b },
	{ "open-path", FACT_THERE, see_path },
	{ "open-excl", FACT_THERE, see_exclusive },
	{ "mkdir-there", FACT_THERE, see_mkdir },
	{ "chdir", FACT_THERE, see_chdir },
	{ "list", FACT_THERE, see_list },
	{ "list-b", FACT_THERE_B, see_list_b },
	{ "list-type", FACT_TYPE, see_list_type },
	{ "list-ino", FACT_INO, see_list_ino },
	{ "rewinddir", FACT_THERE, see_rewind },
	{ "seekdir", FACT_THERE, see_seekdir },
	{ "ino", FACT_INO, see_ino },
	{ "ino-b", FACT_INO_B, see_ino_b },
	{ "handle", FACT_INO, see_handle },
	{ "links", FACT_LINKS, see_links },
	{ "links-statx", FACT_LINKS, see_links_statx },
	{ "links-fstat", FACT_HELD_LINKS, see_held_links },
	{ "dir-links", FACT_DIR_LINKS, see_dir_links },
	{ "dir-mtime", FACT_DIR_MTIME, see_dir_time },
	{ "readlink", FACT_TEXT, see_text },
	{ "fd-path", FACT_PLACE, see_fd_path },
	{ "getcwd", FACT_PLACE, see_cwd },
	{ "getcwd-looked", FACT_PLACE, see_cwd_looked },
	{ "above", FACT_PARENT, see_above },
	{ "above-looked", FACT_PARENT, see_above_looked },
	{ "exec", FACT_STATUS, see_exec },
	{ "statfs", FACT_FREE, see_free },
	{ }
};
