// SPDX-License-Identifier: GPL-2.0-only
/* acts-data.c - operations that change what is in a file */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pairs.h"

static int64_t block[PAGE / sizeof(int64_t)] __attribute__((aligned(PAGE)));

static int stamped_to(struct pair *p, int64_t is)
{
	int ret = file_make(p, p->a, 2 * PAGE, stamp_old(p));

	if (p->round / 2 % 2 && p->fd >= 0) {	/* else opened by the operation */
		close(p->fd);
		p->fd = -1;
	}
	pair_fact(p, FACT_STAMP, stamp_old(p), is);
	pair_fact(p, FACT_HELD_STAMP, stamp_old(p), is);
	for (size_t i = 0; i < PAGE / sizeof(*block); i++)
		block[i] = stamp_new(p);
	return ret;
}

static int stamped(struct pair *p)
{
	int ret = stamped_to(p, stamp_new(p));

	pair_fact(p, FACT_MTIME, file_mtime(p->a), 0);
	pair_fact(p, FACT_HELD_MTIME, file_mtime(p->a), 0);
	return ret;
}

static void stamped_known(struct pair *p)
{
	pair_now(p, FACT_MTIME, file_mtime(p->a));
	pair_now(p, FACT_HELD_MTIME, file_mtime(p->a));
}

static int all_of(ssize_t n, size_t want)
{
	return n < 0 ? -errno : n == (ssize_t)want ? 0 : -EIO;
}

static int act_write(struct pair *p)
{
	if (lseek(file_fd(p), 0, SEEK_SET))
		return -errno;
	return all_of(write(p->fd, block, sizeof(*block)), sizeof(*block));
}

static int act_write_close(struct pair *p)
{
	int ret = act_write(p);

	if (close(p->fd) && !ret)
		ret = -errno;
	p->fd = -1;
	return ret;
}

static int act_pwrite(struct pair *p)
{
	return all_of(pwrite(file_fd(p), block, PAGE, 0), PAGE);
}

static int act_writev(struct pair *p)
{
	struct iovec v[2] = { { block, 4 }, { (char *)block + 4, PAGE - 4 } };

	return all_of(pwritev(file_fd(p), v, 2, 0), PAGE);
}

static int act_sync_write(struct pair *p)
{
	struct iovec v = { block, PAGE };

	return all_of(pwritev2(file_fd(p), &v, 1, 0, RWF_DSYNC), PAGE);
}

static int act_fsync(struct pair *p)
{
	int ret = act_pwrite(p);

	return ret ? ret : (int)error_of(fsync(p->fd));
}

static int prepare_direct(struct pair *p)
{
	int ret = stamped(p);

	p->other = open(p->a, O_RDWR | O_DIRECT | O_CLOEXEC);
	return ret ? ret : p->other < 0 ? -errno : 0;
}

static int act_direct(struct pair *p)
{
	return all_of(pwrite(p->other, block, PAGE, 0), PAGE);
}

static int prepare_store(struct pair *p)
{
	int ret = stamped_to(p, stamp_new(p));

	if (ret || file_fd(p) < 0)
		return ret ? ret : -errno;
	p->map = mmap(NULL, MAP_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
	if (p->map == MAP_FAILED) {
		p->map = NULL;
		return -errno;
	}
	return 0;
}

static int act_store(struct pair *p)
{
	__atomic_store_n((int64_t *)p->map, stamp_new(p), __ATOMIC_RELEASE);
	return 0;
}

static int act_msync(struct pair *p)
{
	act_store(p);
	return error_of(msync(p->map, PAGE, MS_SYNC));
}

static int act_unmap(struct pair *p)
{
	char *map = p->map;

	act_store(p);
	p->map = NULL;
	return error_of(munmap(map, MAP_PAGES * PAGE));
}

/* p->other has the new block. */
static int prepare_memfd(struct pair *p)
{
	int ret = stamped(p);

	p->other = memfd_create("pairs", MFD_CLOEXEC);
	if (ret || p->other < 0)
		return ret ? ret : -errno;
	return all_of(pwrite(p->other, block, PAGE, 0), PAGE);
}

static int act_sendfile(struct pair *p)
{
	off_t at = 0;

	if (lseek(file_fd(p), 0, SEEK_SET))
		return -errno;
	return all_of(sendfile(p->fd, p->other, &at, PAGE), PAGE);
}

static int prepare_pipe(struct pair *p)
{
	int ret = stamped(p), ends[2];

	if (ret || pipe(ends))
		return ret ? ret : -errno;
	p->other = ends[0];
	ret = all_of(write(ends[1], block, PAGE), PAGE);
	close(ends[1]);
	return ret;
}

static int act_splice(struct pair *p)
{
	loff_t at = 0;

	return all_of(splice(p->other, NULL, file_fd(p), &at, PAGE, 0), PAGE);
}

static int prepare_copy(struct pair *p)
{
	int ret = file_closed(p, p->b, 2 * PAGE, stamp_new(p));

	if (!ret)
		ret = stamped(p);
	p->other = open(p->b, O_RDONLY | O_CLOEXEC);
	return ret ? ret : p->other < 0 ? -errno : 0;
}

static int act_copy(struct pair *p)
{
	loff_t from = 0, to = 0;

	return all_of(copy_file_range(p->other, &from, file_fd(p), &to, PAGE, 0), PAGE);
}

static int prepare_zero(struct pair *p)
{
	return stamped_to(p, 0);
}

static int act_punch(struct pair *p)
{
	return error_of(fallocate(file_fd(p), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
}

static int act_zero_range(struct pair *p)
{
	return error_of(fallocate(file_fd(p), FALLOC_FL_ZERO_RANGE, 0, PAGE));
}

static int prepare_hole(struct pair *p)
{
	int ret = stamped_to(p, 0);

	pair_fact(p, FACT_HOLE, 2 * PAGE, 0);
	return ret;
}

/* The second page has the new stamp, and comes to be the first. */
static int prepare_collapse(struct pair *p)
{
	int ret = stamped(p);

	if (!ret)
		ret = all_of(pwrite(file_fd(p), block, PAGE, PAGE), PAGE);
	pair_fact(p, FACT_MTIME, file_mtime(p->a), 0);
	pair_fact(p, FACT_SIZE, 2 * PAGE, PAGE);
	pair_fact(p, FACT_HELD_SIZE, 2 * PAGE, PAGE);
	return ret;
}

static int act_collapse(struct pair *p)
{
	return error_of(fallocate(file_fd(p), FALLOC_FL_COLLAPSE_RANGE, 0, PAGE));
}

static int prepare_insert(struct pair *p)
{
	int ret = stamped_to(p, 0);

	pair_fact(p, FACT_SIZE, 2 * PAGE, 3 * PAGE);
	pair_fact(p, FACT_HELD_SIZE, 2 * PAGE, 3 * PAGE);
	return ret;
}

static int act_insert(struct pair *p)
{
	return error_of(fallocate(file_fd(p), FALLOC_FL_INSERT_RANGE, 0, PAGE));
}

/* A whole file that takes another's place: by its name there is the new one. */
static int prepare_over(struct pair *p)
{
	int ret = file_closed(p, p->b, 2 * PAGE, stamp_new(p));

	if (!ret)
		ret = file_closed(p, p->a, 2 * PAGE, stamp_old(p));
	pair_fact(p, FACT_STAMP, stamp_old(p), stamp_new(p));
	return ret;
}

static int act_over(struct pair *p)
{
	return error_of(rename(p->b, p->a));
}

const struct op data_ops[] = {
	{ "write", stamped, act_write, stamped_known },
	{ "write-close", stamped, act_write_close, stamped_known },
	{ "pwrite", stamped, act_pwrite, stamped_known },
	{ "writev", stamped, act_writev, stamped_known },
	{ "write-dsync", stamped, act_sync_write, stamped_known },
	{ "write-fsync", stamped, act_fsync, stamped_known },
	{ "write-direct", prepare_direct, act_direct, stamped_known },
	{ "store", prepare_store, act_store, NULL },
	{ "store-msync", prepare_store, act_msync, NULL },
	{ "store-munmap", prepare_store, act_unmap, NULL },
	{ "sendfile", prepare_memfd, act_sendfile, stamped_known },
	{ "splice", prepare_pipe, act_splice, stamped_known },
	{ "copy-range", prepare_copy, act_copy, stamped_known },
	{ "punch", prepare_hole, act_punch, NULL },
	{ "zero-range", prepare_zero, act_zero_range, NULL },
	{ "collapse", prepare_collapse, act_collapse, stamped_known },
	{ "insert", prepare_insert, act_insert, NULL },
	{ "replace", prepare_over, act_over, NULL },
	{ }
};
