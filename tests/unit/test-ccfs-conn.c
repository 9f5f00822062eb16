// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccfs's connection, fs/conn.c, fs/watch.c and fs/slow.c, against a peer at the other end of a socket
 * pair: answers out of order, a silent peer, one that goes, one that lies.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "fs/conn.h"
#include "fs/slow.h"

#define CALLERS	8

static struct owner owner = { .dev = -1 };

struct caller {
	pthread_t thread;
	struct conn *conn;
	uint64_t n;	/* sent, and expected back */
	size_t pad;	/* and so many bytes, which are not */
	int ret;
};

static void *call(void *arg)
{
	struct caller *c = arg;
	struct msg m = { 0 };
	uint64_t back = 0;

	msg_start(&m, CCFS_ACCESS, 0, CCFS_ROOT);
	msg_put(&m, &c->n, sizeof(c->n));
	if (c->pad)
		memset(msg_put_room(&m, c->pad), 'p', c->pad);
	c->ret = conn_call(c->conn, &m);
	if (!c->ret && (msg_get(&m, &back, sizeof(back)) || back != c->n))
		c->ret = -EBADMSG;
	msg_free(&m);
	return NULL;
}

static void start_calls(struct caller *callers, struct conn *c)
{
	for (int i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller) { .conn = c, .n = 100 + i };
		assert_int_equal(pthread_create(&callers[i].thread, NULL, call,
						&callers[i]), 0);
	}
}

static void end_calls(struct caller *callers, int ret)
{
	for (int i = 0; i < CALLERS; i++) {
		pthread_join(callers[i].thread, NULL);
		assert_int_equal(callers[i].ret, ret);
	}
}

/*
 * The connection outlives the test (its threads are detached), so that each
 * test has its own, for ever.
 */
static struct conn *connect_pair(int *peer, int patience_ms)
{
	static struct conn conns[24];
	static int n;
	struct conn *c = &conns[n++];
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	conn_init(c, fd[0], &owner);
	c->patience_ms = patience_ms;
	assert_int_equal(conn_start(c), 0);
	*peer = fd[1];
	return c;
}

static void any_order(void **state)
{
	struct caller callers[CALLERS];
	struct msg m[CALLERS];
	int peer;
	struct conn *c = connect_pair(&peer, 60000);

	memset(m, 0, sizeof(m));
	start_calls(callers, c);
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(msg_recv(peer, &m[i]), 0);
	for (int i = CALLERS - 1; i >= 0; i--) {	/* the last one first */
		assert_int_equal(msg_send(peer, &m[i]), 0);
		msg_free(&m[i]);
	}
	end_calls(callers, 0);
	close(peer);
}

static void error_of_owner(void **state)
{
	struct caller callers[CALLERS];
	struct msg m = { 0 };
	int peer;
	struct conn *c = connect_pair(&peer, 60000);

	start_calls(callers, c);
	for (int i = 0; i < CALLERS; i++) {
		assert_int_equal(msg_recv(peer, &m), 0);
		m.head.error = -ENOSPC;
		m.len = 0;
		assert_int_equal(msg_send(peer, &m), 0);
	}
	msg_free(&m);
	end_calls(callers, -ENOSPC);
	close(peer);
}

static void peer_goes(void **state)
{
	struct caller callers[CALLERS];
	struct msg m = { 0 };
	int peer;
	struct conn *c = connect_pair(&peer, 60000);

	start_calls(callers, c);
	assert_int_equal(msg_recv(peer, &m), 0);
	msg_free(&m);
	close(peer);
	end_calls(callers, -ENOTCONN);
	start_calls(callers, c);	/* and so for ever */
	end_calls(callers, -ENOTCONN);
}

static atomic_int deaths;
static atomic_int failed_before;	/* calls, when it died */
static struct caller *dying;

static void died(void *arg)
{
	assert_ptr_equal(arg, &deaths);
	for (int i = 0; i < CALLERS; i++)
		failed_before += dying[i].ret != 1;
	deaths++;
}

/* Whoever wants to know hears of it once, and before any call fails. */
static void death_is_told(void **state)
{
	struct caller callers[CALLERS];
	struct msg m = { 0 };
	int peer;
	struct conn *c = connect_pair(&peer, 60000);

	c->died = died;
	c->arg = &deaths;
	dying = callers;
	for (int i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller) { .conn = c, .n = 100 + i, .ret = 1 };
		assert_int_equal(pthread_create(&callers[i].thread, NULL, call,
						&callers[i]), 0);
	}
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(msg_recv(peer, &m), 0);
	msg_free(&m);
	assert_int_equal(deaths, 0);
	close(peer);
	end_calls(callers, -ENOTCONN);
	assert_int_equal(deaths, 1);
	assert_int_equal(failed_before, 0);
	assert_false(conn_kill(c));
	assert_int_equal(deaths, 1);
}

static void liars(void **state)
{
	static const struct ccfs_header lies[] = {
		{ .magic = 1, .len = 32, .op = CCFS_ACCESS, .id = 1 },
		{ .magic = CCFS_MAGIC, .len = 31, .op = CCFS_ACCESS, .id = 1 },
		{ .magic = CCFS_MAGIC, .len = ~0u, .op = CCFS_ACCESS, .id = 1 },
		{ .magic = CCFS_MAGIC, .len = 32, .op = CCFS_ACCESS, .id = 999 },
		{ .magic = CCFS_MAGIC, .len = 32, .op = CCFS_MKDIR, .id = 1 },
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct caller callers[CALLERS];
		struct msg m = { 0 };
		int peer;
		struct conn *c = connect_pair(&peer, 60000);

		start_calls(callers, c);
		assert_int_equal(msg_recv(peer, &m), 0);
		msg_free(&m);
		assert_int_equal(send(peer, &lies[i], sizeof(lies[i]), 0),
				 sizeof(lies[i]));
		end_calls(callers, -ENOTCONN);
		close(peer);
	}
}

/* No answer and no sign of life: given up. */
static void silence(void **state)
{
	struct caller callers[CALLERS];
	int peer;
	struct conn *c = connect_pair(&peer, 600);

	start_calls(callers, c);
	end_calls(callers, -ENOTCONN);
	close(peer);
}

static void *ask_events(void *arg)
{
	static struct msg m;

	msg_start(&m, CCFS_EVENTS, 0, CCFS_ROOT);
	return (void *)(intptr_t)conn_call(arg, &m);
}

/* Who asks what will happen waits for no owner: no PING, and no end of the patience. */
static void events(void **state)
{
	struct pollfd p = { .events = POLLIN };
	struct msg m = { 0 };
	pthread_t thread;
	struct conn *c = connect_pair(&p.fd, 600);
	void *ret;

	assert_int_equal(pthread_create(&thread, NULL, ask_events, c), 0);
	assert_int_equal(msg_recv(p.fd, &m), 0);
	assert_int_equal(m.head.op, CCFS_EVENTS);
	assert_int_equal(poll(&p, 1, 1500), 0);
	m.len = 0;
	assert_int_equal(msg_send(p.fd, &m), 0);
	pthread_join(thread, &ret);
	assert_null(ret);
	msg_free(&m);
	close(p.fd);
}

/* Slow, but PINGs are answered: waited for longer than the patience. */
static void slow(void **state)
{
	time_t end = time(NULL) + 3;
	struct caller caller = { .n = 7 };
	struct msg m = { 0 }, late = { 0 };
	bool pinged = false;
	int peer;

	caller.conn = connect_pair(&peer, 600);
	assert_int_equal(pthread_create(&caller.thread, NULL, call, &caller), 0);
	assert_int_equal(msg_recv(peer, &late), 0);
	while (time(NULL) < end) {
		assert_int_equal(msg_recv(peer, &m), 0);
		assert_int_equal(m.head.op, CCFS_PING);
		m.len = 0;
		assert_int_equal(msg_send(peer, &m), 0);
		pinged = true;
	}
	assert_int_equal(msg_send(peer, &late), 0);
	pthread_join(caller.thread, NULL);
	assert_int_equal(caller.ret, 0);
	assert_true(pinged);
	msg_free(&m);
	msg_free(&late);
	close(peer);
}

/*
 * Stopped for longer than the patience: nobody has listened, so that was no
 * silence.  In a process of its own, which this one stops.
 */
static int stopped_child(void)
{
	const struct timespec until = { .tv_sec = 2, .tv_nsec = 600000000 };
	struct caller caller = { .n = 7 };
	struct msg m = { 0 };
	int peer;

	caller.conn = connect_pair(&peer, 1200);
	if (pthread_create(&caller.thread, NULL, call, &caller) ||
	    msg_recv(peer, &m))
		return 1;
	nanosleep(&until, NULL);
	if (msg_send(peer, &m))
		return 2;
	pthread_join(caller.thread, NULL);
	msg_free(&m);
	return caller.ret ? 3 : 0;
}

static void stopped(void **state)
{
	const struct timespec before = { .tv_nsec = 300000000 }, stop = { .tv_sec = 2 };
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(stopped_child());
	assert_true(pid > 0);
	nanosleep(&before, NULL);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	nanosleep(&stop, NULL);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define SLOW	(3 * SLOW_CALLS)

/* The connections' threads outlive the test, and these with them. */
static struct slow slows[2];
static atomic_int replies[2][SLOW];	/* how often, and with what */
static atomic_int outcome[2][SLOW];

static void reply(struct fuse_req *req, struct msg *m, int error)
{
	int at = (int)(intptr_t)req;

	replies[at / SLOW][at % SLOW]++;
	outcome[at / SLOW][at % SLOW] = error;
}

static void ask_slowly(int run)
{
	for (int i = 0; i < SLOW; i++) {
		struct msg m = { 0 };

		msg_start(&m, CCFS_FSYNC, 0, CCFS_ROOT);
		msg_put(&m, &(struct ccfs_cred){ 0 }, sizeof(struct ccfs_cred));
		slow_ask(&slows[run], (struct fuse_req *)(intptr_t)(run * SLOW + i),
			 &m, reply);
		assert_null(m.data);
	}
}

static void all_replied(int run, int error)
{
	slow_end(&slows[run]);
	for (int i = 0; i < SLOW; i++) {
		assert_int_equal(replies[run][i], 1);
		assert_int_equal(outcome[run][i], error);
	}
}

/* Slow calls wait for the owner: not too many of them there, others pass. */
static void slow_calls(void **state)
{
	struct msg m[SLOW_CALLS], quick = { 0 };
	struct caller caller = { .n = 7 };
	int peer;

	memset(m, 0, sizeof(m));
	caller.conn = connect_pair(&peer, 60000);
	assert_int_equal(slow_start(&slows[0], caller.conn), 0);
	ask_slowly(0);
	for (int i = 0; i < SLOW_CALLS; i++) {
		assert_int_equal(msg_recv(peer, &m[i]), 0);
		assert_int_equal(m[i].head.op, CCFS_FSYNC);
	}
	assert_int_equal(pthread_create(&caller.thread, NULL, call, &caller), 0);
	assert_int_equal(msg_recv(peer, &quick), 0);
	assert_int_equal(quick.head.op, CCFS_ACCESS);
	assert_int_equal(msg_send(peer, &quick), 0);
	pthread_join(caller.thread, NULL);
	assert_int_equal(caller.ret, 0);
	for (int i = 0; i < SLOW; i++) {
		struct msg *one = &m[i % SLOW_CALLS];

		if (i >= SLOW_CALLS)
			assert_int_equal(msg_recv(peer, one), 0);
		one->head.error = -EDQUOT;
		one->len = 0;
		assert_int_equal(msg_send(peer, one), 0);
		one->head.error = 0;
	}
	all_replied(0, -EDQUOT);
	for (int i = 0; i < SLOW_CALLS; i++)
		msg_free(&m[i]);
	msg_free(&quick);
	close(peer);
}

/* None is forgotten when the owner goes, sent or not. */
static void slow_calls_end(void **state)
{
	struct msg m = { 0 }, unsaid = { .error = -EMSGSIZE };
	int peer;
	struct conn *c = connect_pair(&peer, 60000);

	assert_int_equal(slow_start(&slows[1], c), 0);
	ask_slowly(1);
	assert_int_equal(msg_recv(peer, &m), 0);
	msg_free(&m);
	close(peer);
	all_replied(1, -ENOTCONN);
	slow_ask(&slows[1], (struct fuse_req *)(intptr_t)SLOW, &unsaid, reply);
	assert_int_equal(replies[1][0], 2);
	assert_int_equal(outcome[1][0], -EMSGSIZE);
}

/* HELLO fails in any way: what is in the message then is no text of the owner. */
static void no_first_answer(void **state)
{
	struct msg m = { 0 }, lie = { 0 };
	struct conn c;
	int fd[2];

	for (int answered = 0; answered < 2; answered++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
		conn_init(&c, fd[0], &owner);
		msg_start(&lie, CCFS_HELLO, 999, 0);
		msg_put_str(&lie, "no", 2);
		if (answered)
			assert_int_equal(msg_send(fd[1], &lie), 0);
		else
			close(fd[1]);
		msg_start(&m, CCFS_HELLO, 0, CCFS_ROOT);
		msg_put(&m, &(struct ccfs_cred){ 0 }, sizeof(struct ccfs_cred));
		assert_int_equal(conn_call_first(&c, &m, 5),
				 answered ? -EPROTO : -EPIPE);
		assert_int_equal(m.len, 0);
		if (answered)
			close(fd[1]);
		close(fd[0]);
	}
	msg_free(&m);
	msg_free(&lie);
}

#define PAD	(300 * 1024)

/* Something large for who reads, into the buffer that he has. */
static void *send_more(void *arg)
{
	struct msg m = { 0 };
	int ret;

	msg_start(&m, CCFS_PING, 999, 0);
	memset(msg_put_room(&m, PAD), 'q', PAD);
	ret = msg_send(*(int *)arg, &m);
	msg_free(&m);
	return (void *)(intptr_t)ret;
}

/*
 * An answer to a request of which the peer has read but the head: what is
 * being sent stays as it is until it has gone.
 */
static void too_early(void **state)
{
	const struct timespec moment = { .tv_nsec = 200000000 };
	struct caller caller = { .n = 7, .pad = PAD };
	struct msg m = { 0 };
	struct ccfs_header head;
	pthread_t more;
	size_t left;
	ssize_t n;
	int peer;

	caller.conn = connect_pair(&peer, 60000);
	assert_int_equal(pthread_create(&caller.thread, NULL, call, &caller), 0);
	assert_int_equal(recv(peer, &head, sizeof(head), MSG_WAITALL), sizeof(head));
	msg_start(&m, head.op, head.id, 0);
	msg_put(&m, &caller.n, sizeof(caller.n));
	assert_int_equal(msg_send(peer, &m), 0);
	assert_int_equal(pthread_create(&more, NULL, send_more, &peer), 0);
	nanosleep(&moment, NULL);
	for (left = head.len - sizeof(head); left; left -= n) {
		uint8_t buf[4096];

		n = recv(peer, buf, sizeof(buf), 0);
		assert_true(n > 0);
		for (ssize_t i = 0; left < PAD - 4096 && i < n; i++)
			assert_int_equal(buf[i], 'p');
	}
	pthread_join(caller.thread, NULL);
	assert_int_equal(caller.ret, 0);
	/* Nobody reads while nobody waits: who calls next meets the rest. */
	caller.pad = 0;
	assert_int_equal(pthread_create(&caller.thread, NULL, call, &caller), 0);
	pthread_join(more, NULL);
	assert_int_equal(msg_recv(peer, &m), 0);
	assert_int_equal(msg_send(peer, &m), 0);
	pthread_join(caller.thread, NULL);
	assert_int_equal(caller.ret, 0);
	msg_free(&m);
	close(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopped),	/* forks: no threads yet */
		cmocka_unit_test(any_order),
		cmocka_unit_test(error_of_owner),
		cmocka_unit_test(peer_goes),
		cmocka_unit_test(death_is_told),
		cmocka_unit_test(liars),
		cmocka_unit_test(silence),
		cmocka_unit_test(events),
		cmocka_unit_test(slow),
		cmocka_unit_test(slow_calls),
		cmocka_unit_test(slow_calls_end),
		cmocka_unit_test(no_first_answer),
		cmocka_unit_test(too_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
