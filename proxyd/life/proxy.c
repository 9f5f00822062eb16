// SPDX-License-Identifier: GPL-2.0-only
/*
 * proxy.c - the process that acts for one client image.
 *
 * The first thread takes connections from the listener. Whether the process
 * may end is the listener's decision, since only it knows whether another
 * connection is on its way here: the proxy says how many it has had, and the
 * listener closes the socket if it has handed over no more than that.
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
#include "proxyd/names/conn.h"
#include "proxyd/life/later.h"
#include "proxyd/life/log.h"
#include "proxyd/export/procfd.h"
#include "proxyd/life/proxy.h"
#include "proxyd/life/work.h"
#include "sharedpc_ioctl.h"

static uint32_t had;	/* connections so far; proxy.lock */

void proxy_end(const char *why)
{
	log_say("ends: %s", why);
	_exit(0);
}

int proxy_hand_over(int control, int conn)
{
	char byte = PROXY_CONN, buf[CMSG_SPACE(sizeof(int))] = { 0 };
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
static uint64_t files_left(struct proxy *proxy)
{
	return proxy->local ? 0 : files_count(&proxy->files);
}

/*
 * Offer to end if nothing is left. The lock makes one offer of each state. It
 * never waits, as the listener does not wait for us: one that is not taken
 * follows hundreds that were not heard, and is made again by what comes next.
 */
static void offer_end(struct proxy *proxy)
{
	pthread_mutex_lock(&proxy->lock);
	if (!proxy->conns && !files_left(proxy) && proxy->control >= 0)
		send(proxy->control, &had, sizeof(had), MSG_NOSIGNAL | MSG_DONTWAIT);
	pthread_mutex_unlock(&proxy->lock);
}

void proxy_conn_gone(struct proxy *proxy)
{
	uint64_t left;

	pthread_mutex_lock(&proxy->lock);
	proxy->conns--;
	left = proxy->conns ? 0 : files_left(proxy);
	pthread_mutex_unlock(&proxy->lock);
	if (left)
		log_say("no mount left, but %llu files are open or mapped",
			(unsigned long long)left);
	offer_end(proxy);
}

void proxy_bytes_get(struct proxy *proxy, size_t bytes)
{
	pthread_mutex_lock(&proxy->lock);
	while (proxy->bytes && proxy->bytes + bytes > PROXY_BYTES)
		pthread_cond_wait(&proxy->fewer, &proxy->lock);
	proxy->bytes += bytes;
	pthread_mutex_unlock(&proxy->lock);
}

void proxy_bytes_put(struct proxy *proxy, size_t bytes)
{
	pthread_mutex_lock(&proxy->lock);
	proxy->bytes -= bytes;
	pthread_cond_broadcast(&proxy->fewer);
	pthread_mutex_unlock(&proxy->lock);
}

void proxy_file_gone(struct proxy *proxy)
{
	offer_end(proxy);
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

static int proxy_start(struct proxy *proxy)
{
	int ret;

	pthread_mutex_init(&proxy->lock, NULL);
	pthread_cond_init(&proxy->fewer, NULL);
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

void proxy_conn_add(struct proxy *proxy, int fd)
{
	bool many;

	pthread_mutex_lock(&proxy->lock);
	many = proxy->conns >= PROXY_CONNS;
	proxy->conns += !many;
	pthread_mutex_unlock(&proxy->lock);
	if (many) {
		log_say("mount refused: there are %d", PROXY_CONNS);
		close(fd);
	} else if (conn_serve(proxy, fd)) {
		proxy_conn_gone(proxy);
	}
}

void proxy_run(struct proxy *proxy)
{
	int fd, ret;

	log_name(proxy->client);
	ret = proxy_start(proxy);
	if (ret) {
		log_say("cannot serve: %s", strerror(-ret));
		_exit(1);
	}
	log_say("starts, process %d", (int)getpid());
	for (;;) {
		fd = take_over(proxy->control);
		if (fd == -ENOTCONN)
			proxy_end("nothing left to do");
		pthread_mutex_lock(&proxy->lock);
		had++;
		pthread_mutex_unlock(&proxy->lock);
		if (fd >= 0)
			proxy_conn_add(proxy, fd);
		else
			offer_end(proxy);	/* it counts, and was the last maybe */
	}
}
