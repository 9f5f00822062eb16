// SPDX-License-Identifier: GPL-2.0-only
/*
 * table.c - registers and their versions
 *
 * A version is filled in before `ended` names it, with release; who has loaded
 * `ended` with acquire may read it until RING versions later.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "random.h"

int table_open(const char *file, bool create, struct table **table)
{
	int fd = open(file, O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0), 0666);
	void *p;

	if (fd < 0 || (create && ftruncate(fd, sizeof(**table))))
		return -errno;
	p = mmap(NULL, sizeof(**table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return -errno;
	*table = p;
	return 0;
}

const struct state *reg_now(const struct table *t, uint32_t reg)
{
	return &t->regs[reg].ring[t->regs[reg].ended % RING];
}

time_t seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

int wait_for(const uint64_t *word, uint64_t value, unsigned int seconds)
{
	time_t until = seconds_now() + seconds;

	for (unsigned int n = 0; __atomic_load_n(word, __ATOMIC_ACQUIRE) < value; n++) {
		if (n < 20)
			sched_yield();
		else if (seconds_now() > until)
			return -ETIMEDOUT;
		else
			usleep(500);
	}
	return 0;
}

/* xorshift64* */
uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (*seed * 0x2545f4914f6cdd1dULL) >> 20;
}

struct state *change_begin(struct change *c, uint32_t reg)
{
	struct reg *r = &c->table->regs[reg];

	for (unsigned int i = 0; i < c->n; i++)
		if (c->regs[i] == reg)
			return &c->next[i];
	c->regs[c->n] = reg;
	c->next[c->n] = *reg_now(c->table, reg);
	/* Whoever sees anything of the change must see this before. */
	__atomic_store_n(&r->begun, r->ended + 1, __ATOMIC_SEQ_CST);
	return &c->next[c->n++];
}

void change_end(struct change *c, bool done)
{
	struct reg *r;

	for (unsigned int i = 0; i < c->n; i++) {
		r = &c->table->regs[c->regs[i]];
		r->ring[(r->ended + 1) % RING] = done ? c->next[i] :
						 *reg_now(c->table, c->regs[i]);
		__atomic_store_n(&r->ended, r->ended + 1, __ATOMIC_SEQ_CST);
	}
}
