// SPDX-License-Identifier: GPL-2.0-only
/* sees-locks.c - is a lock to be had, and whose is it if not */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "pairs.h"

static int held(struct pair *p)
{
	if (p->fd < 0)
		p->fd = open(p->a, O_RDWR | O_CLOEXEC);
	return p->fd;
}

static int64_t try_lock(struct pair *p, int cmd, short type)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0 };

	if (fcntl(held(p), cmd, &fl))
		return errno == EACCES ? -EAGAIN : -errno;
	fl.l_type = F_UNLCK;
	return error_of(fcntl(p->fd, cmd, &fl));
}

static int64_t see_lock(struct pair *p)
{
	return try_lock(p, F_SETLK, F_WRLCK);
}

static int64_t see_lock_read(struct pair *p)
{
	return try_lock(p, F_SETLK, F_RDLCK);
}

static int64_t see_lock_ofd(struct pair *p)
{
	return try_lock(p, F_OFD_SETLK, F_WRLCK);
}

/* 0: nobody's. */
static int64_t see_locker(struct pair *p)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0 };

	if (fcntl(held(p), F_GETLK, &fl))
		return -errno;
	if (fl.l_type == F_UNLCK)
		return 0;
	return fl.l_start == 8 && fl.l_len == 8 ? fl.l_pid : -EINVAL;
}

static int64_t try_flock(struct pair *p, int how)
{
	if (flock(held(p), how | LOCK_NB))
		return -errno;
	return error_of(flock(p->fd, LOCK_UN));
}

static int64_t see_flock(struct pair *p)
{
	return try_flock(p, LOCK_EX);
}

static int64_t see_flock_shared(struct pair *p)
{
	return try_flock(p, LOCK_SH);
}

const struct see lock_sees[] = {
	{ "trylock", FACT_LOCK, see_lock },
	{ "trylock-read", FACT_LOCK, see_lock_read },
	{ "trylock-ofd", FACT_LOCK, see_lock_ofd },
	{ "getlk", FACT_LOCKER, see_locker },
	{ "try-flock", FACT_FLOCK, see_flock },
	{ "try-flock-shared", FACT_FLOCK, see_flock_shared },
	{ }
};
