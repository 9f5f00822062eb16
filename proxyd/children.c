// SPDX-License-Identifier: GPL-2.0-only
/*
 * children.c - the listener's processes, see children.h
 *
 * A child says PASS_MOUNT when another one serves the file system of its mount. That
 * one may have ended meanwhile, or be about to: then the mount waits until it has been
 * reaped, since only then sharedpc.ko takes a new one, and is given to a new child; but
 * not for longer than its client waits.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "proxyd/children.h"
#include "proxyd/life/log.h"

static void child_let_go(struct child *c)
{
	if (c->control >= 0)
		close(c->control);
	c->control = -1;
}

static struct child *child_free(struct children *all)
{
	struct child *c;

	for (c = all->child; c < all->child + CHILDREN_MAX; c++)
		if (!c->pid)
			return c;
	return NULL;
}

/* Children and mounts that wait, of @client. */
static unsigned int client_count(const struct children *all, unsigned int client)
{
	unsigned int i, n = 0;

	for (i = 0; i < CHILDREN_MAX; i++) {
		n += all->child[i].pid && all->child[i].client == client;
		n += all->waiting[i].used && all->waiting[i].client == client;
	}
	return n;
}

/* A child for @mount, which it takes along. 0 or -errno. */
static int child_fork(struct children *all, unsigned int client, uint32_t epoch,
		      struct mount *mount)
{
	struct child *c = child_free(all);
	int pair[2];
	pid_t pid;

	if (!c || client_count(all, client) >= LIMIT_CLIENT_CONNS)
		return -EUSERS;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (!pid) {
		close(pair[0]);
		all->run(all->arg, client, pair[1], mount);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -EAGAIN;
	}
	mount_drop(mount);
	*c = (struct child) {
		.pid = pid, .control = pair[0], .client = client, .epoch = epoch,
		.handed = 1,
	};
	return 0;
}

static void mount_begin(struct children *all, unsigned int client, uint32_t epoch,
			struct mount *mount)
{
	int ret = child_fork(all, client, epoch, mount);

	if (!ret)
		return;
	log_say("image %u: no proxy for a connection: %s", client, strerror(-ret));
	mount_drop(mount);
}

static void waiting_drop(struct waiting *w)
{
	mount_drop(&w->mount);
	w->used = false;
}

void children_add(struct children *all, unsigned int client, uint32_t epoch, int fd)
{
	struct mount mount = { .conn = fd, .hello.root = -1 };
	struct waiting *w;
	struct child *c;

	for (c = all->child; c < all->child + CHILDREN_MAX; c++) {
		if (!c->pid || c->control < 0 || c->client != client || c->epoch == epoch)
			continue;
		log_say("image %u was started again: process %d ends", client,
			(int)c->pid);
		child_let_go(c);
		kill(c->pid, SIGKILL);
	}
	for (w = all->waiting; w < all->waiting + CHILDREN_MAX; w++)
		if (w->used && w->client == client && w->epoch != epoch)
			waiting_drop(w);
	mount_begin(all, client, epoch, &mount);
}

/*
 * The proxy with @server. NULL: there is none, or it has not said yet that it is: then
 * another child finds that out, a little later.
 */
static struct child *child_find(struct children *all, unsigned int client, uint32_t server)
{
	struct child *c;

	for (c = all->child; c < all->child + CHILDREN_MAX; c++)
		if (c->pid && c->client == client && c->serves && c->server == server)
			return c;
	return NULL;
}

/* Give @w to whom it is for, or leave it waiting. */
static void waiting_try(struct children *all, struct waiting *w)
{
	struct child *c = child_find(all, w->client, w->server);
	struct pass p = { .what = PASS_MOUNT, .mount = w->mount };
	int ret;

	if (!c) {
		w->used = false;
		mount_begin(all, w->client, w->epoch, &w->mount);
		return;
	}
	if (c->control < 0)
		return;
	ret = pass_send(c->control, &p);
	if (ret == -EPIPE || ret == -ECONNRESET)
		return;		/* it has ended: it will be reaped */
	if (ret)
		log_say("image %u: process %d does not take a connection: %s", w->client,
			(int)c->pid, strerror(-ret));
	else
		c->handed++;
	waiting_drop(w);
}

/* Something has changed about the children of @client. */
static void client_try(struct children *all, unsigned int client)
{
	struct waiting *w;

	for (w = all->waiting; w < all->waiting + CHILDREN_MAX; w++)
		if (w->used && w->client == client)
			waiting_try(all, w);
}

static void waiting_add(struct children *all, const struct child *from, struct pass *p)
{
	struct waiting *w;

	for (w = all->waiting; w < all->waiting + CHILDREN_MAX; w++) {
		if (w->used)
			continue;
		*w = (struct waiting) {
			.used = true, .client = from->client, .epoch = from->epoch,
			.server = p->number, .mount = p->mount,
			.until_ms = clock_ms() + LIMIT_GREET_S * 1000,
		};
		return;
	}
	mount_drop(&p->mount);	/* cannot be: each was a child's */
}

static void child_hear(struct children *all, struct child *c)
{
	struct pass p;
	int ret = pass_recv(c->control, &p);

	if (ret) {
		child_let_go(c);
		return;
	}
	switch (p.what) {
	case PASS_SERVES:
		c->serves = true;
		c->server = p.number;
		break;
	case PASS_MOUNT:
		waiting_add(all, c, &p);
		child_let_go(c);
		break;
	case PASS_IDLE:
		if (p.number == c->handed)
			child_let_go(c);
		return;
	}
	client_try(all, c->client);
}

void children_poll(const struct children *all, struct pollfd *p)
{
	unsigned int i;

	for (i = 0; i < CHILDREN_MAX; i++)
		p[i] = (struct pollfd) {
			all->child[i].pid ? all->child[i].control : -1, POLLIN, 0
		};
}

void children_hear(struct children *all, const struct pollfd *p)
{
	unsigned int i;

	for (i = 0; i < CHILDREN_MAX; i++)
		if (p[i].revents && all->child[i].pid && all->child[i].control >= 0)
			child_hear(all, &all->child[i]);
}

void children_reap(struct children *all)
{
	struct child *c;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (c = all->child; c < all->child + CHILDREN_MAX; c++)
			if (c->pid == pid)
				break;
		if (c == all->child + CHILDREN_MAX)
			continue;
		if (WIFSIGNALED(status))
			log_say("process %d died of signal %d", (int)pid,
				WTERMSIG(status));
		/* what it said before may not have been heard yet */
		if (c->control >= 0)
			child_hear(all, c);
		child_let_go(c);
		c->pid = 0;
		client_try(all, c->client);
	}
}

int children_tidy(struct children *all)
{
	int64_t now = clock_ms(), left = -1;
	struct waiting *w;

	for (w = all->waiting; w < all->waiting + CHILDREN_MAX; w++) {
		if (!w->used)
			continue;
		if (w->until_ms <= now) {
			log_say("image %u: the proxy of a mount does not end: mount dropped",
				w->client);
			waiting_drop(w);
		} else if (left < 0 || w->until_ms - now < left) {
			left = w->until_ms - now;
		}
	}
	return left;
}

void children_forget(struct children *all)
{
	unsigned int i;

	for (i = 0; i < CHILDREN_MAX; i++) {
		if (all->child[i].pid)
			child_let_go(&all->child[i]);
		if (all->waiting[i].used)
			mount_drop(&all->waiting[i].mount);
	}
}

void children_end(struct children *all)
{
	unsigned int i;

	for (i = 0; i < CHILDREN_MAX; i++)
		if (all->child[i].pid)
			kill(all->child[i].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}
