// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that come through sharedpc.ko, proxyd/names/asked.c, without that: they lie in
 * memory that stands for the bounce buffers, and what REPLY would say is kept here.
 */
#include "proxy-test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "proxyd/names/asked.h"
#include "sharedpc_ioctl.h"

#define ALL	(SHAREDPC_BOUNCES * SHAREDPC_BOUNCE_SIZE)
#define AT	(3 * SHAREDPC_BOUNCE_SIZE)	/* where they lie */
#define ROOM	SHAREDPC_BOUNCE_SIZE

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __real_ioctl(int fd, unsigned long request, void *arg);

static uint64_t mount_number;
static struct sharedpc_reply said;
static int replies;
static int nobody;	/* waits for the reply */

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	switch (request) {
	case SHAREDPC_IOC_LIMIT:
		return 0;
	case SHAREDPC_IOC_REPLY:
		said = *(struct sharedpc_reply *)arg;
		replies++;
		errno = ESTALE;
		return nobody ? -1 : 0;
	}
	return __real_ioctl(fd, request, arg);
}

static void connect_anew(void)
{
	struct ccfs_welcome w;
	struct msg m = { 0 };

	if (conn >= 0) {
		close(conn);
		await_conns(0);
	}
	conn = fresh();
	assert_int_equal(hello(conn, at("rw"), 0, &m), 0);
	assert_int_equal(msg_get(&m, &w, sizeof(w)), 0);
	assert_true(w.mount > mount_number);
	mount_number = w.mount;
	msg_free(&m);
}

static struct sharedpc_call a_call(size_t len, size_t room)
{
	return (struct sharedpc_call) {
		.slot = 7, .op = SHAREDPC_OP_NAME, .file = mount_number, .count = len,
		.pos = room, .data = AT,
	};
}

/* What REPLY says to @call. */
static int run(const struct sharedpc_call *call)
{
	replies = 0;
	asked(&proxy, call);
	assert_int_equal(replies, 1);
	assert_int_equal(said.slot, 7);
	return said.error;
}

/* Put @m where it is to lie: its length. */
static size_t place(const struct msg *m)
{
	ssize_t n = msg_copy_out(m, (char *)proxy.bounce + AT, ROOM);

	assert_true(n > 0);
	return n;
}

/* Ask @m so; its answer replaces it. Its error, or REPLY's. */
static int ask_here(struct msg *m, size_t room)
{
	size_t len = place(m);
	struct sharedpc_call call = a_call(len, room > len ? room : len);
	uint64_t id = m->head.id;
	int ret = run(&call);

	if (ret)
		return ret;
	assert_true(said.result <= call.pos);
	assert_int_equal(msg_copy_in(m, (char *)proxy.bounce + AT, said.result), 0);
	assert_int_equal(m->head.id, id);
	return m->head.error;
}

static int lookup_here(const char *name, size_t room, struct ccfs_entry *e)
{
	struct msg m = { 0 };
	int ret;

	start(&m, CCFS_LOOKUP, CCFS_ROOT, &root);
	put_name(&m, name);
	ret = ask_here(&m, room);
	if (!ret)
		assert_int_equal(msg_get(&m, e, sizeof(*e)), 0);
	msg_free(&m);
	return ret;
}

static bool known(uint64_t node)
{
	struct msg m = { 0 };
	int ret;

	start(&m, CCFS_GETATTR, node, &root);
	ret = ask_here(&m, ROOM);
	msg_free(&m);
	assert_true(!ret || ret == -ESTALE);
	return !ret;
}

/* The two ways lead to one mount. */
static void test_same(void **state)
{
	struct ccfs_entry e;

	put_file("rw/same", "abc", 0640);
	assert_int_equal(lookup_here("same", ROOM, &e), 0);
	assert_int_equal(e.attr.mode, S_IFREG | 0640);
	assert_int_equal(lookup(CCFS_ROOT, "same"), e.node);
	forget(e.node, 1);
	assert_true(known(e.node));
	forget(e.node, 1);
	assert_false(known(e.node));
	assert_int_equal(lookup_here("none", ROOM, &e), -ENOENT);
}

/* What nobody gets is taken back. */
static void test_no_room(void **state)
{
	struct ccfs_entry e;

	put_file("rw/room", "abc", 0640);
	assert_int_equal(lookup_here("room", 0, &e), -EMSGSIZE);
	assert_int_equal(lookup_here("room", ROOM, &e), 0);
	nobody = 1;
	assert_int_equal(lookup_here("room", ROOM, &e), 0);
	nobody = 0;
	forget(e.node, 1);
	assert_false(known(e.node));
}

/* A listing is as long as there is room, and says so. */
static void test_listing(void **state)
{
	struct ccfs_readdir r = { .size = CCFS_DIR_MAX };
	struct ccfs_listing head;
	struct msg m = { 0 };
	char name[16];

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "rw/l%d", i);
		put_file(name, "", 0644);
	}
	for (int small = 1; small >= 0; small--) {
		start(&m, CCFS_READDIR, CCFS_ROOT, &root);
		msg_put(&m, &r, sizeof(r));
		assert_int_equal(ask_here(&m, small ? 1000 : ROOM), 0);
		assert_int_equal(msg_get(&m, &head, sizeof(head)), 0);
		assert_int_equal(head.flags, small ? 0 : CCFS_LISTING_END);
		assert_true(m.len > (small ? 500 : 2000));
	}
	msg_free(&m);
}

static void refused(struct sharedpc_call call, int error)
{
	assert_int_equal(run(&call), error);
}

/* Numbers that a module of ours would not hand out, and mounts that there are not. */
static void test_numbers(void **state)
{
	struct sharedpc_call call;
	struct msg m = { 0 };
	size_t len;

	start(&m, CCFS_GETATTR, CCFS_ROOT, &root);
	len = place(&m);
	call = a_call(len, ROOM);
	refused(call, 0);
	for (call.file = 0; call.file < 1000; call.file++)
		if (call.file != mount_number)
			refused(call, -ESTALE);
	call = a_call(len, ALL + 1);
	refused(call, -EINVAL);
	call = a_call(len, ROOM);
	call.data = ALL;
	refused(call, -EINVAL);
	call.data = UINT64_MAX;
	refused(call, -EINVAL);
	call = a_call(len, len - 1);
	refused(call, -EINVAL);
	for (call = a_call(0, ROOM); call.count < len; call.count++)
		refused(call, -EPROTO);
	call.count = len + 1;
	refused(call, -EPROTO);
	msg_free(&m);
}

/* Requests that are none end the connection; a new one has another number. */
static void test_malformed(void **state)
{
	static const unsigned int none[] = { CCFS_HELLO, CCFS_PING, CCFS_FORGET, CCFS_DROP };
	struct sharedpc_call call;
	struct msg m = { 0 };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		start(&m, none[i], CCFS_ROOT, &root);
		call = a_call(place(&m), ROOM);
		assert_int_equal(run(&call), 0);
		assert_int_equal(msg_copy_in(&m, (char *)proxy.bounce + AT, said.result), 0);
		assert_int_equal(m.head.error, -EPROTO);
		assert_int_equal(msg_recv(conn, &m), -ENOTCONN);
		connect_anew();
		refused(call, -ESTALE);
	}
	msg_free(&m);
}

static atomic_bool flipped_enough;

/* The client writes to its buffers while the proxy reads. */
static void *flip(void *arg)
{
	struct ccfs_header *head = arg;

	for (uint32_t i = 0; !flipped_enough; i++) {
		__atomic_store_n(&head->len, i % 2 ? UINT32_MAX : 52, __ATOMIC_RELAXED);
		__atomic_store_n((uint32_t *)(head + 1) + 4, i % 3 ? 0 : 60000,
				 __ATOMIC_RELAXED);	/* ngroups */
	}
	return NULL;
}

static void test_changing(void **state)
{
	void *at = (char *)proxy.bounce + AT;
	struct sharedpc_call call;
	struct msg m = { 0 };
	pthread_t thread;
	int well = 0;

	start(&m, CCFS_GETATTR, CCFS_ROOT, &root);
	call = a_call(place(&m), ROOM);
	assert_int_equal(pthread_create(&thread, NULL, flip, at), 0);
	while (well < 1000) {
		call.file = mount_number;
		start(&m, CCFS_GETATTR, CCFS_ROOT, &root);
		place(&m);
		if (!run(&call))
			well++;
		else if (said.error == -ESTALE)	/* it was taken for malformed */
			connect_anew();
	}
	flipped_enough = true;
	pthread_join(thread, NULL);
	msg_free(&m);
}

static int setup_asked(void **state)
{
	setup_proxy(false);
	proxy.bounce = calloc(1, ALL);
	assert_non_null(proxy.bounce);
	connect_anew();
	return 0;
}

static int teardown_asked(void **state)
{
	free(proxy.bounce);
	return teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_changing),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, setup_asked, teardown_asked);
}
