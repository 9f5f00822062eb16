// SPDX-License-Identifier: GPL-2.0-only
/*
 * spawn.c - runs programs, see spawn.h
 *
 * The search path is PATH, then the system directories, because root's PATH
 * lacks them in some set-ups (su, cron).
 */
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot/spawn.h"

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

bool spawn_find(const char *name)
{
	char *dirs, *dir, *save, path[4096];
	bool found = false;

	set_path();
	dirs = strdup(getenv("PATH"));
	for (dir = dirs ? strtok_r(dirs, ":", &save) : NULL; dir && !found;
	     dir = strtok_r(NULL, ":", &save)) {
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		found = !access(path, X_OK);
	}
	free(dirs);
	return found;
}

static int await(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int spawn_wait(char *const argv[])
{
	pid_t pid;

	set_path();
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return 127;
	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	return await(pid);
}

int spawn_output(char *const argv[], char *buf, size_t len)
{
	size_t n = 0;
	ssize_t got;
	char rest[512];
	pid_t pid;
	int p[2];

	set_path();
	fflush(NULL);
	buf[0] = '\0';
	if (pipe2(p, O_CLOEXEC))
		return 127;
	pid = fork();
	if (!pid) {
		dup2(p[1], STDOUT_FILENO);
		dup2(p[1], STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(p[1]);
	while (n < len - 1 && (got = read(p[0], buf + n, len - 1 - n)) > 0)
		n += got;
	while (read(p[0], rest, sizeof(rest)) > 0)
		;
	close(p[0]);
	buf[n] = '\0';
	while (n && buf[n - 1] == '\n')
		buf[--n] = '\0';
	return pid < 0 ? 127 : await(pid);
}

static void redirect(const char *log)
{
	int null = open("/dev/null", O_RDONLY);
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (out >= 0) {
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
	}
	for (int fd = 3; fd < 256; fd++)
		close(fd);
}

pid_t spawn_daemon(char *const argv[], const char *log)
{
	pid_t pid;

	set_path();
	fflush(NULL);
	pid = fork();
	if (pid)
		return pid < 0 ? -errno : pid;
	setsid();
	redirect(log);
	if (chdir("/"))
		_exit(127);
	execvp(argv[0], argv);
	_exit(127);
}

bool spawn_reap(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == pid;
}
