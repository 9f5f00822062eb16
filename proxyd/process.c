// SPDX-License-Identifier: GPL-2.0-only
/*
 * process.c - the process that acts for one client image: how it starts, and its
 * first thread, which takes connections from the listener.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <fcntl.h>
#include <unistd.h>

#include "proxyd/data/call.h"
#include "proxyd/export/procfd.h"
#include "proxyd/life/later.h"
#include "proxyd/life/log.h"
#include "proxyd/life/work.h"
#include "proxyd/names/conn.h"
#include "proxyd/process.h"
#include "container.h"
#include "sharedpc_ioctl.h"

int process_hand_over(int control, int conn)
{
	char byte = PROCESS_CONN, buf[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = buf, .msg_controllen = sizeof(buf),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &conn, sizeof(int));
	return sendmsg(control, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* The next connection; -ENOTCONN: there will be none. */
static int take_over(int control)
{
	char byte, buf[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = buf, .msg_controllen = sizeof(buf),
	};
	struct cmsghdr *c;
	ssize_t n;
	int fd;

	do {
		n = recvmsg(control, &mh, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -ENOTCONN;
	c = CMSG_FIRSTHDR(&mh);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/*
 * Open files that may still be mapped. Those of a local mount are only there
 * to be fetched over its connection.
 */
static uint64_t files_left(struct life *life)
{
	struct proxy *proxy = container_of(life, struct proxy, life);

	return proxy->local ? 0 : files_count(&proxy->files);
}

/* Become the one that serves the client. 0 or -errno. */
static int serve(struct proxy *proxy)
{
	struct sharedpc_info info;
	__u32 image = proxy->image;

	proxy->dev = open(SHAREDPC_DEVICE, O_RDWR | O_CLOEXEC);
	if (proxy->dev < 0 ||
	    ioctl(proxy->dev, SHAREDPC_IOC_INFO, &info) ||
	    ioctl(proxy->dev, SHAREDPC_IOC_SERVE, &image))
		return -errno;
	proxy->region_node = info.region_node;
	proxy->reserve = info.region_pages / 50;
	proxy->bounce = mmap(NULL, SHAREDPC_BOUNCES * SHAREDPC_BOUNCE_SIZE,
			     PROT_READ, MAP_SHARED, proxy->dev, 0);
	if (proxy->bounce == MAP_FAILED)
		return -errno;
	return 0;
}

void process_init(struct proxy *proxy)
{
	proxy->life.left = files_left;
	life_init(&proxy->life);
}

static int start(struct proxy *proxy)
{
	int ret;

	process_init(proxy);
	proxy->dev = -1;
	ret = procfd_init();
	if (!ret && !proxy->local)
		ret = serve(proxy);
	if (ret)
		return ret;
	files_init(&proxy->files, proxy->dev);
	ret = later_start();
	if (!ret)
		ret = work_start();
	if (!ret && !proxy->local)
		ret = calls_start(proxy);
	return ret;
}

void process_conn_add(struct proxy *proxy, int fd)
{
	if (!life_conn_add(&proxy->life)) {
		log_say("mount refused: there are %d", LIFE_CONNS);
		close(fd);
	} else if (conn_serve(proxy, fd)) {
		life_conn_gone(&proxy->life);
	}
}

void process_run(struct proxy *proxy)
{
	int fd, ret;

	log_name(proxy->client);
	ret = start(proxy);
	if (ret) {
		log_say("cannot serve: %s", strerror(-ret));
		_exit(1);
	}
	log_say("starts, process %d", (int)getpid());
	for (;;) {
		fd = take_over(proxy->life.control);
		if (fd == -ENOTCONN)
			life_end("nothing left to do");
		life_handed(&proxy->life);
		if (fd >= 0)
			process_conn_add(proxy, fd);
		else
			life_check(&proxy->life);	/* it counts, and was the last maybe */
	}
}
