// SPDX-License-Identifier: GPL-2.0-only
/*
 * handle.c - file handles, as name_to_handle_at() gives and open_by_handle_at() takes them
 *
 *	handle give PATH		the handle, on one line
 *	handle open MOUNT HANDLE	inode number, and what it is: its first line, or its path
 *	handle forge MOUNT HANDLE	every bit of it turned over, one by one: refused as stale?
 *
 * MOUNT is a directory on the mount. Status 1: the error is on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

union handle {
	struct file_handle h;
	char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

static int failed(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

static int give(const char *path)
{
	union handle u = { .h.handle_bytes = 0 };
	unsigned int bytes;
	int mount;

	/* Who asks with too little room is told how much it takes. */
	if (!name_to_handle_at(AT_FDCWD, path, &u.h, &mount, 0) || errno != EOVERFLOW)
		return failed("name_to_handle_at without room");
	bytes = u.h.handle_bytes;
	if (name_to_handle_at(AT_FDCWD, path, &u.h, &mount, 0))
		return failed("name_to_handle_at");
	if (bytes != u.h.handle_bytes) {
		fprintf(stderr, "%u bytes, not %u\n", u.h.handle_bytes, bytes);
		return 1;
	}
	printf("%x:", u.h.handle_type);
	for (unsigned int i = 0; i < bytes; i++)
		printf("%02x", u.h.f_handle[i]);
	puts("");
	return 0;
}

static int parse(const char *text, union handle *u)
{
	unsigned int byte;
	int n = 0;

	memset(u, 0, sizeof(*u));
	if (sscanf(text, "%x:%n", (unsigned int *)&u->h.handle_type, &n) != 1 || !n)
		return -1;
	for (text += n; *text; text += 2) {
		if (u->h.handle_bytes == MAX_HANDLE_SZ || sscanf(text, "%2x", &byte) != 1)
			return -1;
		u->h.f_handle[u->h.handle_bytes++] = byte;
	}
	return 0;
}

static int show(int mount, union handle *u)
{
	int fd = open_by_handle_at(mount, &u->h, O_PATH);
	char self[64], path[4096] = "", line[256] = "";
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return failed("open_by_handle_at");
	if (fstat(fd, &st))
		return failed("fstat");
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (S_ISREG(st.st_mode)) {
		close(fd);
		fd = open_by_handle_at(mount, &u->h, O_RDONLY);
		if (fd < 0)
			return failed("open_by_handle_at to read");
		n = read(fd, line, sizeof(line) - 1);
		if (n < 0)
			return failed("read");
		line[strcspn(line, "\n")] = '\0';
	} else if (S_ISLNK(st.st_mode)) {
		n = readlinkat(fd, "", line, sizeof(line) - 1);
		if (n < 0)
			return failed("readlinkat");
	} else if (readlink(self, path, sizeof(path) - 1) < 0) {
		return failed("readlink");
	}
	printf("%llu %s%s\n", (unsigned long long)st.st_ino, line, path);
	return 0;
}

static int forge(int mount, const union handle *u)
{
	unsigned int bits = u->h.handle_bytes * 8;
	union handle other;

	for (unsigned int i = 0; i < bits + 8; i++) {
		other = *u;
		if (i < bits)
			other.h.f_handle[i / 8] ^= 1 << i % 8;
		else
			other.h.handle_type ^= 1 << (i - bits);
		if (open_by_handle_at(mount, &other.h, O_PATH) >= 0) {
			fprintf(stderr, "bit %u turned over, and it is taken\n", i);
			return 1;
		}
		if (errno != ESTALE)
			return failed("open_by_handle_at");
	}
	/* Nor with words less, or more: the VFS counts in them. */
	for (unsigned int n = 0; n <= MAX_HANDLE_SZ; n += 4) {
		other = *u;
		other.h.handle_bytes = n;
		if (n != u->h.handle_bytes &&
		    open_by_handle_at(mount, &other.h, O_PATH) >= 0) {
			fprintf(stderr, "%u bytes of it are taken\n", n);
			return 1;
		}
	}
	printf("%u\n", bits);
	return 0;
}

int main(int argc, char **argv)
{
	union handle u;
	int mount;

	if (argc == 3 && !strcmp(argv[1], "give"))
		return give(argv[2]);
	if (argc != 4 || parse(argv[3], &u)) {
		fprintf(stderr, "usage: handle give PATH | open MOUNT HANDLE | forge MOUNT HANDLE\n");
		return 2;
	}
	mount = open(argv[2], O_RDONLY | O_DIRECTORY);
	if (mount < 0)
		return failed(argv[2]);
	return !strcmp(argv[1], "forge") ? forge(mount, &u) : show(mount, &u);
}
