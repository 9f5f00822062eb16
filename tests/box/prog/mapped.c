// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapped.c - one word of a file, by mmap and by calls
 *
 *	mapped load FILE OFFSET			print it, read through MAP_SHARED
 *	mapped store FILE OFFSET VALUE		through MAP_SHARED
 *	mapped read FILE OFFSET			print it, by pread
 *	mapped write FILE OFFSET VALUE		by pwrite
 *	mapped add FILE OFFSET COUNT [N]	COUNT atomic increments, begun together
 *						by N processes (in the word behind)
 *	mapped await FILE OFFSET VALUE		map, look, then wait for VALUE, 60 s
 *	mapped poll FILE OFFSET			pread until that fails, 100 s at most
 *	mapped private FILE OFFSET		stores through MAP_PRIVATE stay private
 *
 * Words have 8 bytes; OFFSET is a multiple of 8.  `await` adds one to the
 * word at OFFSET + 8 when it has mapped and looked, so that a test knows that
 * all who wait have the page before it is changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define AWAIT_SECONDS	60
#define POLL_SECONDS	100

struct word {
	int fd;
	off_t offset;
	uint64_t *p;		/* MAP_SHARED */
	uint64_t together;
};

static int fail(const char *what)
{
	fprintf(stderr, "mapped: %s: %s\n", what, strerror(errno));
	return 1;
}

static uint64_t *map(const struct word *w, int flags)
{
	off_t page = w->offset & ~4095L;
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, w->fd, page);

	return p == MAP_FAILED ? NULL : (uint64_t *)(p + (w->offset - page));
}

static int load(struct word *w, uint64_t value)
{
	printf("%llu\n", (unsigned long long)__atomic_load_n(w->p, __ATOMIC_ACQUIRE));
	return 0;
}

static int store(struct word *w, uint64_t value)
{
	__atomic_store_n(w->p, value, __ATOMIC_RELEASE);
	return 0;
}

static int do_read(struct word *w, uint64_t value)
{
	if (pread(w->fd, &value, 8, w->offset) != 8)
		return fail("pread");
	printf("%llu\n", (unsigned long long)value);
	return 0;
}

static int do_write(struct word *w, uint64_t value)
{
	return pwrite(w->fd, &value, 8, w->offset) == 8 ? 0 : fail("pwrite");
}

/* Until all of @n processes have come here. */
static int meet(uint64_t *here, uint64_t n)
{
	time_t end = time(NULL) + AWAIT_SECONDS;

	__atomic_fetch_add(here, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(here, __ATOMIC_ACQUIRE) < n) {
		if (time(NULL) > end) {
			errno = ETIMEDOUT;
			return fail("add");
		}
		usleep(1000);
	}
	return 0;
}

static int add(struct word *w, uint64_t count)
{
	if (w->together && meet(w->p + 1, w->together))
		return 1;
	while (count--)
		__atomic_fetch_add(w->p, 1, __ATOMIC_RELAXED);
	return 0;
}

static int await(struct word *w, uint64_t value)
{
	time_t end = time(NULL) + AWAIT_SECONDS;

	if (__atomic_load_n(w->p, __ATOMIC_ACQUIRE) == value) {
		fprintf(stderr, "mapped: the value was there before\n");
		return 1;
	}
	__atomic_fetch_add(w->p + 1, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(w->p, __ATOMIC_ACQUIRE) != value) {
		if (time(NULL) > end) {
			errno = ETIMEDOUT;
			return fail("await");
		}
		usleep(1000);
	}
	return 0;
}

static int poll(struct word *w, uint64_t value)
{
	time_t end = time(NULL) + POLL_SECONDS;

	printf("polling\n");
	fflush(stdout);
	while (pread(w->fd, &value, 8, w->offset) == 8) {
		if (time(NULL) > end)
			return 0;
		usleep(1000);
	}
	return fail("pread");
}

static int private(struct word *w, uint64_t value)
{
	uint64_t *p = map(w, MAP_PRIVATE), before = *w->p;

	if (!p)
		return fail("mmap private");
	if (*p != before)
		return fail("a private map shows something else");
	*p = before + 1;
	if (*p != before + 1 || *w->p != before)
		return fail("a private store is not private");
	return do_read(w, 0);
}

static const struct {
	const char *name;
	int (*run)(struct word *w, uint64_t value);
} commands[] = {
	{ "load", load }, { "store", store }, { "read", do_read },
	{ "write", do_write }, { "add", add }, { "await", await },
	{ "private", private }, { "poll", poll },
};

int main(int argc, char **argv)
{
	uint64_t value = argc > 4 ? strtoull(argv[4], NULL, 0) : 0;
	struct word w;

	if (argc < 4)
		return 2;
	w.fd = open(argv[2], O_RDWR | O_CLOEXEC);
	if (w.fd < 0)
		return fail(argv[2]);
	w.offset = strtoll(argv[3], NULL, 0);
	w.together = argc > 5 ? strtoull(argv[5], NULL, 0) : 0;
	w.p = map(&w, MAP_SHARED);
	if (!w.p)
		return fail("mmap");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(&w, value);
	return 2;
}
