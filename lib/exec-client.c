// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exec client: stands in for a command that runs elsewhere.
 *
 * One poll loop over the connection, stdin, the descriptor that output goes
 * to, and a signalfd. Rules:
 *   - stdin is read only while the server has granted credit, so that what is
 *     typed ahead never delays a signal
 *   - output is written in pieces of PIPE_BUF when poll() says so: that never
 *     blocks on a pipe; while output waits, the connection is not read, and the
 *     server stops the command
 *   - a closed stdout becomes SIGPIPE over there, so `exec ... yes | head` ends;
 *     stderr goes on
 *   - the connection is probed with PING once a second; a server that is silent
 *     for too long, or no longer knows the session, is an error, never a hang
 */
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"
#include "exec-frame.h"
#include "exec.h"
#include "le.h"
#include "sharedpc_limits.h"

#define STOPPED_MS	(3 * LIMIT_EXEC_PING_MS)	/* between two looks: not a slow poll */

struct client {
	int fd, sigfd;
	const struct exec_request *rq;
	struct exec_result *res;
	uint64_t session;
	struct exec_reader reader;
	struct exec_queue out;

	uint32_t window;	/* bytes of stdin that may still be sent */
	bool in_open;
	bool answered;		/* the server was heard of */
	bool deaf[2];		/* our stdout, stderr is closed: discard what comes */
	bool to_err;		/* output waits for stderr, else for stdout */
	const unsigned char *pending;	/* into `frame` */
	size_t pending_len;
	unsigned char frame[CCEXEC_MAX_DATA];

	int64_t heard, pinged;	/* ms, monotonic */
	int64_t looked;		/* when this loop last ran */
	bool done;
	struct termios tio;	/* restored at the end if raw */
	bool raw;
};

static int client_fail(struct client *c, int error, int status, const char *text)
{
	c->res->status = status;
	snprintf(c->res->text, sizeof(c->res->text), "%s", text);
	return error;
}

/* The message of START: header, argv, env, cwd. NULL if it is too large. */
static char *build_start(const struct exec_request *rq, size_t *size)
{
	struct ccexec_start h = { .flags = htole32(rq->flags) };
	char *none[] = { NULL }, *const *lists[] = { rq->argv, rq->envp ?: none };
	const char *cwd = rq->cwd ?: "";
	uint32_t n[2] = { 0, 0 };
	struct winsize ws;
	char *msg, *at;

	*size = sizeof(h) + strlen(cwd) + 1;
	for (int l = 0; l < 2; l++)
		for (; lists[l][n[l]]; n[l]++)
			*size += strlen(lists[l][n[l]]) + 1;
	if (*size > CCEXEC_MAX_START || n[0] + n[1] > CCEXEC_MAX_STRINGS)
		return NULL;
	msg = malloc(*size);
	if (!msg)
		return NULL;
	h.argc = htole32(n[0]);
	h.envc = htole32(n[1]);
	if (rq->flags & CCEXEC_TTY && !ioctl(rq->out, TIOCGWINSZ, &ws)) {
		h.rows = htole16(ws.ws_row);
		h.cols = htole16(ws.ws_col);
	}
	memcpy(msg, &h, sizeof(h));
	at = msg + sizeof(h);
	for (int l = 0; l < 2; l++)
		for (uint32_t i = 0; i < n[l]; i++)
			at = stpcpy(at, lists[l][i]) + 1;
	strcpy(at, cwd);
	return msg;
}

static void send_signal(struct client *c, int sig)
{
	uint32_t v = htole32(sig);

	exec_queue_frame(&c->out, c->session, CCEXEC_SIGNAL, &v, sizeof(v));
}

static void send_winch(struct client *c)
{
	struct ccexec_winch w;
	struct winsize ws;

	if (!(c->rq->flags & CCEXEC_TTY) || ioctl(c->rq->out, TIOCGWINSZ, &ws))
		return;
	w.rows = htole16(ws.ws_row);
	w.cols = htole16(ws.ws_col);
	exec_queue_frame(&c->out, c->session, CCEXEC_WINCH, &w, sizeof(w));
}

/* Pass it on; but before the server was heard of, a signal is for us. */
static int read_signal(struct client *c)
{
	struct signalfd_siginfo si;

	if (read(c->sigfd, &si, sizeof(si)) != sizeof(si))
		return 0;
	/* our own writes' news comes as EPIPE; another client's is passed on */
	if (si.ssi_signo == SIGPIPE && si.ssi_pid == (uint32_t)getpid())
		return 0;
	if (si.ssi_signo == SIGWINCH) {
		send_winch(c);
		return 0;
	}
	if (!c->answered)
		return client_fail(c, -EINTR, 128 + si.ssi_signo, "interrupted");
	send_signal(c, si.ssi_signo);
	return 0;
}

/* Blocking: nothing comes back before START has arrived. */
static int send_all(struct client *c)
{
	struct pollfd p[] = {
		{ .fd = c->fd, .events = POLLOUT },
		{ .fd = c->sigfd, .events = POLLIN },
	};
	bool wait = c->rq->silence_ms == EXEC_NO_PING;
	int ret;

	for (;;) {
		ret = exec_queue_flush(&c->out, c->fd);
		if (ret)
			return client_fail(c, ret, 255, "cannot reach the exec server");
		if (!c->out.have)
			return 0;
		ret = poll(p, 2, wait ? -1 : (int)(c->rq->silence_ms ?: LIMIT_EXEC_SILENT_MS));
		if (ret == 0)
			return client_fail(c, -ETIMEDOUT, 255, "the other side does not answer");
		if (ret > 0 && p[1].revents) {
			ret = read_signal(c);
			if (ret)
				return ret;
		}
	}
}

static int send_start(struct client *c)
{
	size_t size, at = 0;
	char *msg = build_start(c->rq, &size);
	int ret;

	if (!msg)
		return client_fail(c, -E2BIG, 126, "arguments and environment are too large");
	if (c->rq->port)
		exec_queue_pad(&c->out, CCEXEC_PAD);
	do {
		size_t part = size - at < CCEXEC_MAX_DATA ? size - at : CCEXEC_MAX_DATA;
		uint16_t type = at + part == size ? CCEXEC_START : CCEXEC_PREP;

		exec_queue_frame(&c->out, c->session, type, msg + at, part);
		at += part;
		ret = send_all(c);
	} while (!ret && at < size);
	free(msg);
	return ret;
}

static int take_exit(struct client *c, const struct exec_frame *f)
{
	uint32_t status, sig;

	if (f->length != sizeof(struct ccexec_exit))
		return -EPROTO;
	status = le_get32(f->data);
	sig = le_get32(f->data + 4);
	if (status > 255 || sig >= NSIG)
		return -EPROTO;
	c->res->status = sig ? 128 + (int)sig : (int)status;
	c->done = true;
	return 0;
}

static int take_error(struct client *c, const struct exec_frame *f)
{
	int error, status = 255;
	char text[200];

	if (f->length < 4)
		return -EPROTO;
	error = le_get32(f->data) & 0xfff;
	/* shells' values for a command that cannot be run */
	if (error == ENOENT)
		status = 127;
	else if (error != ESTALE && error != EPROTO)
		status = 126;
	snprintf(text, sizeof(text), "%.*s", (int)(f->length - 4), f->data + 4);
	return client_fail(c, -(error ?: EIO), status, text);
}

static int client_take_frame(struct client *c, const struct exec_frame *f)
{
	switch (f->type) {
	case CCEXEC_STARTED:
	case CCEXEC_PONG:
		return 0;
	case CCEXEC_CREDIT:
		if (f->length != 4 || le_get32(f->data) > CCEXEC_WINDOW - c->window)
			return -EPROTO;
		c->window += le_get32(f->data);
		return 0;
	case CCEXEC_STDOUT:
	case CCEXEC_STDERR:
		c->to_err = f->type == CCEXEC_STDERR;
		if (c->deaf[c->to_err])
			return 0;
		memcpy(c->frame, f->data, f->length);
		c->pending = c->frame;
		c->pending_len = f->length;
		return 0;
	case CCEXEC_EXIT:
		return take_exit(c, f);
	case CCEXEC_ERROR:
		return take_error(c, f);
	}
	return -EPROTO;
}

/* Until output has to wait for its descriptor, or there are no more frames. */
static int client_take_frames(struct client *c)
{
	struct exec_frame f;
	int ret = 0;

	while (!c->pending_len && !c->done &&
	       (ret = exec_reader_next(&c->reader, &f)) > 0) {
		c->answered = true;
		c->reader.resync = false;
		ret = client_take_frame(c, &f);
		exec_reader_drop(&c->reader, &f);
		if (ret)
			break;
	}
	if (ret == -EPROTO)
		return client_fail(c, ret, 255, "the exec server sent a bad frame");
	return ret;
}

static int client_read(struct client *c)
{
	int n = exec_reader_fill(&c->reader, c->fd);

	if (n == -EAGAIN)
		return 0;
	if (n <= 0)
		return client_fail(c, n ?: -ECONNRESET, 255, "the connection was lost");
	c->heard = clock_ms();
	return client_take_frames(c);
}

/* Where the output that waits goes to. */
static int out_fd(const struct client *c)
{
	return c->to_err ? c->rq->err : c->rq->out;
}

static void write_output(struct client *c)
{
	size_t len = c->pending_len < PIPE_BUF ? c->pending_len : PIPE_BUF;
	ssize_t n = write(out_fd(c), c->pending, len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		c->deaf[c->to_err] = true;
		n = c->pending_len;
		send_signal(c, SIGPIPE);
	}
	c->pending += n;
	c->pending_len -= n;
	c->heard = clock_ms();
}

static void read_stdin(struct client *c)
{
	unsigned char buf[CCEXEC_MAX_DATA];
	size_t want = c->window < sizeof(buf) ? c->window : sizeof(buf);
	ssize_t n = read(c->rq->in, buf, want);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		c->in_open = false;
		exec_queue_frame(&c->out, c->session, CCEXEC_STDIN_EOF, NULL, 0);
		return;
	}
	c->window -= n;
	exec_queue_frame(&c->out, c->session, CCEXEC_STDIN, buf, n);
}

/* Probe the other side; an error when it was silent for too long. */
static int check_silence(struct client *c)
{
	int64_t now = clock_ms();

	if (c->rq->silence_ms == EXEC_NO_PING)
		return 0;
	if (c->pending_len)
		c->heard = now;	/* it is we who do not read */
	if (now - c->looked > STOPPED_MS)
		c->heard = now;	/* nor ask: we were stopped (Ctrl-Z) meanwhile */
	c->looked = now;
	if (now - c->heard > (c->rq->silence_ms ?: LIMIT_EXEC_SILENT_MS))
		return client_fail(c, -ETIMEDOUT, 255, "the other side does not answer");
	if (now - c->pinged >= LIMIT_EXEC_PING_MS && now - c->heard >= LIMIT_EXEC_PING_MS) {
		c->pinged = now;
		exec_queue_frame(&c->out, c->session, CCEXEC_PING, NULL, 0);
	}
	return 0;
}

/* Until the command has ended and all its output is written. */
static int client_pump(struct client *c)
{
	bool in = c->in_open && c->window &&
		  exec_queue_fits(&c->out, CCEXEC_MAX_DATA + 1024);
	struct pollfd p[] = {
		{ .fd = c->fd, .events = (c->pending_len ? 0 : POLLIN) |
					 (c->out.have ? POLLOUT : 0) },
		{ .fd = c->sigfd, .events = POLLIN },
		{ .fd = in ? c->rq->in : -1, .events = POLLIN },
		{ .fd = c->pending_len ? out_fd(c) : -1, .events = POLLOUT },
	};
	int ret;

	/* a peer that hung up is reported all the time: not while we cannot read */
	if (!p[0].events)
		p[0].fd = -1;
	if (poll(p, 4, LIMIT_EXEC_PING_MS / 2) < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[1].revents) {
		ret = read_signal(c);
		if (ret)
			return ret;
	}
	if (p[3].revents)
		write_output(c);
	ret = client_take_frames(c);
	if (ret || c->done)
		return ret;
	if (!c->pending_len && p[0].revents & (POLLIN | POLLHUP | POLLERR)) {
		ret = client_read(c);
		if (ret || c->done)
			return ret;
	}
	if (p[2].revents)
		read_stdin(c);
	ret = check_silence(c);
	if (ret)
		return ret;
	ret = exec_queue_flush(&c->out, c->fd);
	/* with an answer still to be read, a broken pipe is not yet the end */
	if (ret && ret != -EPIPE && ret != -ECONNRESET)
		return client_fail(c, ret, 255, "the connection was lost");
	if (ret)
		c->out.have = 0;
	return 0;
}

static void set_raw(struct client *c)
{
	struct termios tio;

	if (!(c->rq->flags & CCEXEC_TTY) || tcgetattr(c->rq->in, &c->tio))
		return;
	tio = c->tio;
	cfmakeraw(&tio);
	c->raw = !tcsetattr(c->rq->in, TCSANOW, &tio);
}

static int client_block_signals(struct client *c, sigset_t *old)
{
	static const int forwarded[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGPIPE,
	};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, old);
	c->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return c->sigfd < 0 ? -errno : 0;
}

static int client_run(struct client *c)
{
	int ret = exec_set_nonblock(c->fd);

	if (ret)
		return client_fail(c, ret, 255, "bad connection");
	if (getrandom(&c->session, sizeof(c->session), 0) != sizeof(c->session))
		return client_fail(c, -EIO, 255, "no random numbers");
	c->session |= 1;
	c->reader.session = c->session;
	c->reader.resync = c->rq->port;
	c->window = CCEXEC_WINDOW;
	ret = send_start(c);
	if (ret)
		return ret;
	c->in_open = c->rq->in >= 0;
	if (!c->in_open)
		exec_queue_frame(&c->out, c->session, CCEXEC_STDIN_EOF, NULL, 0);
	set_raw(c);
	c->heard = c->pinged = c->looked = clock_ms();
	while (!ret && !c->done)
		ret = client_pump(c);
	if (c->raw)
		tcsetattr(c->rq->in, TCSANOW, &c->tio);
	return ret;
}

int exec_client_run(int fd, const struct exec_request *rq, struct exec_result *res)
{
	struct client *c = calloc(1, sizeof(*c));
	struct signalfd_siginfo si;
	sigset_t old;
	int ret;

	memset(res, 0, sizeof(*res));
	if (!c) {
		res->status = 255;
		return -ENOMEM;
	}
	c->fd = fd;
	c->rq = rq;
	c->res = res;
	ret = client_block_signals(c, &old);
	if (!ret) {
		ret = client_run(c);
		/* a signal that came too late is not to end the caller now */
		while (read(c->sigfd, &si, sizeof(si)) == sizeof(si))
			;
		close(c->sigfd);
	} else {
		client_fail(c, ret, 255, "no signalfd");
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	free(c);
	return ret;
}
