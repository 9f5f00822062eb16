// SPDX-License-Identifier: GPL-2.0-only
/*
 * The codec of ccfs_proto.h, lib/msg.c: what is written is read back; what is
 * truncated, too long or mutated is refused and never read outside (the
 * sanitizers watch).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "msg.h"

#define MUTATIONS	100000

/* @len bytes at @p as a peer might send them, then the end of the stream. */
static int receive(const void *p, size_t len, struct msg *m)
{
	int pair[2], ret;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[0], p, len), len);
	close(pair[0]);
	ret = msg_recv(pair[1], m);
	close(pair[1]);
	return ret;
}

/* A LOOKUP of "name" by a user with two groups, as bytes. */
static size_t sample(uint8_t *buf, size_t room)
{
	struct ccfs_cred cred = { .uid = 1000, .gid = 100, .umask = 022, .ngroups = 2 };
	uint32_t groups[2] = { 4, 24 };
	struct msg m = { 0 };
	size_t len;

	msg_start(&m, CCFS_LOOKUP, 7, CCFS_ROOT);
	msg_put(&m, &cred, sizeof(cred));
	msg_put(&m, groups, sizeof(groups));
	msg_put_str(&m, "name", 4);
	m.head.len = sizeof(m.head) + m.len;
	len = m.head.len;
	assert_true(len <= room);
	memcpy(buf, &m.head, sizeof(m.head));
	memcpy(buf + sizeof(m.head), m.data, m.len);
	msg_free(&m);
	return len;
}

static void test_round_trip(void **state)
{
	char name[CCFS_NAME_MAX + 1];
	struct ccfs_cred cred;
	struct msg m = { 0 };
	uint32_t *groups;
	uint8_t buf[256];
	size_t len = sample(buf, sizeof(buf));

	assert_int_equal(receive(buf, len, &m), 0);
	assert_int_equal(m.head.op, CCFS_LOOKUP);
	assert_int_equal(m.head.id, 7);
	assert_int_equal(m.head.node, CCFS_ROOT);
	assert_int_equal(msg_get_cred(&m, &cred, &groups), 0);
	assert_int_equal(cred.uid, 1000);
	assert_int_equal(groups[1], 24);
	assert_int_equal(msg_end(&m), -EPROTO);
	assert_int_equal(msg_get_name(&m, name), 0);
	assert_string_equal(name, "name");
	assert_int_equal(msg_end(&m), 0);
	free(groups);
	msg_free(&m);
}

static void test_truncated(void **state)
{
	struct msg m = { 0 };
	uint8_t buf[256];
	size_t len = sample(buf, sizeof(buf));

	assert_int_equal(receive(buf, 0, &m), -ENOTCONN);
	for (size_t n = 1; n < len; n++)
		assert_int_equal(receive(buf, n, &m), -EPROTO);
	msg_free(&m);
}

static void test_header(void **state)
{
	struct ccfs_header *head, good;
	struct msg m = { 0 };
	uint8_t buf[256] __attribute__((aligned(8)));
	size_t len = sample(buf, sizeof(buf));

	head = (struct ccfs_header *)buf;
	good = *head;
#define REFUSED(field, value) do {					\
		*head = good;						\
		head->field = value;					\
		assert_int_equal(receive(buf, len, &m), -EPROTO);	\
	} while (0)
	REFUSED(magic, 0);
	REFUSED(len, 0);
	REFUSED(len, sizeof(*head) - 1);
	REFUSED(len, CCFS_MSG_MAX + 1);
	REFUSED(len, UINT32_MAX);
	REFUSED(op, 0);
	REFUSED(op, CCFS_OPS);
	REFUSED(reserved, 1);
	REFUSED(id, 0);
	REFUSED(error, 1);
	REFUSED(error, -4096);
#undef REFUSED
	msg_free(&m);
}

static void name_is(const char *name, size_t len, int ret)
{
	char got[CCFS_NAME_MAX + 1];
	struct msg m = { 0 };

	msg_start(&m, CCFS_LOOKUP, 1, 1);
	msg_put_str(&m, name, len);
	assert_int_equal(msg_get_name(&m, got), ret);
	msg_free(&m);
}

static void test_names(void **state)
{
	char longest[CCFS_NAME_MAX + 1];

	memset(longest, 'x', sizeof(longest));
	name_is("a", 1, 0);
	name_is("...", 3, 0);
	name_is("\xff\n", 2, 0);
	name_is(longest, CCFS_NAME_MAX, 0);
	name_is(longest, CCFS_NAME_MAX + 1, -EPROTO);
	name_is("", 0, -EPROTO);
	name_is(".", 1, -EPROTO);
	name_is("..", 2, -EPROTO);
	name_is("a/b", 3, -EPROTO);
	name_is("/", 1, -EPROTO);
	name_is("a\0b", 3, -EPROTO);
}

static void test_strings(void **state)
{
	uint32_t huge = UINT32_MAX;
	struct msg m = { 0 };
	char *s = NULL;

	msg_start(&m, CCFS_READLINK, 1, 1);
	msg_put(&m, &huge, sizeof(huge));
	assert_int_equal(msg_get_str(&m, CCFS_PATH_MAX, &s), -EPROTO);
	msg_start(&m, CCFS_READLINK, 1, 1);
	msg_put_str(&m, "abcd", 4);
	assert_int_equal(msg_get_str(&m, 3, &s), -EPROTO);
	msg_start(&m, CCFS_READLINK, 1, 1);
	msg_put_str(&m, "", 0);
	assert_int_equal(msg_get_str(&m, 3, &s), 0);
	assert_string_equal(s, "");
	free(s);
	msg_free(&m);
}

static void test_too_long(void **state)
{
	struct msg m = { 0 };
	int fds[2];

	msg_start(&m, CCFS_READDIR, 1, 1);
	assert_null(msg_put_room(&m, CCFS_MSG_MAX));
	assert_int_equal(m.error, -EMSGSIZE);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(msg_send(fds[0], &m), -EMSGSIZE);
	close(fds[0]);
	close(fds[1]);
	msg_free(&m);
}

/* Read @m in every way there is; only memory errors would be wrong. */
static void read_all_ways(struct msg *m)
{
	char name[CCFS_NAME_MAX + 1], *s = NULL;
	struct ccfs_cred cred;
	struct ccfs_setattr set;
	uint32_t *groups = NULL;
	const void *p;

	if (!msg_get_cred(m, &cred, &groups))
		msg_get_name(m, name);
	free(groups);
	m->pos = 0;
	if (!msg_get_str(m, CCFS_PATH_MAX, &s))
		free(s);
	m->pos = 0;
	msg_get(m, &set, sizeof(set));
	msg_get_data(m, SIZE_MAX, &p);
	msg_get_data(m, m->len - m->pos, &p);
	assert_int_equal(msg_end(m), 0);
}

static void test_mutations(void **state)
{
	uint8_t good[256], buf[300];
	size_t len = sample(good, sizeof(good)), n;
	struct msg m = { 0 };
	unsigned int seed = 1, taken = 0;

	for (int i = 0; i < MUTATIONS; i++) {
		memcpy(buf, good, len);
		for (int j = rand_r(&seed) % 4; j >= 0; j--)
			buf[rand_r(&seed) % len] = rand_r(&seed);
		n = rand_r(&seed) % 4 ? len : rand_r(&seed) % len;
		if (receive(buf, n, &m))
			continue;
		taken++;
		read_all_ways(&m);
	}
	/* Mutations that spare the header get this far. */
	assert_in_range(taken, MUTATIONS / 20, MUTATIONS);
	msg_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
