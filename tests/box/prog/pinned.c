// SPDX-License-Identifier: GPL-2.0-only
/*
 * pinned.c - a page of a file that a pipe holds
 *
 *	pinned FILE HELD DRAIN
 *
 * maps FILE, puts its first page into a pipe without copying (vmsplice),
 * unmaps and closes the file, creates HELD, waits (60 s) for DRAIN to exist,
 * and takes the page out of the pipe.  Prints its first line.  With HELD of
 * the form +PATH it keeps the file mapped until DRAIN is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE		4096
#define AWAIT_MS	60000

static int fail(const char *what)
{
	fprintf(stderr, "pinned: %s: %s\n", what, strerror(errno));
	return 1;
}

static int await(const char *path)
{
	for (int ms = 0; ms < AWAIT_MS; ms += 20) {
		if (!access(path, F_OK))
			return 0;
		usleep(20000);
	}
	errno = ETIMEDOUT;
	return -1;
}

int main(int argc, char **argv)
{
	char page[PAGE + 1] = "";
	struct iovec iov;
	int p[2], fd, held;

	if (argc != 4)
		return 2;
	fd = open(argv[1], O_RDONLY);
	if (fd < 0 || pipe(p))
		return fail(argv[1]);
	iov.iov_len = PAGE;
	iov.iov_base = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (iov.iov_base == MAP_FAILED)
		return fail("mmap");
	if (vmsplice(p[1], &iov, 1, 0) != PAGE)
		return fail("vmsplice");
	close(fd);
	if (*argv[2] != '+')
		munmap(iov.iov_base, PAGE);
	held = creat(argv[2] + (*argv[2] == '+'), 0666);
	if (held < 0 || await(argv[3]))
		return fail("held");
	if (read(p[0], page, PAGE) != PAGE)
		return fail("read");
	printf("%.*s\n", (int)strcspn(page, "\n"), page);
	return 0;
}
