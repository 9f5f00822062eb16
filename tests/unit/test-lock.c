// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-lock.c - the lock of the commands that change the box
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "boot/host/lock.h"

static char dir[] = "/tmp/test-lock-XXXXXX", path[64];
static int said;
static pid_t said_pid;

static void waiting(pid_t holder)
{
	said++;
	said_pid = holder;
}

/*
 * A process that holds the lock until it is killed; with @heir, it also runs a
 * program that outlives it.
 */
static pid_t hold(const char *heir)
{
	char go;
	int p[2];
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (!pid) {
		struct why why;

		if (lock_take(path, 5, waiting, &why))
			_exit(1);
		if (heir && !fork()) {
			execlp("sh", "sh", "-c", heir, NULL);
			_exit(127);
		}
		if (write(p[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(p[1]);
	assert_int_equal(read(p[0], &go, 1), 1);
	close(p[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Taken in a child, so that it is released again: 0 or -errno. */
static int take(unsigned int seconds)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct why why;

		_exit(-lock_take(path, seconds, waiting, &why));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static int setup(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/run/lock", dir);
	return 0;
}

static int teardown(void **state)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	return rmdir(dir);
}

static void test_again(void **state)
{
	assert_int_equal(take(0), 0);
	assert_int_equal(take(0), 0);
}

static void test_held(void **state)
{
	pid_t pid = hold(NULL);
	struct why why;
	char want[64];

	said = 0;
	assert_int_equal(lock_take(path, 1, waiting, &why), -ETIMEDOUT);
	assert_int_equal(said, 1);
	assert_int_equal(said_pid, pid);
	snprintf(want, sizeof(want), "another ccctl (pid %d)", pid);
	assert_ptr_equal(strstr(why.text, want), why.text);
	end(pid);
	assert_int_equal(take(0), 0);
}

/* The one that waits gets it when the holder dies. */
static void test_wait(void **state)
{
	pid_t pid = hold(NULL), killer = fork();

	if (!killer) {
		usleep(200 * 1000);
		kill(pid, SIGKILL);
		_exit(0);
	}
	assert_int_equal(take(20), 0);
	waitpid(killer, NULL, 0);
	end(pid);
}

static void test_not_inherited(void **state)
{
	end(hold("sleep 3"));
	usleep(200 * 1000);
	assert_int_equal(take(1), 0);
}

static void test_errors(void **state)
{
	struct why why;

	assert_int_equal(lock_take("/proc/version/lock", 0, waiting, &why),
			 -ENOTDIR);
	assert_ptr_equal(strstr(why.text, "/proc/version/lock: "), why.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_not_inherited),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests_name("lock", tests, setup, teardown);
}
