// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccfs's way through sharedpc.ko, fs/link.c and what fs/conn.c makes of it: ASK is answered
 * here, the stream by the other end of a socket pair.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "fs/conn.h"
#include "sharedpc_ioctl.h"

#define DEV	12345	/* of no file; each connection has another one */
#define CONNS	32
#define MOUNT	77

int __wrap_ioctl(int fd, unsigned long request, void *arg);

static struct owner owner = { .dev = -1, .id = 0, .self = 1 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* all below */
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static bool left[CONNS];	/* LEAVE was said */
static int now;			/* the connection of this test */
static bool hangs;		/* ASK does, until that is over or LEAVE */
static int asks;
static int fails;		/* with this errno */
static void (*lie)(struct ccfs_header *head, struct sharedpc_ask *ask);

/* The answer: the request's body once more. */
static int ask(struct sharedpc_ask *ask, const bool *gone)
{
	struct ccfs_header *head = (void *)(uintptr_t)ask->head;

	assert_int_equal(ask->mount, MOUNT);
	assert_int_equal(head->len, sizeof(*head) + ask->len);
	assert_true(ask->room >= 8);
	asks++;
	while (hangs && !*gone)
		pthread_cond_wait(&change, &lock);
	errno = *gone ? ENOTCONN : fails;
	if (errno)
		return -1;
	if (lie)
		lie(head, ask);
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = 0;

	if (fd < DEV || fd >= DEV + CONNS) {
		errno = ENOTTY;
		return -1;
	}
	pthread_mutex_lock(&lock);
	if (request == SHAREDPC_IOC_ASK)
		ret = ask(arg, &left[fd - DEV]);
	if (request == SHAREDPC_IOC_LEAVE) {
		left[fd - DEV] = true;
		pthread_cond_broadcast(&change);
	}
	pthread_mutex_unlock(&lock);
	return ret;
}

static struct conn *connected(int *peer, int patience_ms)
{
	static struct conn conns[CONNS];
	static int n;
	struct conn *c = &conns[n];
	struct timeval tv = { .tv_sec = 60 };
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	conn_init(c, fd[0], &owner);
	c->patience_ms = patience_ms;
	owner.dev = DEV + n;
	assert_int_equal(link_join(&c->link, &owner, MOUNT), 0);
	owner.dev = -1;		/* it lives, whatever nobody says */
	assert_int_equal(c->link.dev, DEV + n);
	assert_int_equal(conn_start(c), 0);
	pthread_mutex_lock(&lock);
	hangs = false;
	now = n++;
	fails = asks = 0;
	lie = NULL;
	pthread_mutex_unlock(&lock);
	setsockopt(fd[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	*peer = fd[1];
	return c;
}

/* The peer goes, and that has been seen: LEAVE means nothing to the next test. */
static void disconnect(int peer)
{
	bool gone = false;

	close(peer);
	for (int ms = 0; !gone && ms < 5000; ms += 10) {
		usleep(10000);
		pthread_mutex_lock(&lock);
		gone = left[now];
		pthread_mutex_unlock(&lock);
	}
	assert_true(gone);
}

static void request(struct msg *m, unsigned int op, size_t pad)
{
	static const struct ccfs_cred cred;

	msg_start(m, op, 0, CCFS_ROOT);
	msg_put(m, &cred, sizeof(cred));
	memset(msg_put_room(m, pad), 'p', pad);
}

/* Ask something of @pad bytes: conn_call()'s outcome. */
static int call(struct conn *c, size_t pad)
{
	struct msg m = { 0 };
	int ret;

	request(&m, CCFS_ACCESS, pad);
	ret = conn_call(c, &m);
	if (!ret)
		assert_int_equal(m.len, sizeof(struct ccfs_cred) + pad);
	msg_free(&m);
	return ret;
}

struct caller {
	pthread_t thread;
	struct conn *conn;
	size_t pad;
	int ret;
};

static void *caller_run(void *arg)
{
	struct caller *c = arg;

	c->ret = call(c->conn, c->pad);
	return NULL;
}

static void begin(struct caller *c, struct conn *conn, size_t pad)
{
	*c = (struct caller) { .conn = conn, .pad = pad, .ret = 1 };
	assert_int_equal(pthread_create(&c->thread, NULL, caller_run, c), 0);
}

static void ask_goes(void **state)
{
	int peer;
	struct conn *c = connected(&peer, 60000);

	assert_int_equal(call(c, 8), 0);
	assert_int_equal(call(c, 1000), 0);
	assert_int_equal(asks, 2);
	disconnect(peer);
}

static void error(struct ccfs_header *head, struct sharedpc_ask *ask)
{
	head->error = -ENOSPC;
	head->len = sizeof(*head);
	ask->len = 0;
}

static void error_of_owner(void **state)
{
	int peer;
	struct conn *c = connected(&peer, 60000);

	lie = error;
	assert_int_equal(call(c, 8), -ENOSPC);
	assert_false(c->dead);
	disconnect(peer);
}

/* What has no room goes by the stream, as it was. */
static void by_stream(struct conn *c, int peer, size_t pad, int by_ask)
{
	struct caller caller;
	struct msg m = { 0 };

	begin(&caller, c, pad);
	assert_int_equal(msg_recv(peer, &m), 0);
	assert_int_equal(m.head.op, CCFS_ACCESS);
	assert_int_equal(m.head.node, CCFS_ROOT);
	assert_int_equal(m.len, sizeof(struct ccfs_cred) + pad);
	assert_int_equal(m.data[m.len - 1], 'p');
	assert_int_equal(msg_send(peer, &m), 0);
	pthread_join(caller.thread, NULL);
	assert_int_equal(caller.ret, 0);
	assert_int_equal(asks, by_ask);
	msg_free(&m);
}

static void no_room(void **state)
{
	int peer;
	struct conn *c = connected(&peer, 60000);

	fails = EBUSY;
	by_stream(c, peer, 8, 1);
	fails = EMSGSIZE;
	by_stream(c, peer, 8, 2);
	fails = 0;
	by_stream(c, peer, 100000, 2);		/* too long: not tried */
	disconnect(peer);
}

static void lie_id(struct ccfs_header *head, struct sharedpc_ask *ask) { head->id++; }
static void lie_op(struct ccfs_header *head, struct sharedpc_ask *ask) { head->op++; }
static void lie_magic(struct ccfs_header *head, struct sharedpc_ask *ask) { head->magic++; }
static void lie_len(struct ccfs_header *head, struct sharedpc_ask *ask) { head->len++; }
static void lie_error(struct ccfs_header *head, struct sharedpc_ask *ask) { head->error = 1; }

/* What is no answer ends the mount. */
static void liars(void **state)
{
	static void (*const lies[])(struct ccfs_header *, struct sharedpc_ask *) = {
		lie_id, lie_op, lie_magic, lie_len, lie_error,
	};
	int peer;
	struct conn *c;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		c = connected(&peer, 60000);
		lie = lies[i];
		assert_int_equal(call(c, 8), -EPROTO);
		assert_true(c->dead);
		assert_int_equal(call(c, 8), -ENOTCONN);
		disconnect(peer);
	}
}

static void let_go(void)
{
	pthread_mutex_lock(&lock);
	hangs = false;
	pthread_cond_broadcast(&change);
	pthread_mutex_unlock(&lock);
}

static void await_asks(int n)
{
	bool enough = false;

	for (int ms = 0; !enough && ms < 60000; ms++) {
		usleep(1000);
		pthread_mutex_lock(&lock);
		enough = asks >= n;
		pthread_mutex_unlock(&lock);
	}
	assert_true(enough);
}

/* The stream ends: who asks hears of it. */
static void peer_goes(void **state)
{
	struct caller caller;
	int peer;
	struct conn *c = connected(&peer, 60000);

	hangs = true;
	begin(&caller, c, 8);
	await_asks(1);
	close(peer);
	pthread_join(caller.thread, NULL);
	assert_int_equal(caller.ret, -ENOTCONN);
	assert_true(left[now]);
}

/* No sign of life while only ASKs wait. */
static void silence(void **state)
{
	struct caller caller;
	int peer;
	struct conn *c = connected(&peer, 600);

	hangs = true;
	begin(&caller, c, 8);
	pthread_join(caller.thread, NULL);
	assert_int_equal(caller.ret, -ENOTCONN);
	disconnect(peer);
}

static bool no_pings(struct conn *c)
{
	bool none;

	pthread_mutex_lock(&c->lock);
	none = !c->pings;
	pthread_mutex_unlock(&c->lock);
	return none;
}

/* PINGs are answered, some of them late and all at once: no answer stays unread. */
static void slow(void **state)
{
	struct timeval soon = { .tv_usec = 300000 };
	struct caller caller;
	struct msg m[3], one = { 0 };
	int peer;
	struct conn *c = connected(&peer, 1200);

	memset(m, 0, sizeof(m));
	hangs = true;
	begin(&caller, c, 8);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(msg_recv(peer, &m[i]), 0);
		assert_int_equal(m[i].head.op, CCFS_PING);
	}
	for (int i = 0; i < 3; i++) {
		m[i].len = 0;
		assert_int_equal(msg_send(peer, &m[i]), 0);
		msg_free(&m[i]);
	}
	for (time_t end = time(NULL) + 3; time(NULL) < end; ) {
		assert_int_equal(msg_recv(peer, &one), 0);
		one.len = 0;
		assert_int_equal(msg_send(peer, &one), 0);
	}
	let_go();
	pthread_join(caller.thread, NULL);
	assert_int_equal(caller.ret, 0);
	setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	while (!msg_recv(peer, &one)) {
		one.len = 0;
		assert_int_equal(msg_send(peer, &one), 0);
	}
	for (int ms = 0; !no_pings(c) && ms < 5000; ms += 10)
		usleep(10000);
	assert_true(no_pings(c));
	msg_free(&one);
	disconnect(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ask_goes),
		cmocka_unit_test(error_of_owner),
		cmocka_unit_test(no_room),
		cmocka_unit_test(liars),
		cmocka_unit_test(peer_goes),
		cmocka_unit_test(silence),
		cmocka_unit_test(slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
