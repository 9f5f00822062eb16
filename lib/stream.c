// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream.c - stream sockets between images, from root to root: see stream.h
 *
 * The port is searched from a place that differs from call to call: a port
 * that has just been closed may still be known to the other side.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sharedpc_limits.h"
#include "stream.h"

#define RESERVED_BOTTOM	832	/* below it: services, and tests with a port of their own */
#define RESERVED_TOP	1023	/* the last port that only root may bind */
#define RESERVED	(RESERVED_TOP - RESERVED_BOTTOM + 1)

bool stream_from_root(const struct sockaddr_vm *addr)
{
	return addr->svm_port <= RESERVED_TOP;
}

/* Try each reserved port once. */
static int bind_any(int fd)
{
	struct sockaddr_vm addr = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_ANY,
	};
	uint16_t at = 0;

	if (getrandom(&at, sizeof(at), GRND_NONBLOCK) != sizeof(at))
		at = getpid();
	for (unsigned int i = 0; i < RESERVED; i++) {
		addr.svm_port = RESERVED_BOTTOM + (at + i) % RESERVED;
		if (!bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
			return 0;
		if (errno != EADDRINUSE)
			return -errno;
	}
	return -EADDRINUSE;
}

int stream_bind(int fd)
{
	int ret = bind_any(fd);

	/* short connections leave their ports soon */
	for (int i = 0; i < LIMIT_BIND_TRIES && ret == -EADDRINUSE; i++) {
		usleep(LIMIT_BIND_PAUSE_MS * 1000);
		ret = bind_any(fd);
	}
	return ret;
}

int stream_connect(uint32_t cid, uint32_t port, int timeout_ms)
{
	struct sockaddr_vm addr = {
		.svm_family = AF_VSOCK,
		.svm_cid = cid,
		.svm_port = port,
	};
	struct timeval timeout = {
		.tv_sec = timeout_ms / 1000,
		.tv_usec = timeout_ms % 1000 * 1000,
	};
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = stream_bind(fd);
	if (err)
		goto close_fd;
	if (setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW, &timeout,
		       sizeof(timeout)) ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		err = -errno;
		goto close_fd;
	}
	return fd;

close_fd:
	close(fd);
	return err;
}

int stream_listen(uint32_t port, int backlog, int flags)
{
	struct sockaddr_vm addr = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_ANY,
		.svm_port = port,
	};
	int err, fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&addr, sizeof(addr)) && !listen(fd, backlog))
		return fd;
	err = -errno;
	close(fd);
	return err;
}
