// SPDX-License-Identifier: GPL-2.0-only
/*
 * truncated.c - what a mapping of a file shows when the file is cut or removed
 *
 *	truncated fill FILE PAGES	a file of that many pages, all 0xff but word 0
 *	truncated cut FILE SIZE		map all, touch all; wait until word 0 says
 *					that the file was cut: then SIGBUS comes past
 *					SIZE, and the tail of its page is zero
 *	truncated gone FILE		map all, touch the first; wait until the name
 *					is gone; then all pages still have their bytes
 *
 * Who waits adds one to word 0 of the file when it has mapped and touched; who
 * has cut it adds CUT.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECONDS	60
#define CUT	1000
#define PAGE	4096L

static sigjmp_buf past_end;

static void on_sigbus(int sig)
{
	siglongjmp(past_end, 1);
}

static int fail(const char *what)
{
	fprintf(stderr, "truncated: %s: %s\n", what, strerror(errno));
	return 1;
}

/* The byte, or -1 for SIGBUS. */
static int look(const volatile uint8_t *p)
{
	if (sigsetjmp(past_end, 1))
		return -1;
	return *p;
}

static int fill(const char *name, long pages)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0666);
	uint8_t page[PAGE];

	if (fd < 0)
		return fail(name);
	for (long i = 0; i < pages; i++) {
		memset(page, 0xff, PAGE);
		if (!i)
			memset(page, 0, 8);
		if (write(fd, page, PAGE) != PAGE)
			return fail("write");
	}
	return close(fd) ? fail("close") : 0;
}

static uint8_t *map(const char *name, long *size)
{
	int fd = open(name, O_RDWR);
	struct stat st;
	uint8_t *p;

	if (fd < 0 || fstat(fd, &st))
		return NULL;
	*size = st.st_size;
	p = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);		/* the map alone keeps it */
	return p == MAP_FAILED ? NULL : p;
}

static void touched(uint8_t *p)
{
	__atomic_fetch_add((uint64_t *)p, 1, __ATOMIC_RELEASE);
}

static int cut(uint8_t *p, long size, long cut)
{
	long end = (cut + PAGE - 1) & ~(PAGE - 1);
	time_t until = time(NULL) + SECONDS;

	for (long at = PAGE - 1; at < size; at += PAGE)
		if (look(p + at) != 0xff)
			return fail("a page is not full");
	touched(p);
	while (__atomic_load_n((uint64_t *)p, __ATOMIC_ACQUIRE) < CUT) {
		if (time(NULL) > until)
			return fail("nobody cuts the file");
		usleep(1000);
	}
	for (long at = end; at < size; at += PAGE)
		if (look(p + at) >= 0)
			return fail("a page past the end is there");
	for (long at = cut; at < end; at++)
		if (look(p + at) != 0)
			return fail("the tail is not zero");
	return look(p + cut - 1) == 0xff ? 0 : fail("what is left was lost");
}

static int gone(const char *name, uint8_t *p, long size)
{
	time_t until = time(NULL) + SECONDS;
	struct stat st;

	touched(p);
	while (!stat(name, &st)) {
		if (time(NULL) > until)
			return fail("the name does not go");
		usleep(1000);
	}
	for (long at = 8; at < size; at++)
		if (look(p + at) != 0xff)
			return fail("a byte was lost");
	return 0;
}

int main(int argc, char **argv)
{
	uint8_t *p;
	long size;

	if (argc > 3 && !strcmp(argv[1], "fill"))
		return fill(argv[2], atol(argv[3]));
	if (argc < 3)
		return 2;
	signal(SIGBUS, on_sigbus);
	p = map(argv[2], &size);
	if (!p)
		return fail(argv[2]);
	if (argc > 3 && !strcmp(argv[1], "cut"))
		return cut(p, size, atol(argv[3]));
	if (!strcmp(argv[1], "gone"))
		return gone(argv[2], p, size);
	return 2;
}
