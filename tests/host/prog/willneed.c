// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wants a file read ahead, in both ways, then reads it: its first byte is
 * printed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	char c;

	if (fd < 0 || posix_fadvise(fd, 0, 1 << 20, POSIX_FADV_WILLNEED) ||
	    readahead(fd, 0, 1 << 20) || read(fd, &c, 1) != 1)
		return 1;
	putchar(c);
	return 0;
}
