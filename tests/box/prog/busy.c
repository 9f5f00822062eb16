// SPDX-License-Identifier: GPL-2.0-only
/*
 * busy.c - what a client asks of its owner, all of it, and whether it is right
 *
 *	busy DIR N STOP		N processes work in directories of their own in DIR until
 *				there is a file STOP
 *
 * Each creates a file, writes and maps it, stores, has that written back, reads it again,
 * cuts it short while a pipe holds one of its pages, makes a hole in it, appends to it, renames and removes it;
 * and looks after each step whether what it sees is what it did, once. Says which step went wrong and
 * ends with 1; else "N rounds".
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	4096
#define PAGES	4

static unsigned int round_nr;
static int pipes[2];

static void __attribute__((noreturn)) wrong(const char *what)
{
	printf("round %u: %s: %s\n", round_nr, what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

static void must(int good, const char *what)
{
	if (!good)
		wrong(what);
}

static void fill(uint32_t *page, uint32_t seed)
{
	for (uint32_t i = 0; i < PAGE / 4; i++)
		page[i] = seed * 2654435761u + i;
}

static int same(const uint32_t *page, uint32_t seed)
{
	uint32_t want[PAGE / 4];

	fill(want, seed);
	errno = EBADMSG;
	return !memcmp(page, want, PAGE);
}

static void has_size(const char *name, off_t size)
{
	struct stat st;

	must(!stat(name, &st), "stat");
	errno = ERANGE;
	must(st.st_size == size, "size");
}

/* What is written is read and mapped. */
static void written(int fd, uint32_t seed)
{
	uint32_t page[PAGE / 4];

	for (int i = 0; i < PAGES; i++) {
		fill(page, seed + i);
		must(pwrite(fd, page, PAGE, i * PAGE) == PAGE, "write");
	}
	for (int i = 0; i < PAGES; i++) {
		must(pread(fd, page, PAGE, i * PAGE) == PAGE, "read");
		must(same(page, seed + i), "what was written");
	}
}

/* A page that a pipe holds stays what it is, though the file gets shorter. */
static void cut_short(int fd, uint32_t *map, uint32_t seed)
{
	struct iovec iov = { map + (PAGES - 1) * PAGE / 4, PAGE };
	uint32_t page[PAGE / 4];

	must(vmsplice(pipes[1], &iov, 1, 0) == PAGE, "vmsplice");
	must(!ftruncate(fd, (PAGES - 1) * PAGE), "truncate");
	/* Another page there goes as well, while the pipe still has the first. */
	must(!ftruncate(fd, PAGES * PAGE), "truncate");
	errno = EBADMSG;
	must(!map[(PAGES - 1) * PAGE / 4], "a new page");
	map[(PAGES - 1) * PAGE / 4] = seed + 1;
	must(!ftruncate(fd, (PAGES - 1) * PAGE), "truncate");
	must(read(pipes[0], page, PAGE) == PAGE, "pipe");
	must(same(page, seed), "what the pipe had");
}

/* A hole in the middle of what is mapped. */
static void hole(uint32_t *map, uint32_t seed)
{
	must(!madvise(map + PAGE / 4, PAGE, MADV_REMOVE), "hole");
	errno = EBADMSG;
	for (uint32_t i = 0; i < PAGE / 4; i++)
		must(!map[PAGE / 4 + i], "what is in the hole");
	must(same(map, seed), "what is before the hole");
}

/* Each write once: a second one would show. */
static void appended(uint32_t seed)
{
	uint32_t page[PAGE / 4];
	int fd = open("f", O_WRONLY | O_APPEND);

	must(fd >= 0, "open to append");
	for (int i = 0; i < 3; i++) {
		fill(page, seed + i);
		must(write(fd, page, PAGE) == PAGE, "append");
	}
	must(!close(fd), "close");
	has_size("f", (PAGES - 1 + 3) * PAGE);
	must(!truncate("f", (PAGES - 1) * PAGE), "truncate");
}

static void work(void)
{
	const uint32_t seed = round_nr * 16;
	uint32_t *map;
	int fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0600);

	must(fd >= 0, "create");
	written(fd, seed);
	has_size("f", PAGES * PAGE);
	map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED, "mmap");
	for (int i = 0; i < PAGES; i++) {
		must(same(map + i * PAGE / 4, seed + i), "what is mapped");
		fill(map + i * PAGE / 4, seed + 8 + i);
	}
	must(!msync(map, PAGES * PAGE, MS_SYNC), "msync");
	must(!fsync(fd), "fsync");
	for (int i = 0; i < PAGES; i++)
		must(same(map + i * PAGE / 4, seed + 8 + i), "what was stored");
	cut_short(fd, map, seed + 8 + PAGES - 1);
	has_size("f", (PAGES - 1) * PAGE);
	hole(map, seed + 8);
	appended(seed);
	must(!munmap(map, PAGES * PAGE), "munmap");
	must(!close(fd), "close");
	must(!rename("f", "g"), "rename");
	errno = EEXIST;
	must(access("f", F_OK) && errno == ENOENT, "the old name");
	has_size("g", (PAGES - 1) * PAGE);
	must(!unlink("g"), "unlink");
	errno = EEXIST;
	must(access("g", F_OK) && errno == ENOENT, "a removed name");
}

static void process(int n, const char *stop)
{
	char name[16];

	snprintf(name, sizeof(name), "busy-%d", n);
	must(!mkdir(name, 0700) && !chdir(name), "directory");
	must(!pipe(pipes), "pipe");
	for (; access(stop, F_OK); round_nr++)
		work();
	must(!chdir("..") && !rmdir(name), "removed directory");
	printf("%u rounds\n", round_nr);
	fflush(stdout);
	_exit(!round_nr);
}

int main(int argc, char **argv)
{
	int n = argc == 4 ? atoi(argv[2]) : 0, status, failed = 0;

	if (n < 1 || chdir(argv[1])) {
		fprintf(stderr, "busy: where, and how many?\n");
		return 2;
	}
	signal(SIGTERM, SIG_IGN);
	for (int i = 0; i < n; i++) {
		switch (fork()) {
		case -1:
			wrong("fork");
		case 0:
			signal(SIGTERM, SIG_DFL);
			process(i, argv[3]);
		}
	}
	while (wait(&status) > 0) {
		failed |= status;
		if (failed)
			kill(0, SIGTERM);	/* the others need not go on */
	}
	return !!failed;
}
