// SPDX-License-Identifier: GPL-2.0-only
/* files.c - what operations begin with */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pairs.h"

int64_t error_of(long ret)
{
	return ret < 0 ? -errno : 0;
}

/* No two rounds, and no two rows, have the same. */
static int64_t stamp(const struct pair *p, int n)
{
	return (((int64_t)p->row + 1) << 40) + ((int64_t)p->round << 8) + n;
}

int64_t stamp_old(const struct pair *p)
{
	return stamp(p, 1);
}

int64_t stamp_new(const struct pair *p)
{
	return stamp(p, 2);
}

int file_gone(const char *path)
{
	if (!unlink(path) || errno == ENOENT)
		return 0;
	return error_of(rmdir(path));
}

int file_make(struct pair *p, const char *path, size_t size, int64_t stamp)
{
	int64_t words[MAP_PAGES * PAGE / sizeof(int64_t)];
	const size_t words_size = sizeof(words);
	struct stat st;
	int ret;

	for (size_t i = 0; i < words_size / sizeof(*words); i++)
		words[i] = stamp;
	if (!lstat(path, &st) && (p->round % 2 || !S_ISREG(st.st_mode) || st.st_nlink > 1)) {
		ret = file_gone(path);
		if (ret)
			return ret;
	}
	if (p->fd >= 0)
		close(p->fd);
	p->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (p->fd < 0)
		return -errno;
	if (fchmod(p->fd, 0644) || fchown(p->fd, 0, 0))
		return -errno;
	for (size_t at = 0; at < size; at += ret) {
		size_t n = size - at < words_size ? size - at : words_size;

		ret = pwrite(p->fd, words, n, at);
		if (ret <= 0)
			return -EIO;
	}
	return 0;
}

int file_closed(struct pair *p, const char *path, size_t size, int64_t stamp)
{
	int ret = file_make(p, path, size, stamp);

	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	return ret;
}

int file_fd(struct pair *p)
{
	if (p->fd < 0)
		p->fd = open(p->a, O_RDWR | O_CLOEXEC);
	return p->fd;
}

static int64_t time_of(const struct timespec *ts)
{
	return ts->tv_sec * 1000000000LL + ts->tv_nsec;
}

int64_t file_ino(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : (int64_t)st.st_ino;
}

int64_t file_mtime(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : time_of(&st.st_mtim);
}

int64_t file_ctime(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : time_of(&st.st_ctim);
}
