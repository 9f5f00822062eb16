// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock.c - one ccctl at a time changes the box, and to its end, see lock.h
 *
 * The file holds its last owner's process id, only for people to read.  It is
 * never removed: two that lock different files of one name exclude nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "boot/host/lock.h"
#include "boot/text/save.h"
#include "clock.h"

#define POLL_US		(50 * 1000)

static pid_t holder(int fd)
{
	char text[32] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		return 0;
	return atoi(text);
}

/* Nothing depends on it, so it may fail. */
static void sign(int fd)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d\n", getpid());

	if (!ftruncate(fd, 0) && pwrite(fd, text, len, 0) < 0)
		return;
}

static int lock_wait(int fd, unsigned int seconds, void (*waiting)(pid_t holder))
{
	int64_t end = clock_ms() + seconds * 1000ll;
	bool said = false;

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return -errno;
		if (clock_ms() >= end)
			return -ETIMEDOUT;
		if (!said)
			waiting(holder(fd));
		said = true;
		usleep(POLL_US);
	}
	return 0;
}

int lock_take(const char *path, unsigned int seconds,
	      void (*waiting)(pid_t holder), struct why *why)
{
	int ret = save_make_parents(path), fd = -1;

	if (!ret) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		ret = fd < 0 ? -errno : lock_wait(fd, seconds, waiting);
	}
	if (!ret) {
		sign(fd);
		return 0;	/* fd stays open: it is the lock */
	}
	if (ret == -EACCES || ret == -EPERM)
		why_set(why, ret, "only root can do this");
	else if (ret == -ETIMEDOUT)
		why_set(why, ret,
			"another ccctl (pid %d) is at work for more than %u s; nothing was changed",
			holder(fd), seconds);
	else
		why_set(why, ret, "%s: %s", path, strerror(-ret));
	if (fd >= 0)
		close(fd);
	return ret;
}

void signals_hold(sigset_t *old)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	sigset_t set;

	sigemptyset(&set);
	for (unsigned int i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, old);
}

void signals_release(const sigset_t *old)
{
	sigprocmask(SIG_SETMASK, old, NULL);
}
