// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts of one client, seen from its proxy: many at the same time, exports
 * that are not what they were, connections that end in between.
 */
#include "proxy-test.h"

#define MOUNTERS	8
#define MOUNTS		40	/* of each */

/* Mounts and unmounts; asserts are for the main thread, so it counts. */
static void *mounter(void *arg)
{
	struct msg m = { 0 };
	long granted = 0;
	int fd;

	for (int i = 0; i < MOUNTS; i++) {
		fd = fresh();
		granted += !hello(fd, at(i % 2 ? "rw" : "ro"), CCFS_HELLO_RO, &m);
		close(fd);
	}
	msg_free(&m);
	return (void *)granted;
}

/* Each reads the configuration, whose parser is one for all. */
static void test_parallel(void **state)
{
	pthread_t threads[MOUNTERS];
	void *granted;

	for (int i = 0; i < MOUNTERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, mounter, NULL), 0);
	for (int i = 0; i < MOUNTERS; i++) {
		assert_int_equal(pthread_join(threads[i], &granted), 0);
		assert_int_equal((long)granted, MOUNTS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parallel),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
