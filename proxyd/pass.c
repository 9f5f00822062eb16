// SPDX-License-Identifier: GPL-2.0-only
/*
 * pass.c - what the listener and its proxies say to each other.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxyd/pass.h"

#define FDS	2	/* of a mount: conn, root */

int pass_send(int control, const struct pass *p)
{
	char buf[CMSG_SPACE(FDS * sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (void *)p, .iov_len = sizeof(*p) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	const int fds[FDS] = { p->mount.conn, p->mount.hello.root };
	struct cmsghdr *c;

	if (p->what == PASS_MOUNT) {
		mh.msg_control = buf;
		mh.msg_controllen = sizeof(buf);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fds));
		memcpy(CMSG_DATA(c), fds, sizeof(fds));
	}
	return sendmsg(control, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int pass_recv(int control, struct pass *p)
{
	char buf[CMSG_SPACE(FDS * sizeof(int))];
	struct iovec iov = { .iov_base = p, .iov_len = sizeof(*p) };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = buf, .msg_controllen = sizeof(buf),
	};
	struct cmsghdr *c;
	int fds[FDS];
	ssize_t n;

	do {
		n = recvmsg(control, &mh, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -ENOTCONN;
	c = CMSG_FIRSTHDR(&mh);
	if (n != sizeof(*p) || (p->what == PASS_MOUNT) != (c != NULL))
		return -EBADMSG;
	if (!c)
		return 0;
	/* no room for all of them in this process */
	if (c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(fds))) {
		memcpy(fds, CMSG_DATA(c), sizeof(int));
		if (c->cmsg_len == CMSG_LEN(sizeof(int)))
			close(fds[0]);
		return -EMFILE;
	}
	memcpy(fds, CMSG_DATA(c), sizeof(fds));
	p->mount.conn = fds[0];
	p->mount.hello.root = fds[1];
	return 0;
}

void mount_drop(struct mount *m)
{
	if (m->hello.root >= 0)
		close(m->hello.root);
	close(m->conn);
}
