// SPDX-License-Identifier: GPL-2.0-only
/*
 * proxyd.c - the owner's daemon: see proxyd(8).
 *
 *	limits.c	what it needs of the kernel for itself
 *	listener.c	one process: takes connections ...
 *	children.c	... and has a process for each
 *	process.c	which serves a client image from a file system:
 *	  pass.c hello.c	whether it does, or which other one
 *	  life.c		how much it has to do, and when it may end
 *	  conn.c work.c		mounts and their requests
 *	  ops*.c node.c dir.c	names, attributes, opens
 *	  words.c		for how long they hold good
 *	  call.c fault.c	what the client's kernel asks for, by sharedpc.ko
 *	  touch.c		the fault of a store
 *	  file.c window.c	open files and the maps of them
 *	  later.c		what nobody needs to wait for
 *	  export.c cred.c	how far a client may go
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/conf/conf.h"
#include "proxyd/limits.h"
#include "proxyd/listener.h"
#include "proxyd_socket.h"

static const char usage[] =
"Usage: proxyd [--config FILE] [--socket PATH] [--image NAME]\n"
"\n"
"Serve the exports of this image (see proxyd(8)).\n"
"\n"
"  --config FILE   partitions.conf (default " CONF_DEFAULT_FILE ")\n"
"  --socket PATH   for mounts of this image (default " PROXYD_SOCKET ")\n"
"  --image NAME    for tests: be image NAME, without sharedpc.ko\n"
"  --help          this text\n";

static int parse(int argc, char **argv, struct listener_options *o)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "image", required_argument, NULL, 'i' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 's':
			o->socket = optarg;
			break;
		case 'i':
			o->image = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			return -EINVAL;
		}
	}
	return optind == argc ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct listener_options o = {
		.config = CONF_DEFAULT_FILE, .socket = PROXYD_SOCKET,
	};

	if (parse(argc, argv, &o)) {
		fputs(usage, stderr);
		return 2;
	}
	if (geteuid()) {
		fputs("proxyd: only root can do this\n", stderr);
		return 1;
	}
	/* Who started us may ignore it, which exec passes on: no waitpid() then. */
	signal(SIGCHLD, SIG_DFL);
	umask(0);
	mkdir("/run/ccluster", 0755);
	limits_raise(!o.image);
	return listener_run(&o) ? 1 : 0;
}
