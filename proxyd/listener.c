// SPDX-License-Identifier: GPL-2.0-only
/*
 * listener.c - takes connections and gives each to a process of its own.
 *
 * Single-threaded. Two sockets: AF_VSOCK, whose CID (which a peer cannot
 * choose) says which image it is, and whose port must be one that only root
 * of that image can have; and a UNIX socket that only root can connect to, for
 * mounts of this very image. What becomes of a connection is children.c's.
 *
 * A proxy is told from its predecessor by the epoch of the client: when a
 * client was started again before its old proxies noticed, they are ended.
 *
 * When there is no descriptor or memory for another connection, connections wait in
 * the kernel's queue for a while.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

#include "proxyd/children.h"
#include "proxyd/listener.h"
#include "proxyd/life/log.h"
#include "proxyd/process.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_limits.h"
#include "stream.h"

#define PAUSE_MS	LIMIT_ACCEPT_PAUSE_MS

enum { POLL_SIGNAL, POLL_VSOCK, POLL_UNIX, POLL_CHILDREN };

struct listener {
	const struct listener_options *options;
	int dev;		/* /dev/sharedpc, -1 in tests */
	unsigned int self;	/* this image */
	char name[SHAREDPC_NAME_MAX];
	int vsock, unix_, signals;
	sigset_t old_mask;
	bool pause;		/* no connection could be taken: not at once again */
	struct children children;
};

static int image_find(struct listener *l, unsigned int id,
		      struct sharedpc_image *image)
{
	*image = (struct sharedpc_image) { .id = id };
	if (l->dev < 0) {
		snprintf(image->name, sizeof(image->name), "%s", l->name);
		return 0;
	}
	return ioctl(l->dev, SHAREDPC_IOC_IMAGE, image) ? -errno : 0;
}

static int who_am_i(struct listener *l)
{
	struct sharedpc_image image;
	struct sharedpc_info info;
	int ret;

	if (l->options->image) {
		l->dev = -1;
		snprintf(l->name, sizeof(l->name), "%s", l->options->image);
		return 0;
	}
	l->dev = open(SHAREDPC_DEVICE, O_RDWR | O_CLOEXEC);
	if (l->dev < 0) {
		ret = -errno;
		log_say("%s: %s; is sharedpc.ko loaded?", SHAREDPC_DEVICE,
			strerror(-ret));
		return ret;
	}
	ret = ioctl(l->dev, SHAREDPC_IOC_INFO, &info) ? -errno : 0;
	if (!ret && info.revision != SHAREDPC_REVISION) {
		log_say("sharedpc.ko has revision %u, not %u", info.revision,
			SHAREDPC_REVISION);
		return -EPROTONOSUPPORT;
	}
	if (!ret)
		ret = image_find(l, info.self, &image);
	if (ret) {
		log_say("%s: %s", SHAREDPC_DEVICE, strerror(-ret));
		return ret;
	}
	l->self = info.self;
	snprintf(l->name, sizeof(l->name), "%s", image.name);
	return 0;
}

static int listen_vsock(struct listener *l)
{
	l->vsock = -1;
	if (l->dev < 0)
		return 0;
	l->vsock = stream_listen(SHAREDPC_PORT_PROXY, SOMAXCONN, SOCK_NONBLOCK);
	if (l->vsock < 0) {
		log_say("vsock port %d: %s", SHAREDPC_PORT_PROXY, strerror(-l->vsock));
		return l->vsock;
	}
	return 0;
}

static int listen_unix(struct listener *l)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = l->options->socket;
	int ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	l->unix_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!connect(l->unix_, (struct sockaddr *)&addr, sizeof(addr))) {
		log_say("%s: another proxyd runs", path);
		return -EADDRINUSE;
	}
	close(l->unix_);
	unlink(path);
	l->unix_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	umask(077);
	ret = l->unix_ < 0 ||
	      bind(l->unix_, (struct sockaddr *)&addr, sizeof(addr)) ||
	      listen(l->unix_, SOMAXCONN) ? -errno : 0;
	umask(0);
	if (ret)
		log_say("%s: %s", path, strerror(-ret));
	return ret;
}

static int catch_signals(struct listener *l)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &l->old_mask);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return l->signals < 0 ? -errno : 0;
}

/* In the child: everything of the listener goes, the mount stays. */
static void become_proxy(void *arg, unsigned int id, int control, struct mount *mount)
{
	static struct proxy proxy;
	struct sharedpc_image image;
	struct listener *l = arg;

	children_forget(&l->children);
	if (image_find(l, id, &image))
		snprintf(image.name, sizeof(image.name), "image %u", id);
	if (l->dev >= 0) {
		close(l->dev);
		close(l->vsock);
	}
	close(l->unix_);
	close(l->signals);
	sigprocmask(SIG_SETMASK, &l->old_mask, NULL);
	proxy = (struct proxy) {
		.config = l->options->config, .image = id,
		.local = id == l->self, .control = control,
	};
	memcpy(proxy.owner, l->name, sizeof(proxy.owner));
	memcpy(proxy.client, image.name, sizeof(proxy.client));
	process_run(&proxy, mount);
}

static void client_add(struct listener *l, unsigned int id, int fd)
{
	struct sharedpc_image image;
	int ret = image_find(l, id, &image);

	if (ret) {
		log_say("image %u: %s", id, strerror(-ret));
		close(fd);
		return;
	}
	children_add(&l->children, id, image.epoch, fd);
}

/* accept4() failed: it may be for a lack that lasts. */
static void accept_failed(struct listener *l)
{
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	log_say("no connection can be taken: %s", strerror(errno));
	l->pause = true;
}

static void accept_vsock(struct listener *l)
{
	struct sockaddr_vm addr = { 0 };
	socklen_t len = sizeof(addr);
	unsigned int id;
	int fd;

	fd = accept4(l->vsock, (struct sockaddr *)&addr, &len, SOCK_CLOEXEC);
	if (fd < 0) {
		accept_failed(l);
		return;
	}
	id = addr.svm_cid - SHAREDPC_CID_BASE;
	if (id >= SHAREDPC_IMAGES_MAX || !stream_from_root(&addr)) {
		log_say("connection from CID %u port %u refused", addr.svm_cid,
			addr.svm_port);
		close(fd);
		return;
	}
	client_add(l, id, fd);
}

static void accept_unix(struct listener *l)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd;

	fd = accept4(l->unix_, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0) {
		accept_failed(l);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || peer.uid) {
		log_say("connection of a process that is not root refused");
		close(fd);
		return;
	}
	client_add(l, l->self, fd);
}

/* 1: end. */
static int take_signals(struct listener *l)
{
	struct signalfd_siginfo si;

	while (read(l->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			children_reap(&l->children);
		else if (si.ssi_signo == SIGHUP)
			log_say("the configuration is read at every mount anyway");
		else
			return 1;
	}
	return 0;
}

static int serve(struct listener *l)
{
	static struct pollfd p[POLL_CHILDREN + CHILDREN_MAX];
	bool pause;
	int ms;

	for (;;) {
		pause = l->pause;
		l->pause = false;
		p[POLL_SIGNAL] = (struct pollfd) { l->signals, POLLIN, 0 };
		p[POLL_VSOCK] = (struct pollfd) { pause ? -1 : l->vsock, POLLIN, 0 };
		p[POLL_UNIX] = (struct pollfd) { pause ? -1 : l->unix_, POLLIN, 0 };
		children_poll(&l->children, p + POLL_CHILDREN);
		ms = children_tidy(&l->children);
		if (pause && (ms < 0 || ms > PAUSE_MS))
			ms = PAUSE_MS;
		if (poll(p, POLL_CHILDREN + CHILDREN_MAX, ms) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		children_hear(&l->children, p + POLL_CHILDREN);
		if (p[POLL_SIGNAL].revents && take_signals(l))
			return 0;
		if (p[POLL_VSOCK].revents)
			accept_vsock(l);
		if (p[POLL_UNIX].revents)
			accept_unix(l);
	}
}

int listener_run(const struct listener_options *options)
{
	static struct listener l;
	int ret;

	l.options = options;
	l.children.run = become_proxy;
	l.children.arg = &l;
	ret = who_am_i(&l);
	if (!ret)
		ret = catch_signals(&l);
	if (!ret)
		ret = listen_vsock(&l);
	if (!ret)
		ret = listen_unix(&l);
	if (ret)
		return ret;
	log_say("serves the exports of %s", l.name);
	ret = serve(&l);
	/* Proxies end with us: their maps would be served by nobody. */
	children_end(&l.children);
	unlink(options->socket);
	return ret;
}
