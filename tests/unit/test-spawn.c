// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-spawn.c - programs that ccctl runs, and those that do not end
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "boot/host/spawn.h"

static char buf[32];

static int shell(const char *command, unsigned int seconds)
{
	const char *argv[] = { "sh", "-c", command, NULL };

	return spawn_output(argv, seconds, buf, sizeof(buf));
}

static void test_output(void **state)
{
	const char *none[] = { "no-such-program-here", NULL };

	assert_int_equal(shell("echo out; echo err >&2; exit 3", 20), 3);
	assert_string_equal(buf, "out\nerr");
	assert_int_equal(shell("true", 20), 0);
	assert_string_equal(buf, "");
	assert_int_equal(shell("kill -TERM $$", 20), 128 + SIGTERM);
	assert_int_equal(spawn_output(none, 20, buf, sizeof(buf)), 127);
}

/* More than fits is read all the same: the program is not held up by it. */
static void test_long(void **state)
{
	assert_int_equal(shell("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done; exit 4",
			       60), 4);
	assert_int_equal(strlen(buf), sizeof(buf) - 1);
	assert_memory_equal(buf, "0123456789\n01", 13);
}

static void hangs(const char *command)
{
	time_t t0 = time(NULL);

	assert_int_equal(shell(command, 1), SPAWN_TIMEOUT);
	assert_string_equal(buf, "sh did not end within 1 s");
	assert_true(time(NULL) - t0 < 10);
}

static void test_hangs(void **state)
{
	hangs("exec sleep 30");
	hangs("exec >&- 2>&-; exec sleep 30");
	hangs("sleep 30");
	hangs("trap '' TERM INT; while :; do echo y; sleep 0.1; done");
}

/* What the program has started is killed with it: mount(8) has helpers. */
static void test_helpers(void **state)
{
	char file[] = "/tmp/test-spawn-XXXXXX", command[96];
	FILE *in;
	int fd = mkstemp(file), pid = 0;

	assert_true(fd >= 0);
	close(fd);
	snprintf(command, sizeof(command), "sleep 30 & echo $! >%s; wait", file);
	hangs(command);
	in = fopen(file, "re");
	assert_non_null(in);
	assert_int_equal(fscanf(in, "%d", &pid), 1);
	fclose(in);
	unlink(file);
	/* An orphan, for init to reap: give it a little. */
	for (int i = 0; i < 100 && !kill(pid, 0); i++) {
		char path[32], comm[256] = "";

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		in = fopen(path, "re");
		if (!in || !fgets(comm, sizeof(comm), in) || strstr(comm, ") Z"))
			i = 100;
		if (in)
			fclose(in);
		assert_true(i != 99);
		usleep(20 * 1000);
	}
}

/* A daemon that was started and not noted is found by its socket. */
static void test_socket_owner(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/test-spawn-XXXXXX";
	int fd, ready[2];
	pid_t pid;
	char c;

	assert_non_null(mkdtemp(dir));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", dir);
	assert_int_equal(socket_owner(addr.sun_path), 0);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
		    listen(fd, 1) || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(socket_owner(addr.sun_path), pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(socket_owner(addr.sun_path), 0);
	close(ready[0]);
	close(ready[1]);
	unlink(addr.sun_path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_helpers),
		cmocka_unit_test(test_socket_owner),
	};

	return cmocka_run_group_tests_name("spawn", tests, NULL, NULL);
}
