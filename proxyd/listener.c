// SPDX-License-Identifier: GPL-2.0-only
/*
 * listener.c - takes connections and gives each to its client's proxy.
 *
 * Single-threaded. Two sockets: AF_VSOCK, whose CID (which a peer cannot
 * choose) says which image it is, and whose port must be one that only root
 * of that image can have; and a UNIX socket that only root can connect to, for
 * mounts of this very image.
 *
 * A proxy is told from its predecessor by the epoch of the client: when a
 * client was started again before its old proxy noticed, that one is ended
 * first. Connections of a client whose proxy is on its way out wait in
 * `waiting` until it has been reaped, since only then sharedpc.ko takes a new
 * one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

#include "proxyd/listener.h"
#include "proxyd/life/log.h"
#include "proxyd/process.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_limits.h"
#include "stream.h"

#define WAITING_MAX	LIMIT_CLIENT_WAITING	/* connections of one client without a proxy */

struct client {
	pid_t pid;		/* 0: no proxy */
	int control;		/* -1: the proxy has been let go */
	uint32_t epoch;
	uint32_t handed;	/* connections given to it */
	int waiting[WAITING_MAX];
	unsigned int nwaiting;
};

enum { POLL_SIGNAL, POLL_VSOCK, POLL_UNIX, POLL_CLIENTS };

struct listener {
	const struct listener_options *options;
	int dev;		/* /dev/sharedpc, -1 in tests */
	unsigned int self;	/* this image */
	char name[SHAREDPC_NAME_MAX];
	int vsock, unix_, signals;
	sigset_t old_mask;
	struct client clients[SHAREDPC_IMAGES_MAX];
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
	struct sockaddr_vm addr = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_ANY,
		.svm_port = SHAREDPC_PORT_PROXY,
	};

	l->vsock = -1;
	if (l->dev < 0)
		return 0;
	l->vsock = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->vsock < 0 ||
	    bind(l->vsock, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(l->vsock, SOMAXCONN)) {
		log_say("vsock port %d: %s", SHAREDPC_PORT_PROXY, strerror(errno));
		return -errno;
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

/* In the child: everything of the listener goes, the proxy stays. */
static void become_proxy(struct listener *l, unsigned int id, int control)
{
	static struct proxy proxy;
	struct sharedpc_image image;
	unsigned int i, j;

	for (i = 0; i < SHAREDPC_IMAGES_MAX; i++) {
		if (l->clients[i].pid && l->clients[i].control >= 0)
			close(l->clients[i].control);
		for (j = 0; j < l->clients[i].nwaiting; j++)
			close(l->clients[i].waiting[j]);
	}
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
		.local = id == l->self, .life.control = control,
	};
	memcpy(proxy.owner, l->name, sizeof(proxy.owner));
	memcpy(proxy.client, image.name, sizeof(proxy.client));
	process_run(&proxy);
}

static int client_fork(struct listener *l, unsigned int id)
{
	struct client *c = &l->clients[id];
	struct sharedpc_image image;
	int pair[2], ret;
	pid_t pid;

	ret = image_find(l, id, &image);
	if (ret)
		return ret;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (!pid) {
		close(pair[0]);
		become_proxy(l, id, pair[1]);
	}
	ret = pid < 0 ? -errno : 0;
	close(pair[1]);
	if (ret) {
		close(pair[0]);
		return ret;
	}
	c->pid = pid;
	c->control = pair[0];
	c->epoch = image.epoch;
	c->handed = 0;
	return 0;
}

static void client_let_go(struct client *c)
{
	close(c->control);
	c->control = -1;
}

/* Give what waits to the client's proxy, if it has one that takes it. */
static void client_serve(struct listener *l, unsigned int id)
{
	struct client *c = &l->clients[id];
	unsigned int i;
	int ret = 0;

	if (c->nwaiting && !c->pid)
		ret = client_fork(l, id);
	if (!ret && (!c->pid || c->control < 0))
		return;
	for (i = 0; i < c->nwaiting; i++) {
		if (!ret)
			ret = process_hand_over(c->control, c->waiting[i]);
		if (!ret)
			c->handed++;
		else
			log_say("image %u: no proxy takes the connection: %s", id,
				strerror(-ret));
		close(c->waiting[i]);
	}
	c->nwaiting = 0;
}

static void client_add(struct listener *l, unsigned int id, int fd)
{
	struct client *c = &l->clients[id];
	struct sharedpc_image image;

	if (c->nwaiting == WAITING_MAX) {
		log_say("image %u: too many connections wait", id);
		close(fd);
		return;
	}
	if (c->pid && c->control >= 0 && !image_find(l, id, &image) &&
	    image.epoch != c->epoch) {
		log_say("image %u was started again: process %d ends", id,
			(int)c->pid);
		client_let_go(c);
		kill(c->pid, SIGKILL);
	}
	c->waiting[c->nwaiting++] = fd;
	client_serve(l, id);
}

static void accept_vsock(struct listener *l)
{
	struct sockaddr_vm addr = { 0 };
	socklen_t len = sizeof(addr);
	unsigned int id;
	int fd;

	fd = accept4(l->vsock, (struct sockaddr *)&addr, &len, SOCK_CLOEXEC);
	if (fd < 0)
		return;
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
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || peer.uid) {
		log_say("connection of a process that is not root refused");
		close(fd);
		return;
	}
	client_add(l, l->self, fd);
}

static void reap(struct listener *l)
{
	struct client *c;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (c = l->clients; c < l->clients + SHAREDPC_IMAGES_MAX; c++)
			if (c->pid == pid)
				break;
		if (c == l->clients + SHAREDPC_IMAGES_MAX)
			continue;
		if (WIFSIGNALED(status))
			log_say("process %d died of signal %d", (int)pid,
				WTERMSIG(status));
		if (c->control >= 0)
			client_let_go(c);
		c->pid = 0;
		client_serve(l, c - l->clients);
	}
}

/* 1: end. */
static int take_signals(struct listener *l)
{
	struct signalfd_siginfo si;

	while (read(l->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			reap(l);
		else if (si.ssi_signo == SIGHUP)
			log_say("the configuration is read at every mount anyway");
		else
			return 1;
	}
	return 0;
}

/* A proxy says that it has nothing left to do, or is gone. */
static void hear_client(struct client *c)
{
	uint32_t had;

	if (recv(c->control, &had, sizeof(had), 0) != sizeof(had) ||
	    had == c->handed)
		client_let_go(c);
}

static int serve(struct listener *l)
{
	struct pollfd p[POLL_CLIENTS + SHAREDPC_IMAGES_MAX];
	unsigned int i;

	for (;;) {
		p[POLL_SIGNAL] = (struct pollfd) { l->signals, POLLIN, 0 };
		p[POLL_VSOCK] = (struct pollfd) { l->vsock, POLLIN, 0 };
		p[POLL_UNIX] = (struct pollfd) { l->unix_, POLLIN, 0 };
		for (i = 0; i < SHAREDPC_IMAGES_MAX; i++)
			p[POLL_CLIENTS + i] = (struct pollfd) {
				l->clients[i].pid ? l->clients[i].control : -1,
				POLLIN, 0
			};
		if (poll(p, POLL_CLIENTS + SHAREDPC_IMAGES_MAX, -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		for (i = 0; i < SHAREDPC_IMAGES_MAX; i++)
			if (p[POLL_CLIENTS + i].revents)
				hear_client(&l->clients[i]);
		if (p[POLL_SIGNAL].revents && take_signals(l))
			return 0;
		if (p[POLL_VSOCK].revents)
			accept_vsock(l);
		if (p[POLL_UNIX].revents)
			accept_unix(l);
	}
}

/* Proxies end with us: their maps would be served by nobody. */
static void end_proxies(struct listener *l)
{
	unsigned int i;

	for (i = 0; i < SHAREDPC_IMAGES_MAX; i++)
		if (l->clients[i].pid)
			kill(l->clients[i].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	unlink(l->options->socket);
}

int listener_run(const struct listener_options *options)
{
	static struct listener l;
	int ret;

	l.options = options;
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
	end_proxies(&l);
	return ret;
}
