// SPDX-License-Identifier: GPL-2.0-only
/*
 * fill.c - take pages of a file until there are no more to be had
 *
 *	fill read FILE		by pread
 *	fill map FILE		one byte of each page, by MAP_SHARED
 *	fill hold FILE		the same, and then it stays until it is killed
 *
 * Prints how many pages there were and how it ended: "130000 pages, then No
 * space left on device", or "..., then SIGBUS".  Status 1 if there was no end
 * but the file's.  Static, because the text of programs has no more luck.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE	4096L

static sigjmp_buf back;

static void bus(int sig)
{
	siglongjmp(back, 1);
}

static long by_map(int fd, off_t size, const char **end)
{
	volatile const char *p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	volatile long n;

	if (p == MAP_FAILED) {
		*end = strerror(errno);
		return 0;
	}
	signal(SIGBUS, bus);
	*end = "SIGBUS";
	if (sigsetjmp(back, 1))
		return n;
	for (n = 0; n < size / PAGE; n++)
		(void)p[n * PAGE];
	*end = NULL;
	return n;
}

static long by_read(int fd, off_t size, const char **end)
{
	static char buf[256 * PAGE];
	off_t at = 0;
	ssize_t n;

	*end = NULL;
	while (at < size) {
		n = pread(fd, buf, sizeof(buf), at);
		if (n > 0) {
			at += n;
			continue;
		}
		*end = n ? strerror(errno) : "nothing more";
		break;
	}
	return at / PAGE;
}

int main(int argc, char **argv)
{
	const char *end;
	struct stat st;
	long n;
	int fd;

	if (argc != 3)
		return 2;
	fd = open(argv[2], O_RDONLY);
	if (fd < 0 || fstat(fd, &st)) {
		perror(argv[2]);
		return 2;
	}
	n = strcmp(argv[1], "read") ? by_map(fd, st.st_size, &end) :
				      by_read(fd, st.st_size, &end);
	printf("%ld pages, then %s\n", n, end ? end : "the end of the file");
	fflush(stdout);
	if (!strcmp(argv[1], "hold"))
		pause();
	return !end;
}
