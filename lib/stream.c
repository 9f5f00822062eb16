// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream.c - messages over a stream socket, see stream.h
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "stream.h"

#define RESERVED_TOP	1023	/* the last port that only root may bind */
#define RESERVED_BOTTOM	600

static int read_all(int fd, void *buf, size_t len)
{
	char *p = buf;
	ssize_t n;

	while (len) {
		n = read(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ECONNRESET;
		p += n;
		len -= n;
	}
	return 0;
}

int stream_recv(int fd, uint32_t min, uint32_t max, void **msg)
{
	uint32_t len;
	char *buf;
	int err;

	err = read_all(fd, &len, sizeof(len));
	if (err)
		return err;
	if (len < min || len < sizeof(len) || len > max)
		return -EPROTO;
	buf = malloc(len);
	if (!buf)
		return -ENOMEM;
	memcpy(buf, &len, sizeof(len));
	err = read_all(fd, buf + sizeof(len), len - sizeof(len));
	if (err) {
		free(buf);
		return err;
	}
	*msg = buf;
	return len;
}

int stream_send(int fd, struct iovec *iov, int n)
{
	struct msghdr msg = { 0 };
	ssize_t sent;

	while (n) {
		msg.msg_iov = iov;
		msg.msg_iovlen = n;
		sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -errno;
		while (n && (size_t)sent >= iov->iov_len) {
			sent -= iov->iov_len;
			iov++;
			n--;
		}
		if (n) {
			iov->iov_base = (char *)iov->iov_base + sent;
			iov->iov_len -= sent;
		}
	}
	return 0;
}

static int bind_reserved(int fd)
{
	struct sockaddr_vm addr = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_ANY,
	};

	for (int port = RESERVED_TOP; port >= RESERVED_BOTTOM; port--) {
		addr.svm_port = port;
		if (!bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
			return 0;
		if (errno != EADDRINUSE)
			return -errno;
	}
	return -EADDRINUSE;
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
	err = bind_reserved(fd);
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

const void *cursor_take(struct cursor *c, size_t size)
{
	const char *p = c->p;

	if (size > c->left)
		return NULL;
	c->p += size;
	c->left -= size;
	return p;
}

int cursor_string(struct cursor *c, size_t max, const char **s)
{
	const char *end = memchr(c->p, '\0', c->left);
	size_t len;

	if (!end)
		return -EPROTO;
	*s = c->p;
	len = end - c->p;
	cursor_take(c, len + 1);
	return len > max ? -ENAMETOOLONG : 0;
}
