// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-save.c - files that are replaced whole, and put back
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <cmocka.h>

#include "boot/text/save.h"

static char dir[32], path[64], old[64];

static int put(FILE *out, const void *data)
{
	return fputs(data, out) < 0 ? -EIO : 0;
}

static int put_half(FILE *out, const void *data)
{
	return fputs(data, out) < 0 ? -EIO : -ENOSPC;
}

static void holds(const char *file, const char *want)
{
	char text[64] = "";
	FILE *in = fopen(file, "re");

	if (!want) {
		assert_null(in);
		return;
	}
	assert_non_null(in);
	assert_non_null(fgets(text, sizeof(text), in));
	fclose(in);
	assert_string_equal(text, want);
}

static int setup(void **state)
{
	strcpy(dir, "/tmp/test-save-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/plan", dir);
	snprintf(old, sizeof(old), "%s/plan.old", dir);
	return 0;
}

static int teardown(void **state)
{
	unlink(path);
	unlink(old);
	return rmdir(dir);
}

static void test_taken_back(void **state)
{
	assert_int_equal(save_file(path, put, "one"), 0);
	assert_int_equal(save_keep(path), 0);
	assert_int_equal(save_file(path, put, "two"), 0);
	holds(path, "two");
	holds(old, "one");
	assert_int_equal(save_restore(path), 0);
	holds(path, "one");
	holds(old, NULL);
}

/* Kept, but never replaced: both names are of one file. */
static void test_not_replaced(void **state)
{
	assert_int_equal(save_file(path, put, "one"), 0);
	assert_int_equal(save_keep(path), 0);
	assert_int_equal(save_file(path, put_half, "two"), -ENOSPC);
	assert_int_equal(save_restore(path), 0);
	holds(path, "one");
	assert_int_equal(save_keep(path), 0);
	assert_int_equal(save_file(path, put, "two"), 0);
	holds(old, "one");
}

/* What was not there is not there again, whatever an earlier time kept. */
static void test_first(void **state)
{
	assert_int_equal(save_file(old, put, "of an earlier time"), 0);
	assert_int_equal(save_keep(path), 0);
	holds(old, NULL);
	assert_int_equal(save_file(path, put, "one"), 0);
	assert_int_equal(save_restore(path), 0);
	holds(path, NULL);
	assert_int_equal(save_restore(path), 0);
}

static void test_no_directory(void **state)
{
	char deep[96];

	snprintf(deep, sizeof(deep), "%s/not/there", dir);
	assert_int_equal(save_keep(deep), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_taken_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_directory, setup, teardown),
	};

	return cmocka_run_group_tests_name("save", tests, NULL, NULL);
}
