// SPDX-License-Identifier: GPL-2.0-only
/*
 * box-exec: runs a command in the box, from the host.
 *
 *   box-exec [-d DIR] [-t] [-q] [-e VAR=VALUE]... [-w DIR] [-T SECONDS]
 *            [--] COMMAND [ARG...]
 *
 * DIR has one unix socket per virtio port (port0, port1, ...); a port carries
 * one command at a time, so each has a lock file beside it, and box-exec takes
 * the first port that nobody else holds. The exit status is the command's, 255
 * if the connection failed. Built static: it runs on any host.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ccexec.h"
#include "exec.h"

#define MAX_ENV		256
#define RETRY_US	20000

static void usage(FILE *to)
{
	fputs("usage: box-exec [OPTIONS] [--] COMMAND [ARG...]\n"
	      "  -d DIR        where the sockets of the ports are (build/box/run)\n"
	      "  -e VAR=VALUE  add to the command's environment\n"
	      "  -w DIR        run the command in DIR\n"
	      "  -t            give it a terminal\n"
	      "  -n            nothing on stdin\n"
	      "  -q            do not probe the machine while the command runs\n"
	      "  -T SECONDS    give up after this long without an answer (60)\n",
	      to);
}

/* The lock of port @i: a descriptor, -EWOULDBLOCK, -ENOENT: no such port. */
static int lock_port(const char *dir, int i)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/port%d", dir, i);
	if (access(path, F_OK))
		return -errno;
	snprintf(path, sizeof(path), "%s/port%d.lock", dir, i);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return -EWOULDBLOCK;
	}
	return fd;
}

static int connect_port(const char *dir, int i)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, err;

	if (snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/port%d", dir, i) >=
	    (int)sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* A connection to a free port; waits while all are busy. */
static int find_port(const char *dir)
{
	for (;;) {
		int i, lock;

		for (i = 0; ; i++) {
			lock = lock_port(dir, i);
			if (lock >= 0)
				return connect_port(dir, i);	/* lock: until exit */
			if (lock != -EWOULDBLOCK)
				break;
		}
		if (!i || lock != -ENOENT)
			return lock;
		usleep(RETRY_US);
	}
}

int main(int argc, char **argv)
{
	const char *dir = "build/box/run";
	char *env[MAX_ENV + 1] = { NULL };
	struct exec_request rq = {
		.flags = CCEXEC_ENV_ADD, .envp = env, .port = true,
		.in = 0, .out = 1, .err = 2,
	};
	struct exec_result res;
	int opt, fd, n = 0;

	while ((opt = getopt(argc, argv, "+d:e:w:tnqT:h")) != -1) {
		switch (opt) {
		case 'd':
			dir = optarg;
			break;
		case 'e':
			if (n < MAX_ENV)
				env[n++] = optarg;
			break;
		case 'w':
			rq.cwd = optarg;
			break;
		case 't':
			rq.flags |= CCEXEC_TTY;
			break;
		case 'n':
			rq.in = -1;
			break;
		case 'q':
			rq.silence_ms = EXEC_NO_PING;
			break;
		case 'T':
			rq.silence_ms = strtoul(optarg, NULL, 10) * 1000;
			break;
		default:
			usage(opt == 'h' ? stdout : stderr);
			return opt == 'h' ? 0 : 255;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return 255;
	}
	rq.argv = argv + optind;
	fd = find_port(dir);
	if (fd < 0) {
		fprintf(stderr, "box-exec: the box does not run (%s: %s)\n", dir,
			strerror(-fd));
		return 255;
	}
	opt = exec_client_run(fd, &rq, &res);
	if (opt)
		fprintf(stderr, "box-exec: %s: %s\n", res.text, strerror(-opt));
	return res.status;
}
