// SPDX-License-Identifier: GPL-2.0-only
/* acts-locks.c - locks that are taken and let go of */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pairs.h"

static int lock(int fd, int cmd, short type)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET, .l_start = 8, .l_len = 8 };

	return error_of(fcntl(fd, cmd, &fl));
}

/* The file is the same in all rounds: what locks it had before is of the past. */
static int opened(struct pair *p)
{
	p->fd = open(p->a, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	return p->fd < 0 ? -errno : 0;
}

static int to_take(struct pair *p)
{
	pair_fact(p, FACT_LOCK, 0, -EAGAIN);
	pair_fact(p, FACT_LOCKER, 0, getpid());
	pair_fact(p, FACT_FLOCK, 0, -EAGAIN);
	return opened(p);
}

static int to_let_go(struct pair *p, int (*take)(struct pair *p))
{
	int ret = opened(p);

	pair_fact(p, FACT_LOCK, -EAGAIN, 0);
	pair_fact(p, FACT_LOCKER, getpid(), 0);
	pair_fact(p, FACT_FLOCK, -EAGAIN, 0);
	return ret ? ret : take(p);
}

static int act_posix(struct pair *p)
{
	return lock(p->fd, F_SETLK, F_WRLCK);
}

static int act_posix_wait(struct pair *p)
{
	return lock(p->fd, F_SETLKW, F_WRLCK);
}

static int act_ofd(struct pair *p)
{
	return lock(p->fd, F_OFD_SETLK, F_WRLCK);
}

static int act_flock(struct pair *p)
{
	return error_of(flock(p->fd, LOCK_EX | LOCK_NB));
}

static int with_posix(struct pair *p)
{
	return to_let_go(p, act_posix);
}

static int with_ofd(struct pair *p)
{
	return to_let_go(p, act_ofd);
}

static int with_flock(struct pair *p)
{
	return to_let_go(p, act_flock);
}

static int act_posix_unlock(struct pair *p)
{
	return lock(p->fd, F_SETLK, F_UNLCK);
}

static int act_ofd_unlock(struct pair *p)
{
	return lock(p->fd, F_OFD_SETLK, F_UNLCK);
}

static int act_flock_unlock(struct pair *p)
{
	return error_of(flock(p->fd, LOCK_UN));
}

static int act_flock_down(struct pair *p)
{
	return error_of(flock(p->fd, LOCK_SH));
}

static int act_close(struct pair *p)
{
	int fd = p->fd;

	p->fd = -1;
	return error_of(close(fd));
}

/* Closing any of a file's descriptors lets go of the process's locks. */
static int act_close_dup(struct pair *p)
{
	int fd = dup(p->fd);

	return fd < 0 ? -errno : error_of(close(fd));
}

/* A child has it until it is killed. */
static int with_child(struct pair *p)
{
	char c;
	int ends[2], ret = opened(p);

	if (ret || pipe2(ends, O_CLOEXEC))
		return ret ? ret : -errno;
	p->child = fork();
	if (!p->child) {
		if (!act_posix(p) && write(ends[1], "+", 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	ret = p->child > 0 && read(ends[0], &c, 1) == 1 ? 0 : -ECHILD;
	close(ends[0]);
	pair_fact(p, FACT_LOCK, -EAGAIN, 0);
	pair_fact(p, FACT_LOCKER, p->child, 0);
	return ret;
}

static int act_kill(struct pair *p)
{
	pid_t pid = p->child;

	p->child = 0;
	return kill(pid, SIGKILL) || waitpid(pid, NULL, 0) != pid ? -errno : 0;
}

const struct op lock_ops[] = {
	{ "lock", to_take, act_posix, NULL },
	{ "lock-wait", to_take, act_posix_wait, NULL },
	{ "lock-ofd", to_take, act_ofd, NULL },
	{ "flock", to_take, act_flock, NULL },
	{ "unlock", with_posix, act_posix_unlock, NULL },
	{ "unlock-ofd", with_ofd, act_ofd_unlock, NULL },
	{ "unflock", with_flock, act_flock_unlock, NULL },
	{ "flock-shared", with_flock, act_flock_down, NULL },
	{ "close-locked", with_posix, act_close, NULL },
	{ "close-dup", with_posix, act_close_dup, NULL },
	{ "close-flocked", with_flock, act_close, NULL },
	{ "kill-locker", with_child, act_kill, NULL },
	{ }
};
