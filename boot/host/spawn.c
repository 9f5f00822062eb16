// SPDX-License-Identifier: GPL-2.0-only
/*
 * spawn.c - runs programs and finds one, see spawn.h
 *
 * The search path is PATH, then the system directories, because root's PATH
 * lacks them in some set-ups (su, cron).
 */
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot/host/spawn.h"
#include "clock.h"
#include "sharedpc_limits.h"

#define SYSTEM_PATH	"/usr/sbin:/usr/bin:/sbin:/bin"

static void set_path(void)
{
	const char *path = getenv("PATH");
	char *full;

	if (asprintf(&full, "%s:" SYSTEM_PATH, path ? path : "") < 0)
		return;
	setenv("PATH", full, 1);
	free(full);
}

/* What a daemon is besides a program; its output goes to @log. */
static void be_daemon(const char *log)
{
	int null = open("/dev/null", O_RDONLY);
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);

	setsid();
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (out >= 0) {
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
	}
	close_range(3, ~0U, 0);
	if (chdir("/"))
		_exit(127);
}

/*
 * A child that runs @argv, as a daemon if there is a @log.  @out: where its output
 * goes, with a process group of its own, or -1.  Its process id, or -errno.
 */
static pid_t start(const char *const argv[], int out, const char *log)
{
	pid_t pid;

	set_path();
	fflush(NULL);
	pid = fork();
	if (pid)
		return pid < 0 ? -errno : pid;
	if (out >= 0) {
		setpgid(0, 0);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
	}
	if (log)
		be_daemon(log);
	execvp(argv[0], (char **)argv);
	_exit(127);
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int spawn_wait(const char *const argv[])
{
	pid_t pid = start(argv, -1, NULL);
	int status;

	if (pid < 0)
		return 127;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return exit_status(status);
}

/* Is there something to read (or the end of it) before @end? */
static bool readable(int fd, int64_t end)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;
	int ret;

	do {
		left = end - clock_ms();
		ret = poll(&p, 1, left < 0 ? 0 : left);
	} while (ret < 0 && errno == EINTR);
	return ret > 0;
}

/* Read all of @fd; what does not fit @buf is lost. False: no end before @end. */
static bool read_to_end(int fd, int64_t end, char *buf, size_t len)
{
	char rest[512];
	bool fits, open;
	size_t n = 0;
	ssize_t got;

	while ((open = readable(fd, end))) {
		fits = n < len - 1;
		got = fits ? read(fd, buf + n, len - 1 - n) :
			     read(fd, rest, sizeof(rest));
		if (got <= 0)
			break;
		if (fits)
			n += got;
	}
	while (n && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return open;
}

/* False: the child did not end before @end. */
static bool await_until(pid_t pid, int64_t end, int *status)
{
	pid_t ret;

	while (!(ret = waitpid(pid, status, WNOHANG))) {
		if (clock_ms() >= end)
			return false;
		usleep(2000);
	}
	if (ret < 0)
		*status = 127 << 8;
	return true;
}

/*
 * mount(8) has a helper, so it is a process group that is killed.  Who hangs in
 * the kernel does not die of that either; it is not waited for long.
 */
static int kill_group(const char *name, pid_t pid, unsigned int seconds,
		      char *buf, size_t len)
{
	int status;

	if (kill(-pid, SIGKILL))
		kill(pid, SIGKILL);
	await_until(pid, clock_ms() + LIMIT_SPAWN_KILL_MS, &status);
	snprintf(buf, len, "%s did not end within %u s", name, seconds);
	return SPAWN_TIMEOUT;
}

int spawn_output(const char *const argv[], unsigned int seconds, char *buf,
		 size_t len)
{
	int64_t end = clock_ms() + seconds * 1000ll;
	int p[2], status;
	bool ended;
	pid_t pid;

	buf[0] = '\0';
	if (pipe2(p, O_CLOEXEC))
		return 127;
	pid = start(argv, p[1], NULL);
	close(p[1]);
	ended = pid > 0 && read_to_end(p[0], end, buf, len) &&
		await_until(pid, end, &status);
	close(p[0]);
	if (pid < 0)
		return 127;
	return ended ? exit_status(status) :
		       kill_group(argv[0], pid, seconds, buf, len);
}

pid_t spawn_daemon(const char *const argv[], const char *log)
{
	return start(argv, -1, log);
}

pid_t socket_owner(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct ucred peer = { .pid = 0 };
	socklen_t len = sizeof(peer);
	int fd;

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path) >=
	    (int)sizeof(addr.sun_path))
		return 0;
	/* not blocking: its queue may be full, if it hangs */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return 0;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		peer.pid = 0;
	close(fd);
	return peer.pid;
}

bool spawn_reap(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == pid;
}
