/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * board.h - how programs on several images talk: words in a file that all have mapped
 *
 * A store with release says that what was written before may be read; the load with acquire
 * that sees it pairs with that.  Who waits polls: what is tested may not be needed for it.
 */
#ifndef BOARD_H
#define BOARD_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BOARD_NAP_US	100	/* between looks, after some spins */

/* The first @size bytes of @file, which is made as long; NULL with errno. */
static inline void *board_map(const char *file, size_t size)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;
	void *b;

	if (fd < 0 || fstat(fd, &st) || (st.st_size < (off_t)size && ftruncate(fd, size)))
		return NULL;
	b = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return b == MAP_FAILED ? NULL : b;
}

static inline void board_say(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline time_t board_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* 0; -ECANCELED: *@end has been said, if there is one; -ETIMEDOUT, after @seconds. */
static inline int board_await(const uint64_t *word, uint64_t value, const uint64_t *end,
			      unsigned int spins, unsigned int seconds)
{
	const time_t until = board_now() + seconds;

	for (unsigned int n = 0; __atomic_load_n(word, __ATOMIC_ACQUIRE) != value; n++) {
		if (end && __atomic_load_n(end, __ATOMIC_ACQUIRE))
			return -ECANCELED;
		if (n < spins)
			sched_yield();
		else if (board_now() > until)
			return -ETIMEDOUT;
		else
			usleep(BOARD_NAP_US);
	}
	return 0;
}

#endif
