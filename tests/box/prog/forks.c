// SPDX-License-Identifier: GPL-2.0-only
/*
 * forks.c - which PIDs are given
 *
 *	forks give MAP N	N processes, one after the other, each PID of theirs a bit of
 *				MAP: "N FIRST LAST" with the smallest and the largest one
 *	forks common MAP MAP	how many are in both
 *
 * Status 1: errors.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIDS	(4 << 20)	/* pid_max at most */

static uint64_t *map_file(const char *path, int flags)
{
	int fd = open(path, flags, 0666);
	uint64_t *map = MAP_FAILED;

	if (fd >= 0 && (!(flags & O_CREAT) || !ftruncate(fd, PIDS / 8)))
		map = mmap(NULL, PIDS / 8, flags & O_CREAT ? PROT_READ | PROT_WRITE : PROT_READ,
			   MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		fprintf(stderr, "forks: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	close(fd);
	return map;
}

static pid_t one(void)
{
	pid_t pid = vfork();

	if (!pid)
		_exit(0);
	return pid;
}

static int give(uint64_t *map, long n)
{
	pid_t first = PIDS, last = 0;

	for (long i = 0; i < n; i++) {
		pid_t pid = one();

		if (pid < 0 || pid >= PIDS || waitpid(pid, NULL, 0) != pid) {
			perror("forks: vfork");
			return 1;
		}
		map[pid / 64] |= 1ULL << pid % 64;
		first = pid < first ? pid : first;
		last = pid > last ? pid : last;
	}
	printf("%ld %d %d\n", n, first, last);
	return 0;
}

static int common(const uint64_t *a, const uint64_t *b)
{
	long n = 0;

	for (long i = 0; i < PIDS / 64; i++)
		n += __builtin_popcountll(a[i] & b[i]);
	printf("%ld\n", n);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "give"))
		return give(map_file(argv[2], O_RDWR | O_CREAT | O_TRUNC), atol(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "common"))
		return common(map_file(argv[2], O_RDONLY), map_file(argv[3], O_RDONLY));
	fprintf(stderr, "forks: what?\n");
	return 1;
}
