// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exec server: one connection, one command at a time.
 *
 * exec_serve() reads frames until a START is complete, then session_run()
 * pumps until the command has ended. One poll loop, three buffers:
 *
 *	connection --reader--> frames --input--> the command's stdin
 *	the command's stdout, stderr --out--> connection
 *
 * Rules:
 *   - always read the connection, so that a SIGNAL arrives whatever else is
 *     stuck; `input` cannot overflow, its size is the client's window
 *   - read the command's output only while a whole frame fits into `out`:
 *     a client that does not read stops the command, not the server
 *   - when the command has ended, its output is what was in the pipes at that
 *     moment; processes it left behind may hold the pipes for ever
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "exec-command.h"
#include "exec-frame.h"
#include "exec.h"
#include "le.h"
#include "sharedpc_limits.h"

#define GONE_POLLS		15
#define GONE_POLL_US		20000

struct session {
	int fd;
	const struct exec_server *srv;
	struct exec_reader reader;
	struct exec_queue out;

	uint64_t id;		/* of the START being collected or run */
	char *start;		/* PREP* START so far, CCEXEC_MAX_START bytes */
	size_t start_size;

	struct exec_command cmd;
	char input[CCEXEC_WINDOW];
	size_t input_have;
	uint32_t credit;	/* bytes of input taken, not yet announced */
	bool input_eof;
	bool ended;		/* the command is reaped */
	int status, sig;
	int left_out, left_err;	/* after that: bytes of output still to send */
};

/*
 * Is the peer that hung up really gone? On a port the news that one client has
 * left may arrive after the first bytes of the next one: gone is who stays away.
 */
static bool peer_gone(const struct session *s)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLOUT };

	for (int i = 0; s->srv->port && i < GONE_POLLS; i++) {
		if (poll(&pfd, 1, 0) >= 0 && !(pfd.revents & POLLHUP))
			return false;
		usleep(GONE_POLL_US);
	}
	return true;
}

/*
 * Wait until all is written: only between commands and at their end. For ever,
 * since a client may be held up by its own reader; one that is gone hangs up.
 */
static int flush_all(struct session *s)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLOUT };
	int ret;

	for (;;) {
		ret = exec_queue_flush(&s->out, s->fd);
		if (ret || !s->out.have)
			return ret;
		if (poll(&pfd, 1, -1) > 0 && pfd.revents & (POLLHUP | POLLERR) &&
		    peer_gone(s))
			return -EPIPE;
	}
}

static int send_error(struct session *s, uint64_t id, int error, const char *text)
{
	unsigned char buf[300];
	struct ccexec_error e = { .error = htole32(error) };
	size_t len = strnlen(text, 255);

	memcpy(buf, &e, sizeof(e));
	memcpy(buf + sizeof(e), text, len);
	exec_queue_frame(&s->out, id, CCEXEC_ERROR, buf, sizeof(e) + len);
	return flush_all(s);
}

static int take_stdin(struct session *s, const struct exec_frame *f)
{
	if (s->input_eof || f->length > sizeof(s->input) - s->input_have)
		return -EPROTO;
	memcpy(s->input + s->input_have, f->data, f->length);
	s->input_have += f->length;
	return 0;
}

static int session_take_frame(struct session *s, const struct exec_frame *f)
{
	struct ccexec_winch w;
	uint32_t sig;

	switch (f->type) {
	case CCEXEC_STDIN:
		return take_stdin(s, f);
	case CCEXEC_STDIN_EOF:
		s->input_eof = true;
		return 0;
	case CCEXEC_SIGNAL:
		if (f->length != 4)
			return -EPROTO;
		sig = le_get32(f->data);
		if (sig < 1 || sig >= NSIG)
			return -EPROTO;
		if (!s->ended)
			kill(-s->cmd.pid, sig);
		return 0;
	case CCEXEC_WINCH:
		if (f->length != sizeof(w))
			return -EPROTO;
		memcpy(&w, f->data, sizeof(w));
		exec_command_resize(&s->cmd, le16toh(w.rows), le16toh(w.cols));
		return 0;
	case CCEXEC_PING:
		/* no room: it has output to read, that is an answer too */
		exec_queue_frame(&s->out, s->id, CCEXEC_PONG, NULL, 0);
		return 0;
	}
	return -EPROTO;
}

/*
 * All frames that are there. -ESTALE: another client's frame (on a port: its
 * predecessor is gone), which is left in the reader.
 */
static int session_take_frames(struct session *s)
{
	struct exec_frame f;
	int ret;

	while ((ret = exec_reader_next(&s->reader, &f)) > 0) {
		if (f.session != s->id) {
			if (!s->srv->port)
				return -EPROTO;
			if (f.type == CCEXEC_PREP || f.type == CCEXEC_START)
				return -ESTALE;
		} else {
			ret = session_take_frame(s, &f);
			if (ret)
				return ret;
		}
		exec_reader_drop(&s->reader, &f);
	}
	return ret;
}

static int session_read(struct session *s)
{
	int n = exec_reader_fill(&s->reader, s->fd);

	if (n == -EAGAIN)
		return 0;
	if (n == 0)
		return peer_gone(s) ? -ECONNRESET : 0;
	return n < 0 ? n : session_take_frames(s);
}

/* Give the command its stdin, or throw it away if the command closed it. */
static void feed_command(struct session *s)
{
	ssize_t n = s->input_have;

	if (s->input_have && s->cmd.in >= 0) {
		n = write(s->cmd.in, s->input, s->input_have);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			exec_close_fd(&s->cmd.in);
			n = s->input_have;
		}
	}
	s->input_have -= n;
	s->credit += n;
	memmove(s->input, s->input + n, s->input_have);
	if (s->input_have || !s->input_eof || s->cmd.in < 0)
		return;
	if (!s->cmd.tty) {
		exec_close_fd(&s->cmd.in);
	} else if (write(s->cmd.in, "\004", 1) == 1) {
		/* a terminal has no end, it has an end-of-file character */
		exec_close_fd(&s->cmd.in);
	}
}

static void send_credit(struct session *s)
{
	uint32_t v = htole32(s->credit);

	if (s->credit && !exec_queue_frame(&s->out, s->id, CCEXEC_CREDIT, &v, 4))
		s->credit = 0;
}

/* Pass on output; @left counts down once the command has ended. */
static void read_output(struct session *s, int *fd, uint16_t type, int *left)
{
	unsigned char buf[CCEXEC_MAX_DATA];
	size_t want = sizeof(buf);
	ssize_t n;

	if (s->ended && *left < (int)want)
		want = *left;
	n = read(*fd, buf, want);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		*left = 0;
		/* the master side is input's too, and EIO is a terminal's end */
		exec_close_fd(fd);
		return;
	}
	exec_queue_frame(&s->out, s->id, type, buf, n);
	if (s->ended)
		*left -= n;
}

static int bytes_in(int fd)
{
	int n = 0;

	if (fd >= 0 && ioctl(fd, FIONREAD, &n))
		n = 0;
	return n;
}

static void reap_command(struct session *s)
{
	exec_command_wait(&s->cmd, &s->status, &s->sig);
	s->ended = true;
	s->left_out = bytes_in(s->cmd.out);
	s->left_err = bytes_in(s->cmd.err);
}

/* One turn of the pump. 1: the command has ended and all output is queued. */
static int session_pump(struct session *s)
{
	/* credits are small: keep room for one and a PONG beside the output */
	bool room = exec_queue_fits(&s->out, CCEXEC_MAX_DATA + 256);
	struct pollfd p[] = {
		{ .fd = s->fd, .events = POLLIN | (s->out.have ? POLLOUT : 0) },
		{ .fd = s->ended ? -1 : s->cmd.pidfd, .events = POLLIN },
		{ .fd = s->input_have ? s->cmd.in : -1, .events = POLLOUT },
		{ .fd = room ? s->cmd.out : -1, .events = POLLIN },
		{ .fd = room ? s->cmd.err : -1, .events = POLLIN },
	};
	int ret;

	if (s->ended && !s->left_out && !s->left_err)
		return 1;
	if (poll(p, 5, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[0].revents & (POLLIN | POLLHUP | POLLERR)) {
		ret = session_read(s);
		if (ret)
			return ret;
	}
	if (p[1].revents)
		reap_command(s);
	if (!s->ended || p[2].revents)
		feed_command(s);
	/* output that came before the end was there first: FIONREAD saw it */
	if (p[3].revents && (!s->ended || s->left_out))
		read_output(s, &s->cmd.out, CCEXEC_STDOUT, &s->left_out);
	room = exec_queue_fits(&s->out, CCEXEC_MAX_DATA + 256);
	if (room && p[4].revents && (!s->ended || s->left_err))
		read_output(s, &s->cmd.err, CCEXEC_STDERR, &s->left_err);
	send_credit(s);
	return exec_queue_flush(&s->out, s->fd);
}

static int run_command(struct session *s)
{
	struct ccexec_exit e;
	int ret;

	exec_queue_frame(&s->out, s->id, CCEXEC_STARTED, NULL, 0);
	/* frames of stdin may have come with START */
	ret = session_take_frames(s);
	while (!ret)
		ret = session_pump(s);
	exec_command_end(&s->cmd);
	if (ret < 0)
		return ret;
	e.status = htole32(s->status);
	e.signal = htole32(s->sig);
	ret = flush_all(s);
	if (ret)
		return ret;
	exec_queue_frame(&s->out, s->id, CCEXEC_EXIT, &e, sizeof(e));
	return flush_all(s);
}

static int session_run(struct session *s)
{
	struct exec_start st;
	char text[256];
	int ret;

	s->input_have = s->credit = s->left_out = s->left_err = 0;
	s->input_eof = s->ended = false;
	ret = exec_start_parse(&st, s->start, s->start_size);
	if (ret) {
		send_error(s, s->id, -ret, "bad request to run a command");
		return ret;
	}
	ret = exec_command_start(&s->cmd, &st, s->srv->root, text, sizeof(text));
	exec_start_free(&st);
	if (ret)
		return send_error(s, s->id, -ret, text);
	ret = run_command(s);
	if (ret == -EPROTO)
		send_error(s, s->id, EPROTO, "the exec server got a bad frame");
	return ret;
}

/* Collect PREP* START. 1: complete. */
static int session_collect(struct session *s, const struct exec_frame *f)
{
	if (f->session != s->id) {
		s->id = f->session;
		s->start_size = 0;
	}
	if (f->length > CCEXEC_MAX_START - s->start_size)
		return -EPROTO;
	memcpy(s->start + s->start_size, f->data, f->length);
	s->start_size += f->length;
	return f->type == CCEXEC_START;
}

/* A frame between commands. 1: a command was run to its end. */
static int idle_frame(struct session *s, const struct exec_frame *f)
{
	int ret;

	switch (f->type) {
	case CCEXEC_PREP:
	case CCEXEC_START:
		ret = session_collect(s, f);
		exec_reader_drop(&s->reader, f);
		if (ret <= 0)
			return ret;
		ret = session_run(s);
		s->start_size = 0;
		return ret ?: 1;
	case CCEXEC_PING:
		ret = send_error(s, f->session, ESTALE,
				 "the other side was started anew");
		break;
	default:
		/* on a port: the rest of a client whose command has ended */
		ret = s->srv->port ? 0 : -EPROTO;
	}
	exec_reader_drop(&s->reader, f);
	return ret;
}

/*
 * Wait for bytes. A port without a host is always "hung up" and "readable",
 * which poll() would report again and again; an edge-triggered epoll reports
 * changes, also one between the last read and now. Bytes that a client left
 * behind stay: the next one's pad completes them.
 */
static int wait_readable(struct session *s, int epfd)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	struct epoll_event ev;

	if (s->srv->port) {
		epoll_wait(epfd, &ev, 1, -1);
		return 0;
	}
	return poll(&pfd, 1, LIMIT_EXEC_START_MS) == 0 ? -ETIMEDOUT : 0;
}

/* One frame, or more bytes. 1: a command was run. */
static int serve_step(struct session *s, int epfd)
{
	struct exec_frame f;
	int ret = exec_reader_next(&s->reader, &f);

	if (ret > 0)
		return idle_frame(s, &f);
	if (ret == 0)
		ret = exec_reader_fill(&s->reader, s->fd);
	if (ret == -EAGAIN)
		return wait_readable(s, epfd);
	if (ret == 0) {
		/* the end of a connection; on a port: nobody is connected */
		return s->srv->port ? wait_readable(s, epfd) : -ECONNRESET;
	}
	return ret < 0 ? ret : 0;
}

int exec_serve(int fd, const struct exec_server *srv)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct session *s = calloc(1, sizeof(*s));
	int epfd = epoll_create1(EPOLL_CLOEXEC), ret = -ENOMEM;

	if (!s || epfd < 0)
		goto free_session;
	s->fd = fd;
	s->srv = srv;
	s->reader.resync = srv->port;
	s->start = malloc(CCEXEC_MAX_START);
	if (!s->start)
		goto free_session;
	ret = exec_set_nonblock(fd);
	if (!ret && srv->port && epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev))
		ret = -errno;
	while (!ret) {
		ret = serve_step(s, epfd);
		/* on a port only errors of the port itself are the end */
		if (srv->port && ret != -ENODEV && ret != -EBADF) {
			if (ret < 0)
				s->out.have = 0;
			ret = 0;
		}
	}
	if (ret > 0)
		ret = 0;
free_session:
	if (epfd >= 0)
		close(epfd);
	if (s)
		free(s->start);
	free(s);
	return ret;
}
