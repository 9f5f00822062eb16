// SPDX-License-Identifier: GPL-2.0-only
/*
 * board.c - how writer and lookers talk: words in a file that all have mapped
 *
 * A store with release says that what was written before may be read; the load
 * with acquire that sees it pairs with that.  Futexes do not reach other
 * images, so who waits polls.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "coherent.h"

#define SPINS	50	/* before it sleeps between looks */
#define NAP_US	200

struct board *board_open(const char *file)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct board *b;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) ||
	    (st.st_size < (off_t)sizeof(*b) && ftruncate(fd, sizeof(*b))))
		return NULL;
	b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return b == MAP_FAILED ? NULL : b;
}

void board_say(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

int board_wait(const uint64_t *word, uint64_t value, const uint64_t *end)
{
	time_t until = now() + WAIT_S;

	for (unsigned int n = 0; __atomic_load_n(word, __ATOMIC_ACQUIRE) != value; n++) {
		if (end && __atomic_load_n(end, __ATOMIC_ACQUIRE))
			return -ECANCELED;
		if (n < SPINS)
			sched_yield();
		else if (now() > until)
			return -ETIMEDOUT;
		else
			usleep(NAP_US);
	}
	return 0;
}
