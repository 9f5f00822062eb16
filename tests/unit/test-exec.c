// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of the exec protocol: a real server in a child process, real
 * commands, a socket pair between. The first half uses the client, the second
 * speaks frames by hand, wrong ones included.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "exec-frame.h"
#include "exec.h"

struct peer {
	int fd;			/* the client's end */
	pid_t pid;		/* the server */
};

static struct peer start_server(bool port)
{
	struct exec_server srv = { .port = port };
	struct peer p;
	int sv[2];

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), errno);
	p.fd = sv[0];
	p.pid = fork();
	if (!p.pid) {
		close(sv[0]);
		signal(SIGPIPE, SIG_IGN);
		alarm(60);
		_exit(-exec_serve(sv[1], &srv));
	}
	close(sv[1]);
	return p;
}

/* Its result: 0, or a positive errno. */
static int end_server(struct peer *p)
{
	int status;

	close(p->fd);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int make_file(const char *text, size_t len)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	rewind(f);
	return dup(fileno(f));
}

/* Runs a shell command; what it wrote is in out and err. */
struct run {
	const char *in;
	size_t in_len;
	char out[300000], err[4096];
	size_t out_len;
	struct exec_result res;
	int ret;
};

static size_t slurp(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	assert_true(n >= 0);
	buf[n] = 0;
	close(fd);
	return n;
}

static void run_request(struct run *r, struct exec_request *rq)
{
	struct peer p = start_server(false);

	rq->in = make_file(r->in ?: "", r->in ? r->in_len : 0);
	rq->out = make_file("", 0);
	rq->err = make_file("", 0);
	r->ret = exec_client_run(p.fd, rq, &r->res);
	r->out_len = slurp(rq->out, r->out, sizeof(r->out));
	slurp(rq->err, r->err, sizeof(r->err));
	close(rq->in);
	assert_int_equal(end_server(&p), 0);
}

static void run_shell(struct run *r, const char *command)
{
	char *argv[] = { "/bin/sh", "-c", (char *)command, NULL };
	struct exec_request rq = { .argv = argv, .flags = CCEXEC_ENV_ADD };

	run_request(r, &rq);
}

static void test_status(void **state)
{
	static struct run r;

	run_shell(&r, "exit 0");
	assert_int_equal(r.ret, 0);
	assert_int_equal(r.res.status, 0);
	run_shell(&r, "exit 37");
	assert_int_equal(r.res.status, 37);
	run_shell(&r, "kill -TERM $$");
	assert_int_equal(r.res.status, 128 + SIGTERM);
}

static void test_streams(void **state)
{
	static struct run r;

	r.in = "abc\n";
	r.in_len = 4;
	run_shell(&r, "cat; echo oops >&2");
	assert_string_equal(r.out, "abc\n");
	assert_string_equal(r.err, "oops\n");
	r.in = NULL;
	run_shell(&r, "cat; echo end");
	assert_string_equal(r.out, "end\n");
}

static void test_much_data(void **state)
{
	static struct run r;
	static char data[250000];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + i / 251;
	r.in = data;
	r.in_len = sizeof(data);
	run_shell(&r, "cat");
	assert_int_equal(r.res.status, 0);
	assert_int_equal(r.out_len, sizeof(data));
	assert_memory_equal(r.out, data, sizeof(data));
	r.in = NULL;
}

/* A command that never reads its stdin must not hold anything up. */
static void test_unread_stdin(void **state)
{
	static struct run r;
	static char data[250000];

	r.in = data;
	r.in_len = sizeof(data);
	run_shell(&r, "echo done");
	assert_string_equal(r.out, "done\n");
	run_shell(&r, "exec <&-; sleep 0.2; echo done");
	assert_string_equal(r.out, "done\n");
	r.in = NULL;
}

static void test_environment(void **state)
{
	char *argv[] = { "sh", "-c", "echo $A:$HOME; pwd", NULL };
	char *add[] = { "A=one two", NULL };
	char *all[] = { "PATH=/bin:/usr/bin", "A=1", NULL };
	struct exec_request rq = { .argv = argv, .envp = add, .cwd = "/usr",
				   .flags = CCEXEC_ENV_ADD };
	static struct run r;

	run_request(&r, &rq);
	assert_string_equal(r.out, "one two:/root\n/usr\n");
	rq.envp = all;
	rq.flags = 0;
	run_request(&r, &rq);
	assert_string_equal(r.out, "1:\n/usr\n");
}

static void test_not_found(void **state)
{
	char *argv[] = { "/no/such/program", NULL };
	struct exec_request rq = { .argv = argv, .flags = CCEXEC_ENV_ADD };
	static struct run r;

	run_request(&r, &rq);
	assert_int_equal(r.ret, -ENOENT);
	assert_int_equal(r.res.status, 127);
	assert_non_null(strstr(r.res.text, "/no/such/program"));
	argv[0] = "/etc/passwd";
	run_request(&r, &rq);
	assert_int_equal(r.ret, -EACCES);
	assert_int_equal(r.res.status, 126);
	argv[0] = "/bin/true";
	rq.cwd = "/no/such/dir";
	run_request(&r, &rq);
	assert_int_equal(r.ret, -ENOENT);
	assert_non_null(strstr(r.res.text, "/no/such/dir"));
}

/* A process left behind holds stdout open; the command's end is the end. */
static void test_child_left_behind(void **state)
{
	static struct run r;
	time_t t = time(NULL);

	run_shell(&r, "sleep 20 & echo here");
	assert_string_equal(r.out, "here\n");
	assert_true(time(NULL) - t < 10);
	run_shell(&r, "yes & sleep 0.1; echo here >&2; kill $!");
	assert_int_equal(r.res.status, 0);
}

static void test_terminal(void **state)
{
	char *argv[] = { "sh", "-c", "test -t 0 && test -t 1 && echo tty", NULL };
	struct exec_request rq = { .argv = argv, .flags = CCEXEC_ENV_ADD | CCEXEC_TTY };
	static struct run r;

	run_request(&r, &rq);
	assert_string_equal(r.out, "tty\r\n");
	assert_int_equal(r.res.status, 0);
}

/* The client in a child process, which gets the signal. */
static void test_signal(void **state)
{
	struct peer p = start_server(false);
	char *argv[] = { "sh", "-c", "trap 'echo got; exit 9' USR1; echo up;"
			 "while :; do sleep 0.05; done", NULL };
	struct exec_request rq = { .argv = argv, .flags = CCEXEC_ENV_ADD, .in = -1, .err = 2 };
	struct exec_result res;
	char buf[64];
	int out[2], status;
	pid_t pid;

	assert_return_code(pipe(out), errno);
	rq.out = out[1];
	pid = fork();
	if (!pid) {
		exec_client_run(p.fd, &rq, &res);
		_exit(res.status);
	}
	close(out[1]);
	assert_int_equal(read(out[0], buf, 3), 3);
	kill(pid, SIGUSR1);
	assert_int_equal(read(out[0], buf, 4), 4);
	assert_memory_equal(buf, "got\n", 4);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 9);
	close(out[0]);
	assert_int_equal(end_server(&p), 0);
}

/* Our stdout is closed: the command gets SIGPIPE. */
static void test_closed_stdout(void **state)
{
	struct peer p = start_server(false);
	char *argv[] = { "yes", NULL };
	struct exec_request rq = { .argv = argv, .flags = CCEXEC_ENV_ADD, .in = -1, .err = 2 };
	struct exec_result res;
	int out[2];

	assert_return_code(pipe(out), errno);
	close(out[0]);
	rq.out = out[1];
	assert_int_equal(exec_client_run(p.fd, &rq, &res), 0);
	assert_int_equal(res.status, 128 + SIGPIPE);
	close(out[1]);
	assert_int_equal(end_server(&p), 0);
}

/* What goes to stderr still gets there. */
static void test_only_stdout_closed(void **state)
{
	struct peer p = start_server(false);
	char *argv[] = { "sh", "-c", "trap '' PIPE; echo a; sleep 1; echo b >&2", NULL };
	struct exec_request rq = { .argv = argv, .flags = CCEXEC_ENV_ADD, .in = -1 };
	struct exec_result res;
	char err[16];
	int out[2];

	assert_return_code(pipe(out), errno);
	close(out[0]);
	rq.out = out[1];
	rq.err = make_file("", 0);
	assert_int_equal(exec_client_run(p.fd, &rq, &res), 0);
	slurp(rq.err, err, sizeof(err));
	assert_string_equal(err, "b\n");
	close(out[1]);
	assert_int_equal(end_server(&p), 0);
}

/* A client behind a client: SIGPIPE is passed on like any other signal. */
static void test_sigpipe(void **state)
{
	struct peer p = start_server(false);
	char *argv[] = { "sh", "-c", "echo up; exec sleep 60", NULL };
	struct exec_request rq = { .argv = argv, .flags = CCEXEC_ENV_ADD, .in = -1, .err = 2 };
	struct exec_result res;
	int out[2], status;
	char buf[4];
	pid_t pid;

	assert_return_code(pipe(out), errno);
	rq.out = out[1];
	pid = fork();
	if (!pid) {
		exec_client_run(p.fd, &rq, &res);
		_exit(res.status);
	}
	assert_int_equal(read(out[0], buf, 3), 3);
	kill(pid, SIGPIPE);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 128 + SIGPIPE);
	close(out[0]);
	close(out[1]);
	assert_int_equal(end_server(&p), 0);
}

static void test_lost_server(void **state)
{
	struct peer p = start_server(false);
	char *argv[] = { "sh", "-c", "kill -9 $PPID", NULL };
	struct exec_request rq = { .argv = argv, .flags = CCEXEC_ENV_ADD,
				   .in = -1, .out = 1, .err = 2 };
	struct exec_result res;

	assert_true(exec_client_run(p.fd, &rq, &res) < 0);
	assert_int_equal(res.status, 255);
	close(p.fd);
	waitpid(p.pid, NULL, 0);
}

/* A server that accepts and says nothing. */
static void test_silent_server(void **state)
{
	char *argv[] = { "true", NULL };
	struct exec_request rq = { .argv = argv, .in = -1, .out = 1, .err = 2,
				   .silence_ms = 1500 };
	struct exec_result res;
	int sv[2];

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), errno);
	assert_int_equal(exec_client_run(sv[0], &rq, &res), -ETIMEDOUT);
	assert_int_equal(res.status, 255);
	close(sv[0]);
	close(sv[1]);
}

/* Ctrl-Z for longer than a server may be silent, then fg. */
static void test_stopped(void **state)
{
	struct peer p = start_server(false);
	char *argv[] = { "sh", "-c", "sleep 5; exit 7", NULL };
	struct exec_request rq = { .argv = argv, .flags = CCEXEC_ENV_ADD, .in = -1,
				   .out = 1, .err = 2, .silence_ms = 2000 };
	struct exec_result res;
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		exec_client_run(p.fd, &rq, &res);
		_exit(res.status);
	}
	usleep(500000);
	kill(pid, SIGSTOP);
	sleep(4);
	kill(pid, SIGCONT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(end_server(&p), 0);
}

/* Frames by hand. */

static struct exec_reader reader;

static void put(int fd, uint64_t session, uint16_t type, const void *data, size_t len)
{
	struct exec_queue q = { 0 };

	assert_int_equal(exec_queue_frame(&q, session, type, data, len), 0);
	assert_int_equal(exec_queue_flush(&q, fd), 0);
}

static size_t start_message(char *buf, const char *command)
{
	struct ccexec_start h = { .flags = htole32(CCEXEC_ENV_ADD), .argc = htole32(3) };
	char *at = buf + sizeof(h);

	memcpy(buf, &h, sizeof(h));
	at = stpcpy(at, "/bin/sh") + 1;
	at = stpcpy(at, "-c") + 1;
	at = stpcpy(at, command) + 1;
	*at++ = 0;
	return at - buf;
}

static void put_start(int fd, uint64_t session, const char *command)
{
	char buf[512];

	put(fd, session, CCEXEC_START, buf, start_message(buf, command));
}

/* The next frame of this type and session, others are skipped. */
static bool wait_frame(int fd, uint64_t session, uint16_t type, struct exec_frame *f)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n;

	for (;;) {
		while (exec_reader_next(&reader, f) > 0) {
			bool match = f->type == type && f->session == session;
			static unsigned char copy[CCEXEC_MAX_DATA];

			memcpy(copy, f->data, f->length);
			exec_reader_drop(&reader, f);
			f->data = copy;
			if (match)
				return true;
		}
		if (poll(&pfd, 1, 10000) <= 0)
			return false;
		n = exec_reader_fill(&reader, fd);
		if (n <= 0)
			return false;
	}
}

static void expect_exit(int fd, uint64_t session, uint32_t status)
{
	struct ccexec_exit e;
	struct exec_frame f;

	assert_true(wait_frame(fd, session, CCEXEC_EXIT, &f));
	assert_int_equal(f.length, sizeof(e));
	memcpy(&e, f.data, sizeof(e));
	assert_int_equal(le32toh(e.status), status);
}

static int reset_reader(void **state)
{
	memset(&reader, 0, sizeof(reader));
	return 0;
}

/* One bad frame; the server must end with this error, and not crash. */
static void bad_bytes(const void *bytes, size_t len, int error)
{
	struct peer p = start_server(false);

	assert_int_equal(write(p.fd, bytes, len), len);
	shutdown(p.fd, SHUT_WR);
	assert_int_equal(end_server(&p), error);
}

static void test_bad_headers(void **state)
{
	struct ccexec_header good = {
		.magic = htole32(CCEXEC_MAGIC), .revision = htole16(CCEXEC_REVISION),
		.type = htole16(CCEXEC_START), .session = htole64(5), .length = htole32(0),
	}, h;

	h = good, h.magic ^= 1;
	bad_bytes(&h, sizeof(h), EPROTO);
	h = good, h.revision = htole16(2);
	bad_bytes(&h, sizeof(h), EPROTO);
	h = good, h.type = htole16(0);
	bad_bytes(&h, sizeof(h), EPROTO);
	h = good, h.type = htole16(9);
	bad_bytes(&h, sizeof(h), EPROTO);
	h = good, h.type = htole16(65535);
	bad_bytes(&h, sizeof(h), EPROTO);
	h = good, h.length = htole32(CCEXEC_MAX_DATA + 1);
	bad_bytes(&h, sizeof(h), EPROTO);
	h = good, h.length = htole32(~0u);
	bad_bytes(&h, sizeof(h), EPROTO);
	h = good, h.session = 0;
	bad_bytes(&h, sizeof(h), EPROTO);
	h = good, h.reserved = 1;
	bad_bytes(&h, sizeof(h), EPROTO);
	h = good, h.type = htole16(CCEXEC_STDIN_EOF);
	bad_bytes(&h, sizeof(h), EPROTO);
	bad_bytes(&good, sizeof(good) - 1, ECONNRESET);
	bad_bytes(&good, sizeof(good), EPROTO);		/* START without contents */
}

static void bad_start(const void *msg, size_t len)
{
	struct peer p = start_server(false);
	struct exec_frame f;

	put(p.fd, 1, CCEXEC_START, msg, len);
	assert_true(wait_frame(p.fd, 1, CCEXEC_ERROR, &f));
	assert_int_equal(end_server(&p), EPROTO);
	reset_reader(NULL);
}

static void test_bad_start(void **state)
{
	char buf[512];
	size_t len = start_message(buf, "exit 0");
	struct ccexec_start *h = (void *)buf, good = *h;

	bad_start(buf, sizeof(*h) - 1);
	bad_start(buf, len - 1);
	bad_start(buf, len + 1);
	h->argc = 0;
	bad_start(buf, len);
	h->argc = htole32(4);
	bad_start(buf, len);
	h->argc = htole32(~0u);
	bad_start(buf, len);
	*h = good;
	h->envc = htole32(~0u);
	bad_start(buf, len);
	h->envc = htole32(CCEXEC_MAX_STRINGS - 2);
	bad_start(buf, len);
	*h = good;
	h->flags = htole32(0x80);
	bad_start(buf, len);
}

static void test_start_too_large(void **state)
{
	static char part[CCEXEC_MAX_DATA];
	struct peer p = start_server(false);
	int n = CCEXEC_MAX_START / CCEXEC_MAX_DATA;

	for (int i = 0; i < n; i++)
		put(p.fd, 1, CCEXEC_PREP, part, sizeof(part));
	put(p.fd, 1, CCEXEC_PREP, part, 1);
	assert_int_equal(end_server(&p), EPROTO);
}

/* A frame that is wrong while a command runs: the command is ended. */
static void bad_while_running(uint16_t type, const void *data, size_t len)
{
	struct peer p = start_server(false);
	struct exec_frame f;
	pid_t pid;

	put_start(p.fd, 3, "echo $$; exec sleep 60");
	assert_true(wait_frame(p.fd, 3, CCEXEC_STDOUT, &f));
	pid = atoi((const char *)f.data);
	put(p.fd, 3, type, data, len);
	assert_true(wait_frame(p.fd, 3, CCEXEC_ERROR, &f));
	assert_int_equal(end_server(&p), EPROTO);
	assert_int_equal(kill(pid, 0), -1);
	reset_reader(NULL);
}

static void test_bad_while_running(void **state)
{
	uint32_t sig = htole32(0);

	bad_while_running(CCEXEC_SIGNAL, &sig, 4);
	sig = htole32(65);
	bad_while_running(CCEXEC_SIGNAL, &sig, 4);
	sig = htole32(~0u);
	bad_while_running(CCEXEC_SIGNAL, &sig, 4);
	bad_while_running(CCEXEC_SIGNAL, &sig, 3);
	bad_while_running(CCEXEC_WINCH, &sig, 1);
	bad_while_running(CCEXEC_STDOUT, "x", 1);
	bad_while_running(CCEXEC_START, "x", 1);
}

/* More stdin than was granted. */
static void test_window(void **state)
{
	static char part[CCEXEC_MAX_DATA];
	struct peer p = start_server(false);
	struct exec_frame f;

	put_start(p.fd, 3, "sleep 60");
	assert_true(wait_frame(p.fd, 3, CCEXEC_STARTED, &f));
	/* the pipe takes 64 KiB, the server's buffer as much again */
	for (int i = 0; i < 2 * CCEXEC_WINDOW / CCEXEC_MAX_DATA + 1; i++)
		put(p.fd, 3, CCEXEC_STDIN, part, sizeof(part));
	assert_true(wait_frame(p.fd, 3, CCEXEC_ERROR, &f));
	assert_int_equal(end_server(&p), EPROTO);
}

/* On a port: garbage and half a frame of an earlier client, then a command. */
static void test_port_resync(void **state)
{
	struct peer p = start_server(true);
	static char junk[CCEXEC_MAX_DATA];
	struct ccexec_header half = {
		.magic = htole32(CCEXEC_MAGIC), .revision = htole16(CCEXEC_REVISION),
		.type = htole16(CCEXEC_STDIN), .session = htole64(99),
		.length = htole32(CCEXEC_MAX_DATA),
	};

	put_start(p.fd, 10, "exit 3");
	expect_exit(p.fd, 10, 3);
	memset(junk, 'C', sizeof(junk));
	assert_int_equal(write(p.fd, junk, 1000), 1000);
	assert_int_equal(write(p.fd, &half, sizeof(half)), sizeof(half));
	memset(junk, 0, sizeof(junk));
	assert_int_equal(write(p.fd, junk, sizeof(junk)), sizeof(junk));
	assert_int_equal(write(p.fd, junk, 24), 24);
	put_start(p.fd, 11, "exit 4");
	expect_exit(p.fd, 11, 4);
	kill(p.pid, SIGKILL);
	close(p.fd);
	waitpid(p.pid, NULL, 0);
}

/* On a port: a new client's START ends the command of one that vanished. */
static void test_port_takeover(void **state)
{
	struct peer p = start_server(true);
	struct exec_frame f;
	pid_t pid;

	put_start(p.fd, 20, "echo $$; exec sleep 60");
	assert_true(wait_frame(p.fd, 20, CCEXEC_STDOUT, &f));
	pid = atoi((const char *)f.data);
	put_start(p.fd, 21, "exit 5");
	expect_exit(p.fd, 21, 5);
	assert_int_equal(kill(pid, 0), -1);
	/* the vanished client's probe: told that it is gone */
	put(p.fd, 20, CCEXEC_PING, NULL, 0);
	assert_true(wait_frame(p.fd, 20, CCEXEC_ERROR, &f));
	kill(p.pid, SIGKILL);
	close(p.fd);
	waitpid(p.pid, NULL, 0);
}

/* The peer goes away: the whole process group of the command is ended. */
static void test_peer_gone(void **state)
{
	struct peer p = start_server(false);
	struct exec_frame f;
	pid_t pid;

	put_start(p.fd, 3, "sleep 60 & echo $!; wait");
	assert_true(wait_frame(p.fd, 3, CCEXEC_STDOUT, &f));
	pid = atoi((const char *)f.data);
	assert_int_equal(end_server(&p), ECONNRESET);
	for (int i = 0; i < 100 && !kill(pid, 0); i++)
		usleep(20000);
	/* its parent is gone too: it may be a zombie that nobody reaps here */
	char path[64], line[256] = "";
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	stat = fopen(path, "r");
	if (stat) {
		assert_non_null(fgets(line, sizeof(line), stat));
		fclose(stat);
		assert_non_null(strstr(line, ") Z "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_much_data),
		cmocka_unit_test(test_unread_stdin),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_child_left_behind),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_closed_stdout),
		cmocka_unit_test(test_only_stdout_closed),
		cmocka_unit_test(test_sigpipe),
		cmocka_unit_test(test_lost_server),
		cmocka_unit_test(test_silent_server),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test_setup(test_bad_start, reset_reader),
		cmocka_unit_test_setup(test_start_too_large, reset_reader),
		cmocka_unit_test_setup(test_bad_while_running, reset_reader),
		cmocka_unit_test_setup(test_window, reset_reader),
		cmocka_unit_test_setup(test_port_resync, reset_reader),
		cmocka_unit_test_setup(test_port_takeover, reset_reader),
		cmocka_unit_test_setup(test_peer_gone, reset_reader),
	};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IONBF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
