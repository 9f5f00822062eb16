// SPDX-License-Identifier: GPL-2.0-only
/*
 * prove.c - what make run shows: one file, several kernels, the same frames
 *
 *	ccprove pfn FILE PAGE...	physical frame number of each page
 *	ccprove sum FILE		64-bit FNV-1a of all bytes, through mmap
 *	ccprove add FILE TIMES PARTIES	wait until PARTIES are there, then add
 *					1 to the counter in page 0, TIMES times
 *	ccprove counter FILE		print that counter
 *	ccprove hold FILE SECONDS	map and touch all of it, stay that long
 *	ccprove cost FILE DIR		ns of faults and messages; DIR: a tmpfs
 *
 * Runs on any image; needs root for frame numbers (/proc/self/pagemap).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sharedpc_limits.h"

#define PAGE		4096UL
#define PFN_MASK	((1ULL << 55) - 1)
#define PRESENT		(1ULL << 63)

/* Page 0 of the counter's file; a cache line each. */
struct counter {
	_Atomic uint64_t value;
	char pad0[56];
	_Atomic uint64_t arrived;
	char pad1[56];
};

static void die(const char *what)
{
	fprintf(stderr, "ccprove: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void *map_file(const char *path, int prot, size_t *len)
{
	int fd = open(path, prot & PROT_WRITE ? O_RDWR : O_RDONLY);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	if (!st.st_size) {
		errno = ENODATA;
		die(path);
	}
	p = mmap(NULL, st.st_size, prot, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	close(fd);
	*len = st.st_size;
	return p;
}

static uint64_t pfn_of(const void *addr)
{
	static int fd = -1;
	uint64_t entry;

	if (fd < 0)
		fd = open("/proc/self/pagemap", O_RDONLY);
	if (fd < 0 || pread(fd, &entry, 8, (uintptr_t)addr / PAGE * 8) != 8)
		die("/proc/self/pagemap");
	if (!(entry & PRESENT) || !(entry & PFN_MASK)) {
		fprintf(stderr, "ccprove: pagemap has %#" PRIx64 ": no frame\n",
			entry);
		exit(1);
	}
	return entry & PFN_MASK;
}

static int cmd_pfn(char **args, int nr)
{
	size_t len;
	volatile char *p = map_file(args[0], PROT_READ, &len);

	for (int i = 1; i < nr; i++) {
		size_t off = strtoull(args[i], NULL, 0) * PAGE;

		if (off >= len) {
			errno = ERANGE;
			die(args[i]);
		}
		(void)p[off];
		printf("%s%#" PRIx64, i > 1 ? " " : "", pfn_of((char *)p + off));
	}
	puts("");
	return 0;
}

static int cmd_sum(char **args, int nr)
{
	uint64_t hash = 0xcbf29ce484222325ULL;
	size_t len, i;
	unsigned char *p = map_file(args[0], PROT_READ, &len);

	(void)nr;
	for (i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ULL;
	printf("%016" PRIx64 "\n", hash);
	return 0;
}

static int cmd_add(char **args, int nr)
{
	uint64_t times = strtoull(args[1], NULL, 0);
	uint64_t parties = strtoull(args[2], NULL, 0), start = now_ns();
	size_t len;
	struct counter *c = map_file(args[0], PROT_READ | PROT_WRITE, &len);

	(void)nr;
	atomic_fetch_add(&c->arrived, 1);
	while (atomic_load(&c->arrived) < parties) {
		if (now_ns() - start > LIMIT_PROVE_BARRIER_S * 1000000000ULL) {
			errno = ETIMEDOUT;
			die("the others did not come");
		}
		usleep(1000);
	}
	start = now_ns();
	while (times--)
		atomic_fetch_add(&c->value, 1);
	printf("%" PRIu64 "\n", now_ns() - start);
	return 0;
}

static int cmd_counter(char **args, int nr)
{
	size_t len;
	struct counter *c = map_file(args[0], PROT_READ, &len);

	(void)nr;
	printf("%" PRIu64 "\n", atomic_load(&c->value));
	return 0;
}

static int cmd_hold(char **args, int nr)
{
	size_t len, off;
	volatile char *p = map_file(args[0], PROT_READ, &len);

	(void)nr;
	for (off = 0; off < len; off += PAGE)
		(void)p[off];
	sleep(atoi(args[1]));
	return 0;
}

/* ns per page of touching all of a new mapping of @fd. */
static double touch(int fd, size_t len)
{
	volatile char *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	uint64_t start;
	size_t off;

	if (p == MAP_FAILED)
		die("mmap");
	start = now_ns();
	for (off = 0; off < len; off += PAGE)
		(void)p[off];
	start = now_ns() - start;
	munmap((void *)p, len);
	return (double)start / (len / PAGE);
}

static double tmpfs_touch(const char *dir, size_t len)
{
	char path[4096], buf[PAGE];
	double ns;
	size_t off;
	int fd;

	snprintf(path, sizeof(path), "%s/ccprove.XXXXXX", dir);
	fd = mkstemp(path);
	if (fd < 0)
		die(path);
	unlink(path);
	memset(buf, 1, sizeof(buf));
	for (off = 0; off < len; off += PAGE)
		if (write(fd, buf, PAGE) != (ssize_t)PAGE)
			die(path);
	ns = touch(fd, len);
	close(fd);
	return ns;
}

/* ns of one message to the proxy and back, as a program sees it: fstat(2). */
static double round_trip(int fd)
{
	const int rounds = 200;
	uint64_t start = now_ns();

	for (int i = 0; i < rounds; i++) {
		struct stat st;

		if (fstat(fd, &st))
			die("fstat");
	}
	return (double)(now_ns() - start) / rounds;
}

static int cmd_cost(char **args, int nr)
{
	int fd = open(args[0], O_RDONLY);
	struct stat st;
	size_t len;

	(void)nr;
	if (fd < 0 || fstat(fd, &st))
		die(args[0]);
	len = st.st_size / PAGE * PAGE;
	if (len > 16 << 20)
		len = 16 << 20;
	printf("first %.0f\n", touch(fd, len));
	printf("warm %.0f\n", touch(fd, len));
	printf("tmpfs %.0f\n", tmpfs_touch(args[1], len));
	printf("trip %.0f\n", round_trip(fd));
	return 0;
}

static const struct {
	const char *name;
	int min_args;
	int (*run)(char **args, int nr);
} commands[] = {
	{ "pfn", 2, cmd_pfn },
	{ "sum", 1, cmd_sum },
	{ "add", 3, cmd_add },
	{ "counter", 1, cmd_counter },
	{ "hold", 2, cmd_hold },
	{ "cost", 2, cmd_cost },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc > 1 && !strcmp(argv[1], commands[i].name) &&
		    argc - 2 >= commands[i].min_args)
			return commands[i].run(argv + 2, argc - 2);
	fprintf(stderr, "usage: ccprove pfn|sum|add|counter|hold|cost FILE [...]\n");
	return 2;
}
