// SPDX-License-Identifier: GPL-2.0-only
/*
 * adder.c - adds to counters in files that others map and add to as well
 *
 *	adder STOP FILE...
 *
 * Adds 1 to the first 8 bytes of each FILE in turn, atomically and through a
 * mapping, until there is a file STOP. Prints how often, as often to each. A FILE that
 * cannot be mapped, or is gone, ends it with 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILES_MAX	8
#define BATCH		256	/* turns between two looks for STOP */

static const char *at;		/* the file that is added to */

static void bus_error(int sig)
{
	static const char text[] = "SIGBUS at ";

	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0 ||
	    write(STDOUT_FILENO, at, strlen(at)) < 0)
		_exit(2);
	_exit(1);
}

static uint64_t *map(const char *path)
{
	int fd = open(path, O_RDWR);
	void *p = fd < 0 ? MAP_FAILED :
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		printf("%s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return p == MAP_FAILED ? NULL : p;
}

int main(int argc, char **argv)
{
	uint64_t *counter[FILES_MAX], added = 0;
	int n = argc - 2;

	if (n < 1 || n > FILES_MAX) {
		fprintf(stderr, "usage: adder STOP FILE...\n");
		return 2;
	}
	signal(SIGBUS, bus_error);
	for (int i = 0; i < n; i++) {
		counter[i] = map(argv[i + 2]);
		if (!counter[i])
			return 1;
	}
	while (access(argv[1], F_OK)) {
		for (int turn = 0; turn < BATCH; turn++, added++)
			for (int i = 0; i < n; i++) {
				at = argv[i + 2];
				__atomic_fetch_add(counter[i], 1, __ATOMIC_SEQ_CST);
			}
		usleep(10000);
	}
	printf("%llu\n", (unsigned long long)added);
	return 0;
}
