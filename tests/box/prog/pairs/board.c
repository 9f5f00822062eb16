// SPDX-License-Identifier: GPL-2.0-only
/* board.c - how the two talk: words in a file that both have mapped */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "pairs.h"

#define COLD_SPINS	20	/* before it sleeps between looks */
#define HOT_SPINS	20000
#define NAP_US		100

struct board *board_open(const char *file)
{
	int fd = open(file, O_RDWR | O_CLOEXEC);
	struct board *b;

	if (fd < 0)
		return NULL;
	b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return b == MAP_FAILED ? NULL : b;
}

/* What was written before can be read by who sees the word (board_wait). */
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

int board_wait(const uint64_t *word, uint64_t value, const uint64_t *end, bool hot)
{
	const unsigned int spins = hot ? HOT_SPINS : COLD_SPINS;
	const time_t until = now() + WAIT_S;

	for (unsigned int n = 0; __atomic_load_n(word, __ATOMIC_ACQUIRE) != value; n++) {
		if (end && __atomic_load_n(end, __ATOMIC_ACQUIRE))
			return -ECANCELED;
		if (n < spins)
			sched_yield();
		else if (now() > until)
			return -ETIMEDOUT;
		else
			usleep(NAP_US);
	}
	return 0;
}
