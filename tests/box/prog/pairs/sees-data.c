// SPDX-License-Identifier: GPL-2.0-only
/* sees-data.c - what is in a file, and how long it is, in all ways that there are */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pairs.h"

static int64_t block[PAGE / sizeof(int64_t)] __attribute__((aligned(PAGE)));

/* The stamp, or what went wrong; a page of stamps is all of one. */
static int64_t stamp_of(ssize_t n)
{
	if (n < 0)
		return -errno;
	if (n < (ssize_t)sizeof(*block))
		return -EIO;
	return *block;
}

/* Opened in the look before. */
static int held(struct pair *p)
{
	if (p->fd < 0)
		p->fd = open(p->a, O_RDONLY | O_CLOEXEC);
	return p->fd;
}

static char *held_map(struct pair *p)
{
	if (p->map)
		return p->map;
	p->map = mmap(NULL, MAP_PAGES * PAGE, PROT_READ, MAP_SHARED, held(p), 0);
	if (p->map == MAP_FAILED)
		p->map = NULL;
	return p->map;
}

static int64_t see_read(struct pair *p)
{
	int fd = open(p->a, O_RDONLY | O_CLOEXEC);
	int64_t ret;

	if (fd < 0)
		return -errno;
	ret = stamp_of(read(fd, block, sizeof(block)));
	close(fd);
	return ret;
}

static int64_t see_read_held(struct pair *p)
{
	if (lseek(held(p), 0, SEEK_SET))
		return -errno;
	return stamp_of(read(p->fd, block, sizeof(*block)));
}

static int64_t see_pread(struct pair *p)
{
	return stamp_of(pread(held(p), block, PAGE, 0));
}

static int64_t see_readv(struct pair *p)
{
	struct iovec v[2] = { { block, 4 }, { (char *)block + 4, PAGE - 4 } };

	return stamp_of(preadv2(held(p), v, 2, 0, 0));
}

static int64_t see_direct(struct pair *p)
{
	if (p->fd < 0)
		p->fd = open(p->a, O_RDONLY | O_DIRECT | O_CLOEXEC);
	return stamp_of(pread(p->fd, block, PAGE, 0));
}

static int64_t see_load(struct pair *p)
{
	int64_t *map = (int64_t *)held_map(p);

	return map ? __atomic_load_n(map, __ATOMIC_ACQUIRE) : -errno;
}

static int64_t see_map(struct pair *p)
{
	int fd = open(p->a, O_RDONLY | O_CLOEXEC);
	int64_t *map, ret;

	if (fd < 0)
		return -errno;
	map = mmap(NULL, PAGE, PROT_READ, p->round % 2 ? MAP_PRIVATE : MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -errno;
	ret = *map;
	munmap(map, PAGE);
	return ret;
}

static int64_t see_sendfile(struct pair *p)
{
	off_t at = 0;

	if (p->other < 0)
		p->other = memfd_create("pairs", MFD_CLOEXEC);
	if (lseek(p->other, 0, SEEK_SET) || sendfile(p->other, held(p), &at, PAGE) < 0)
		return -errno;
	return stamp_of(pread(p->other, block, PAGE, 0));
}

static int64_t see_splice(struct pair *p)
{
	int ends[2];
	loff_t at = 0;
	int64_t ret;

	if (pipe(ends))
		return -errno;
	if (splice(held(p), &at, ends[1], NULL, PAGE, 0) < 0)
		ret = -errno;
	else
		ret = stamp_of(read(ends[0], block, sizeof(block)));
	close(ends[0]);
	close(ends[1]);
	return ret;
}

static int64_t see_held_stat(struct pair *p)
{
	struct stat st;

	return fstat(held(p), &st) ? -errno : st.st_size;
}

static int64_t see_stat(struct pair *p)
{
	struct stat st;

	return stat(p->a, &st) ? -errno : st.st_size;
}

static int64_t see_statx(struct pair *p)
{
	struct statx stx;

	return statx(AT_FDCWD, p->a, AT_STATX_SYNC_AS_STAT, STATX_SIZE, &stx) ? -errno :
		(int64_t)stx.stx_size;
}

static int64_t see_end(struct pair *p)
{
	off_t end = lseek(held(p), 0, SEEK_END);

	return end < 0 ? -errno : end;
}

/* To where it ends. */
static int64_t see_all(struct pair *p)
{
	static char bytes[2 * MAP_PAGES * PAGE];
	ssize_t n = pread(held(p), bytes, sizeof(bytes), 0);

	return n < 0 ? -errno : n;
}

static int64_t see_left(struct pair *p)
{
	int n;

	return lseek(held(p), 0, SEEK_SET) || ioctl(p->fd, FIONREAD, &n) ? -errno : n;
}

/* An appended byte comes behind what there is. */
static int64_t see_append(struct pair *p)
{
	int fd = open(p->a, O_WRONLY | O_APPEND | O_CLOEXEC);
	int64_t ret;

	if (fd < 0)
		return -errno;
	ret = p->after && write(fd, "+", 1) != 1 ? -EIO : lseek(fd, 0, SEEK_END) - p->after;
	close(fd);
	return ret;
}

static sigjmp_buf beyond;

static void on_bus(int sig)
{
	siglongjmp(beyond, sig);
}

/* How many pages of the mapping there are. */
static int64_t see_pages(struct pair *p)
{
	struct sigaction sa = { .sa_handler = on_bus }, old;
	volatile char *map = held_map(p);
	volatile int n = 0;

	if (!map)
		return -errno;
	sigaction(SIGBUS, &sa, &old);
	if (!sigsetjmp(beyond, 1))
		for (; n < MAP_PAGES; n++)
			(void)map[n * PAGE];
	sigaction(SIGBUS, &old, NULL);
	return n;
}

static int64_t see_hole(struct pair *p)
{
	off_t at = lseek(held(p), 0, SEEK_HOLE);

	return at < 0 ? -errno : at;
}

static int64_t see_data(struct pair *p)
{
	off_t at = lseek(held(p), 0, SEEK_DATA);

	return at < 0 ? -errno : at;
}

const struct see data_sees[] = {
	{ "read", FACT_STAMP, see_read },
	{ "read-held", FACT_HELD_STAMP, see_read_held },
	{ "pread", FACT_HELD_STAMP, see_pread },
	{ "readv", FACT_HELD_STAMP, see_readv },
	{ "direct", FACT_HELD_STAMP, see_direct },
	{ "load", FACT_HELD_STAMP, see_load },
	{ "map", FACT_STAMP, see_map },
	{ "sendfile-from", FACT_HELD_STAMP, see_sendfile },
	{ "splice-from", FACT_HELD_STAMP, see_splice },
	{ "size", FACT_SIZE, see_stat },
	{ "size-statx", FACT_SIZE, see_statx },
	{ "size-fstat", FACT_HELD_SIZE, see_held_stat },
	{ "seek-end", FACT_HELD_SIZE, see_end },
	{ "read-all", FACT_HELD_SIZE, see_all },
	{ "fionread", FACT_HELD_SIZE, see_left },
	{ "append-at", FACT_SIZE, see_append },
	{ "pages", FACT_PAGES, see_pages },
	{ "seek-hole", FACT_HOLE, see_hole },
	{ "seek-data", FACT_DATA, see_data },
	{ }
};
