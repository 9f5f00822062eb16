// SPDX-License-Identifier: GPL-2.0-only
/* acts-size.c - operations that change how long a file is, and where its holes are */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "pairs.h"

#define FAR_PAGES	15

static char bytes[MAP_PAGES * PAGE];

static int64_t pages(int64_t size)
{
	return (size + PAGE - 1) / PAGE;
}

static int sized(struct pair *p, int64_t was, int64_t is)
{
	int ret = file_make(p, p->a, was, stamp_old(p));

	if (p->round / 2 % 2 && p->fd >= 0) {	/* else opened by the operation */
		close(p->fd);
		p->fd = -1;
	}
	pair_fact(p, FACT_SIZE, was, is);
	pair_fact(p, FACT_HELD_SIZE, was, is);
	pair_fact(p, FACT_PAGES, pages(was), pages(is));
	return ret;
}

static int64_t was(const struct pair *p)
{
	return p->board->was[FACT_SIZE];
}

static int64_t is(const struct pair *p)
{
	return p->board->is[FACT_SIZE];
}

/* One or two pages become two to four. */
static int prepare_up(struct pair *p)
{
	return sized(p, 100 + p->round * 7 % 4000, 4200 + p->round * 61 % (3 * PAGE - 200));
}

static int prepare_down(struct pair *p)
{
	return sized(p, 3 * PAGE + 1 + p->round * 7 % PAGE, 1 + p->round * 937 % (2 * PAGE));
}

static int prepare_none(struct pair *p)
{
	return sized(p, 3 * PAGE + 1 + p->round * 7 % PAGE, 0);
}

static int act_truncate(struct pair *p)
{
	return error_of(truncate(p->a, is(p)));
}

static int act_ftruncate(struct pair *p)
{
	return error_of(ftruncate(file_fd(p), is(p)));
}

static int act_open_trunc(struct pair *p)
{
	int fd = open(p->a, O_WRONLY | O_TRUNC | O_CLOEXEC);

	return fd < 0 ? -errno : error_of(close(fd));
}

static int all_of(struct pair *p, ssize_t n)
{
	return n < 0 ? -errno : n == is(p) - was(p) ? 0 : -EIO;
}

static int act_append(struct pair *p)
{
	int fd = open(p->a, O_WRONLY | O_APPEND | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = all_of(p, write(fd, bytes, is(p) - was(p)));
	close(fd);
	return ret;
}

static int act_write_past(struct pair *p)
{
	ssize_t n = pwrite(file_fd(p), bytes, 1, is(p) - 1);

	return n < 0 ? -errno : n == 1 ? 0 : -EIO;
}

static int act_allocate(struct pair *p)
{
	return error_of(fallocate(file_fd(p), 0, 0, is(p)));
}

static int act_zero_past(struct pair *p)
{
	return error_of(fallocate(file_fd(p), FALLOC_FL_ZERO_RANGE, was(p), is(p) - was(p)));
}

static int prepare_memfd(struct pair *p)
{
	int ret = prepare_up(p);

	p->other = memfd_create("pairs", MFD_CLOEXEC);
	if (ret || p->other < 0 || ftruncate(p->other, sizeof(bytes)))
		return ret ? ret : -errno;
	return 0;
}

static int act_sendfile(struct pair *p)
{
	off_t at = 0;

	if (lseek(file_fd(p), 0, SEEK_END) < 0)
		return -errno;
	return all_of(p, sendfile(p->fd, p->other, &at, is(p) - was(p)));
}

static int prepare_copy(struct pair *p)
{
	int ret = file_closed(p, p->b, MAP_PAGES * PAGE, stamp_old(p));

	if (!ret)
		ret = prepare_up(p);
	p->other = open(p->b, O_RDONLY | O_CLOEXEC);
	return ret ? ret : p->other < 0 ? -errno : 0;
}

static int act_copy(struct pair *p)
{
	loff_t from = 0, to = was(p);

	return all_of(p, copy_file_range(p->other, &from, file_fd(p), &to, is(p) - was(p), 0));
}

/* A page far out in a file that has none. */
static int prepare_far(struct pair *p)
{
	int ret = file_make(p, p->a, 0, 0);

	if (!ret)
		ret = error_of(ftruncate(p->fd, (FAR_PAGES + 1) * PAGE));
	pair_fact(p, FACT_DATA, -ENXIO, (1 + p->round % FAR_PAGES) * PAGE);
	return ret;
}

static int act_far(struct pair *p)
{
	ssize_t n = pwrite(file_fd(p), bytes, PAGE, p->board->is[FACT_DATA]);

	return n < 0 ? -errno : n == PAGE ? 0 : -EIO;
}

static int prepare_inner(struct pair *p)
{
	int ret = file_make(p, p->a, MAP_PAGES * PAGE, stamp_old(p));

	pair_fact(p, FACT_HOLE, MAP_PAGES * PAGE, (1 + p->round % 2) * PAGE);
	return ret;
}

static int act_inner(struct pair *p)
{
	return error_of(fallocate(file_fd(p), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				  p->board->is[FACT_HOLE], PAGE));
}

const struct op size_ops[] = {
	{ "truncate-up", prepare_up, act_truncate, NULL },
	{ "truncate-down", prepare_down, act_truncate, NULL },
	{ "ftruncate-up", prepare_up, act_ftruncate, NULL },
	{ "ftruncate-down", prepare_down, act_ftruncate, NULL },
	{ "open-trunc", prepare_none, act_open_trunc, NULL },
	{ "append", prepare_up, act_append, NULL },
	{ "write-past", prepare_up, act_write_past, NULL },
	{ "allocate", prepare_up, act_allocate, NULL },
	{ "zero-past", prepare_up, act_zero_past, NULL },
	{ "sendfile-past", prepare_memfd, act_sendfile, NULL },
	{ "copy-past", prepare_copy, act_copy, NULL },
	{ "write-far", prepare_far, act_far, NULL },
	{ "punch-inner", prepare_inner, act_inner, NULL },
	{ }
};
