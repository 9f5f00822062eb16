// SPDX-License-Identifier: GPL-2.0-only
/*
 * poweroff.c - asks an image to shut itself down, see poweroff.h
 *
 * Every step is bounded: a silent image costs 3 seconds at most.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

#include "boot/poweroff.h"

static int talk(int fd, const struct sockaddr_vm *addr)
{
	char answer[8] = "";

	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
		return -errno;
	if (write(fd, "poweroff\n", 9) != 9)
		return -EIO;
	if (read(fd, answer, sizeof(answer) - 1) < 2)
		return -EIO;
	return strncmp(answer, "ok", 2) ? -EPROTO : 0;
}

int poweroff_ask(unsigned int cid)
{
	struct sockaddr_vm addr = { .svm_family = AF_VSOCK, .svm_cid = cid,
				    .svm_port = CCINIT_PORT };
	struct timeval limit = { .tv_sec = 3 };
	int ret, fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &limit,
		       sizeof(limit)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		ret = -errno;
	else
		ret = talk(fd, &addr);
	close(fd);
	return ret;
}
