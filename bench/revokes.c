// SPDX-License-Identifier: GPL-2.0-only
/*
 * revokes.c - what it takes to take a page back from several clients
 *
 *	bench-revokes hold FILE SLOT STOP	store to word SLOT of FILE's first page,
 *						again and again, until there is a file STOP
 *	bench-revokes punch FILE SLOTS N	punch that page out of FILE, N times, each time
 *						when all SLOTS have been stored to again
 *
 * punch prints "MEDIAN MIN", ns of one. 0 SLOTS: nobody is waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench/took.h"

#define PAGE		4096
#define TIMES_MAX	10000
#define PATIENCE_S	60

static uint64_t took[TIMES_MAX];

static volatile uint64_t *map(int fd)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static int hold(int fd, int slot, const char *stop)
{
	volatile uint64_t *word = map(fd);

	while (access(stop, F_OK)) {
		word[slot] = 1;
		usleep(500);
	}
	return 0;
}

static void await(const volatile uint64_t *word, int slots)
{
	const uint64_t end = now() + PATIENCE_S * 1000000000ULL;

	for (int i = 0; i < slots; ) {
		if (word[i]) {
			i++;
			continue;
		}
		if (now() > end) {
			errno = ETIMEDOUT;
			die("the other side");
		}
		usleep(100);
	}
}

static int punch(int fd, int slots, int n)
{
	volatile uint64_t *word = map(fd);

	if (n < 1 || n > TIMES_MAX)
		return 2;
	for (int i = 0; i < n; i++) {
		uint64_t begin;

		word[slots] = 1;	/* here as well */
		await(word, slots);
		begin = now();
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE))
			die("fallocate");
		took[i] = now() - begin;
	}
	return took_show(took, n);
}

int main(int argc, char **argv)
{
	int fd = argc == 5 ? open(argv[2], O_RDWR) : -1;

	if (fd < 0) {
		fprintf(stderr, "usage: bench-revokes hold FILE SLOT STOP | punch FILE SLOTS N\n");
		return 2;
	}
	if (!strcmp(argv[1], "hold"))
		return hold(fd, atoi(argv[3]), argv[4]);
	return punch(fd, atoi(argv[3]), atoi(argv[4]));
}
