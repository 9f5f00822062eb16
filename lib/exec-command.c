// SPDX-License-Identifier: GPL-2.0-only
/*
 * A command of the exec server, from the message that asks for it to its end.
 *
 * Every command leads a session and a process group of its own, so a signal
 * from the client reaches all of a pipeline, and nothing else. Its stdin,
 * stdout and stderr are pipes, or one terminal. A failure between fork and exec
 * comes back through a close-on-exec pipe, so that "command not found" is known
 * from the command's own status 127.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ccexec.h"
#include "exec-command.h"
#include "exec-frame.h"
#include "sharedpc_limits.h"


/* Added to, or replaced by, what the client sends. */
static char *const default_env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/bash",
	"LANG=C.UTF-8", "TERM=linux",
};

#define DEFAULT_ENVC (sizeof(default_env) / sizeof(default_env[0]))

/* What the child could not do; sent through the pipe. */
struct child_failure {
	int error;
	char text[200];
};

/* The next string of the message, NULL if there is none. */
static char *take_string(char **at, char *end)
{
	char *s = *at, *zero = memchr(s, 0, end - s);

	if (!zero)
		return NULL;
	*at = zero + 1;
	return s;
}

static int take_strings(char **list, size_t n, char **at, char *end)
{
	for (size_t i = 0; i < n; i++) {
		list[i] = take_string(at, end);
		if (!list[i])
			return -EPROTO;
	}
	list[n] = NULL;
	return 0;
}

/* True if @list of @n strings sets the variable that @entry sets. */
static bool env_sets(char **list, size_t n, const char *entry)
{
	size_t len = strchr(entry, '=') + 1 - entry;

	for (size_t i = 0; i < n; i++)
		if (!strncmp(list[i], entry, len))
			return true;
	return false;
}

int exec_start_parse(struct exec_start *st, char *msg, size_t size)
{
	char *at = msg + sizeof(struct ccexec_start), *end = msg + size;
	struct ccexec_start h;
	uint32_t argc, envc;

	memset(st, 0, sizeof(*st));
	if (size < sizeof(h))
		return -EPROTO;
	memcpy(&h, msg, sizeof(h));
	argc = le32toh(h.argc);
	envc = le32toh(h.envc);
	st->flags = le32toh(h.flags);
	st->rows = le16toh(h.rows);
	st->cols = le16toh(h.cols);
	if (st->flags & ~CCEXEC_FLAGS || !argc || argc > CCEXEC_MAX_STRINGS ||
	    envc > CCEXEC_MAX_STRINGS - argc)
		return -EPROTO;

	st->argv = calloc(argc + envc + DEFAULT_ENVC + 2, sizeof(char *));
	if (!st->argv)
		return -ENOMEM;
	st->env = st->argv + argc + 1;
	if (take_strings(st->argv, argc, &at, end) ||
	    take_strings(st->env, envc, &at, end))
		goto free_start;
	st->cwd = take_string(&at, end);
	if (!st->cwd || at != end)
		goto free_start;

	if (st->flags & CCEXEC_ENV_ADD)
		for (size_t i = 0, n = envc; i < DEFAULT_ENVC; i++)
			if (!env_sets(st->env, envc, default_env[i]))
				st->env[n++] = default_env[i];
	return 0;

free_start:
	exec_start_free(st);
	return -EPROTO;
}

void exec_start_free(struct exec_start *st)
{
	free(st->argv);
	st->argv = NULL;
}

static int open_terminal(const struct exec_start *st, int *master, int *slave)
{
	struct winsize ws = { .ws_row = st->rows, .ws_col = st->cols };
	int unlock = 0, err;

	*slave = -1;
	*master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0)
		return -errno;
	if (!ioctl(*master, TIOCSPTLCK, &unlock))
		*slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0) {
		err = -errno;
		exec_close_fd(master);
		return err;
	}
	ioctl(*master, TIOCSWINSZ, &ws);
	return 0;
}

/*
 * The descriptors of both sides: ours into @c, the command's into @fds.
 * On failure the caller closes what is not -1.
 */
static int open_stdio(struct exec_command *c, const struct exec_start *st, int fds[3])
{
	int in[2], out[2], err[2], ret;

	if (st->flags & CCEXEC_TTY) {
		ret = open_terminal(st, &c->out, &fds[0]);
		if (ret)
			return ret;
		c->tty = true;
		c->in = fcntl(c->out, F_DUPFD_CLOEXEC, 0);
		fds[1] = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
		fds[2] = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
		if (c->in < 0 || fds[1] < 0 || fds[2] < 0)
			return -errno;
		return exec_set_nonblock(c->out);
	}
	if (pipe2(in, O_CLOEXEC))
		return -errno;
	fds[0] = in[0];
	c->in = in[1];
	if (pipe2(out, O_CLOEXEC))
		return -errno;
	fds[1] = out[1];
	c->out = out[0];
	if (pipe2(err, O_CLOEXEC))
		return -errno;
	fds[2] = err[1];
	c->err = err[0];
	ret = exec_set_nonblock(c->in);
	ret = ret ?: exec_set_nonblock(c->out);
	return ret ?: exec_set_nonblock(c->err);
}

static void __attribute__((noreturn))
child_fail(int report, int error, const char *what, const char *arg)
{
	struct child_failure f = { .error = error };

	snprintf(f.text, sizeof(f.text), "%s '%.150s'", what, arg);
	if (write(report, &f, sizeof(f)) < 0)
		_exit(126);
	_exit(127);
}

static void child_directories(int report, const char *root, const char *cwd)
{
	if (root && (chdir(root) || chroot(".")))
		child_fail(report, errno, "cannot use the root", root);
	if (*cwd) {
		if (chdir(cwd))
			child_fail(report, errno, "cannot change to directory", cwd);
	} else if (chdir("/root") && chdir("/")) {
		child_fail(report, errno, "cannot change to directory", "/");
	}
}

static void __attribute__((noreturn))
child_run(const struct exec_start *st, const char *root, const int fds[3], int report)
{
	sigset_t none;

	setsid();
	/* dup2 clears close-on-exec; sources are above 2 (see lift_fds) */
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			child_fail(report, errno, "cannot set up", "stdio");
	if (st->flags & CCEXEC_TTY)
		ioctl(0, TIOCSCTTY, 0);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	child_directories(report, root, st->cwd);
	environ = st->env;
	execvp(st->argv[0], st->argv);
	child_fail(report, errno, "cannot run", st->argv[0]);
}

/* A server started without stdio must not hand out descriptors 0 to 2. */
static int lift_fd(int *fd)
{
	int lifted = fcntl(*fd, F_DUPFD_CLOEXEC, 3);

	if (lifted < 0)
		return -errno;
	close(*fd);
	*fd = lifted;
	return 0;
}

/* Blocks until the child has exec-ed (nothing in the pipe) or failed. */
static int child_result(int report, char *text, size_t size)
{
	struct child_failure f;
	ssize_t n;

	do {
		n = read(report, &f, sizeof(f));
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(f))
		return 0;
	snprintf(text, size, "%s", f.text);
	return -f.error;
}

int exec_command_start(struct exec_command *c, const struct exec_start *st,
		       const char *root, char *text, size_t size)
{
	int fds[3] = { -1, -1, -1 }, report[2] = { -1, -1 }, ret;

	*c = (struct exec_command){ .pidfd = -1, .in = -1, .out = -1, .err = -1 };
	snprintf(text, size, "cannot start a command");
	ret = open_stdio(c, st, fds);
	if (ret)
		goto close_all;
	if (pipe2(report, O_CLOEXEC)) {
		ret = -errno;
		goto close_all;
	}
	ret = lift_fd(&report[1]);
	for (int i = 0; i < 3 && !ret; i++)
		ret = lift_fd(&fds[i]);
	if (ret)
		goto close_all;

	c->pid = fork();
	if (c->pid < 0) {
		ret = -errno;
		c->pid = 0;
		goto close_all;
	}
	if (!c->pid)
		child_run(st, root, fds, report[1]);
	exec_close_fd(&report[1]);
	c->pidfd = syscall(SYS_pidfd_open, c->pid, 0);
	ret = c->pidfd < 0 ? -errno : child_result(report[0], text, size);
close_all:
	exec_close_fd(&report[0]);
	exec_close_fd(&report[1]);
	for (int i = 0; i < 3; i++)
		exec_close_fd(&fds[i]);
	if (ret)
		exec_command_end(c);
	return ret;
}

void exec_command_resize(struct exec_command *c, uint16_t rows, uint16_t cols)
{
	struct winsize ws = { .ws_row = rows, .ws_col = cols };

	if (c->tty && c->out >= 0)
		ioctl(c->out, TIOCSWINSZ, &ws);
}

void exec_command_wait(struct exec_command *c, int *status, int *sig)
{
	int st = 0;

	while (waitpid(c->pid, &st, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	*status = WIFEXITED(st) ? WEXITSTATUS(st) : 0;
	*sig = WIFSIGNALED(st) ? WTERMSIG(st) : 0;
}

void exec_command_end(struct exec_command *c)
{
	exec_close_fd(&c->in);
	exec_close_fd(&c->out);
	exec_close_fd(&c->err);
	if (c->pid) {
		struct pollfd pfd = { .fd = c->pidfd, .events = POLLIN };

		/* Before setsid() there is no such group yet: then the pid. */
		if (kill(-c->pid, SIGHUP))
			kill(c->pid, SIGKILL);
		if (c->pidfd >= 0)
			poll(&pfd, 1, LIMIT_EXEC_HANGUP_MS);
		kill(-c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
		c->pid = 0;
	}
	exec_close_fd(&c->pidfd);
}
