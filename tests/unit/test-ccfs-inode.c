// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of open files, fs/inode.c: one backing id per node while anybody
 * has it open, each made and closed once, under many threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "fs/inode.h"

static atomic_int ids_made, ids_open, refuse;

static int make_id(void *arg, int fd)
{
	if (refuse)
		return -EPERM;
	ids_open++;
	return ++ids_made;
}

static void close_id(void *arg, int id)
{
	ids_open--;
}

static const struct backing_ops ops = { .open = make_id, .close = close_id };

static int null(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void one_id(void **state)
{
	int a = inode_open(5, 7, null(), &ops, NULL);
	int b = inode_open(5, 7, null(), &ops, NULL);
	int c = inode_open(6, 8, null(), &ops, NULL);

	assert_true(a > 0);
	assert_int_equal(a, b);
	assert_int_not_equal(a, c);
	inode_release(5, &ops, NULL);
	assert_int_equal(ids_open, 2);
	inode_release(5, &ops, NULL);
	assert_int_equal(ids_open, 1);
	assert_int_not_equal(inode_open(5, 9, null(), &ops, NULL), a);
	assert_int_equal(inode_open(5, 10, null(), &ops, NULL), -ESTALE);
	inode_release(5, &ops, NULL);
	inode_release(6, &ops, NULL);
	inode_release(6, &ops, NULL);	/* one too many does no harm */
	assert_int_equal(ids_open, 0);
	assert_int_equal(inode_count(), 0);
}

/* Open files need no descriptors of ours. */
static void no_descriptors(void **state)
{
	int before = null(), after;

	close(before);
	for (int i = 0; i < 100; i++)
		assert_true(inode_open(i, 1, null(), &ops, NULL) > 0);
	after = null();
	assert_int_equal(before, after);
	close(after);
	for (int i = 0; i < 100; i++)
		inode_release(i, &ops, NULL);
	assert_int_equal(ids_open, 0);
}

static void refused(void **state)
{
	refuse = 1;
	assert_int_equal(inode_open(5, 7, null(), &ops, NULL), -EPERM);
	refuse = 0;
	assert_int_equal(inode_count(), 0);
}

static void *open_and_release(void *arg)
{
	for (int i = 0; i < 3000; i++) {
		uint64_t node = i % 3;

		if (inode_open(node, 1, null(), &ops, NULL) <= 0)
			return "open failed";
		inode_release(node, &ops, NULL);
	}
	return NULL;
}

static void many(void **state)
{
	int before = null(), after;
	pthread_t t[8];
	void *ret;

	close(before);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&t[i], NULL, open_and_release,
						NULL), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(t[i], &ret);
		assert_null(ret);
	}
	assert_int_equal(ids_open, 0);
	assert_int_equal(inode_count(), 0);
	after = null();
	assert_int_equal(before, after);	/* no descriptor was left */
	close(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_id),
		cmocka_unit_test(no_descriptors),
		cmocka_unit_test(refused),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
