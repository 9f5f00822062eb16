// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccexecd: the exec server of an image.
 *
 *   ccexecd [--root DIR] --port DEV [--port DEV...]	virtio ports of the box
 *   ccexecd [--root DIR] --vsock PORT			connections of other images
 *
 * One process per port, one per vsock connection; the first process only
 * starts them, and starts a port's again should it end. The process of a vsock
 * connection dies with its command; SIGTERM ends everything.
 *
 * Whoever can reach it may run anything as root: on a port that is the host,
 * on vsock the boot image and the other images of the same box.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "ccexec.h"
#include "exec.h"
#include "sharedpc_limits.h"
#include "stream.h"


struct port {
	const char *path;
	pid_t pid;
};

static struct port ports[LIMIT_EXEC_PORTS];
static int nr_ports;
static struct exec_server server;

static void usage(FILE *to)
{
	fputs("usage: ccexecd [--root DIR] --port DEV [--port DEV...]\n"
	      "       ccexecd [--root DIR] --vsock PORT\n"
	      "Runs commands for the other end of the port or the connection.\n"
	      "  --root DIR    chroot the commands into DIR\n"
	      "  --port DEV    serve this virtio port (/dev/vport0p1)\n"
	      "  --vsock PORT  listen on this AF_VSOCK port (514 is ccctl's)\n",
	      to);
}

static void complain(const char *what, const char *arg, int error)
{
	fprintf(stderr, "ccexecd: %s %s: %s\n", what, arg, strerror(error));
}

/* Reset what the main process set up, die with it. */
static void become_server(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static void start_port(struct port *p)
{
	int fd, ret;

	p->pid = fork();
	if (p->pid)
		return;
	become_server();
	fd = open(p->path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		complain("cannot open", p->path, errno);
		_exit(1);
	}
	server.port = true;
	ret = exec_serve(fd, &server);
	complain("gave up", p->path, -ret);
	_exit(1);
}

static void __attribute__((noreturn)) serve_ports(void)
{
	for (int i = 0; i < nr_ports; i++)
		start_port(&ports[i]);
	for (;;) {
		pid_t pid = wait(NULL);

		for (int i = 0; i < nr_ports && pid > 0; i++) {
			if (ports[i].pid != pid)
				continue;
			sleep(1);
			start_port(&ports[i]);
		}
		if (pid < 0)
			sleep(1);
	}
}

static int serve_vsock(unsigned int port)
{
	int fd = stream_listen(port, 32, 0), running = 0;

	if (fd < 0) {
		complain("cannot listen on", "vsock", -fd);
		return 1;
	}
	for (;;) {
		struct sockaddr_vm peer = { 0 };
		socklen_t len = sizeof(peer);
		int conn;

		while (running && waitpid(-1, NULL,
					  running < LIMIT_EXEC_CONNS ? WNOHANG : 0) > 0)
			running--;
		conn = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);
		if (conn < 0) {
			if (errno != EINTR)
				sleep(1);
			continue;
		}
		/* Commands run as root: only root may ask for them. */
		if (!stream_from_root(&peer)) {
			close(conn);
			continue;
		}
		switch (fork()) {
		case 0:
			become_server();
			_exit(exec_serve(conn, &server) ? 1 : 0);
		case -1:
			break;
		default:
			running++;
		}
		close(conn);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "port", required_argument, NULL, 'p' },
		{ "vsock", required_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	unsigned int vsock = 0;
	int opt;

	while ((opt = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (opt) {
		case 'r':
			server.root = optarg;
			break;
		case 'p':
			if (nr_ports < LIMIT_EXEC_PORTS)
				ports[nr_ports++].path = optarg;
			break;
		case 'v':
			vsock = strtoul(optarg, NULL, 10);
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind != argc || !vsock == !nr_ports) {
		usage(stderr);
		return 2;
	}
	if (vsock)
		return serve_vsock(vsock);
	serve_ports();
}
