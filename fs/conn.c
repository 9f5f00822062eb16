// SPDX-License-Identifier: GPL-2.0-only
/*
 * conn.c - the connection of one mount to its proxy, see conn.h
 *
 * A call lives on its caller's stack and is linked into conn->calls while it
 * waits; whoever unlinks it (receiver, or conn_kill for all) completes it
 * under conn->lock, so that nobody touches it after its caller has gone on.
 *
 * A PING's answer has an id that no call has: it counts as a sign of life, as
 * every message does, and is dropped.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fs/conn.h"
#include "fs/log.h"

#define PATIENCE_MS	60000
#define WATCH_PARTS	12	/* looks per patience: 5 s */

struct call {
	struct call *next;
	struct msg *msg;	/* the request, then the answer */
	uint64_t id;
	unsigned int op;
	int error;
	bool sent;		/* all of *msg, which may be replaced now */
	bool done;
	pthread_cond_t cond;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void conn_init(struct conn *c, int fd, const struct owner *owner)
{
	*c = (struct conn) {
		.fd = fd, .owner = owner, .patience_ms = PATIENCE_MS,
		.send = PTHREAD_MUTEX_INITIALIZER,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.sent = PTHREAD_COND_INITIALIZER,
	};
}

static void complete(struct call *call, int error)
{
	call->error = error;
	call->done = true;
	pthread_cond_signal(&call->cond);
}

bool conn_kill(struct conn *c)
{
	struct call *call;
	bool alive;

	pthread_mutex_lock(&c->lock);
	alive = !c->dead;
	c->dead = true;
	while ((call = c->calls)) {
		c->calls = call->next;
		complete(call, -ENOTCONN);
	}
	pthread_cond_broadcast(&c->sent);
	pthread_mutex_unlock(&c->lock);
	shutdown(c->fd, SHUT_RDWR);	/* wakes sender and receiver */
	return alive;
}

/* Give call @m its id and queue it; without @call nobody waits for it. */
static int enqueue(struct conn *c, struct msg *m, struct call *call)
{
	int ret = 0;

	pthread_mutex_lock(&c->lock);
	m->head.id = ++c->last_id;
	if (c->dead) {
		ret = -ENOTCONN;
	} else if (call) {
		if (!c->calls)
			c->life_ms = now_ms();
		call->id = m->head.id;
		call->next = c->calls;
		c->calls = call;
	}
	pthread_mutex_unlock(&c->lock);
	return ret;
}

/* What points to the call with @id, lock held.  NULL: there is none. */
static struct call **find(struct conn *c, uint64_t id)
{
	struct call **p;

	for (p = &c->calls; *p; p = &(*p)->next)
		if ((*p)->id == id)
			return p;
	return NULL;
}

/*
 * Unlink the call with @id, lock held.  NULL: there is none.  Its sender may
 * not yet know that all has gone; a peer that answers what it cannot have
 * read has to wait until the rest has gone or the connection dies.
 */
static struct call *dequeue(struct conn *c, uint64_t id)
{
	struct call **p, *call;

	while ((p = find(c, id)) && !(*p)->sent)
		pthread_cond_wait(&c->sent, &c->lock);
	if (!p)
		return NULL;
	call = *p;
	*p = call->next;
	return call;
}

static int transmit(struct conn *c, const struct msg *m)
{
	int ret;

	pthread_mutex_lock(&c->send);
	ret = msg_send(c->fd, m);
	pthread_mutex_unlock(&c->send);
	if (ret && ret != m->error && conn_kill(c))	/* how much of it went? */
		ccfs_log("sending to the owner failed: %s", strerror(-ret));
	return ret;
}

int conn_call(struct conn *c, struct msg *m)
{
	struct call call = { .msg = m, .op = m->head.op };
	int ret = m->error;

	if (ret)
		return ret;
	pthread_cond_init(&call.cond, NULL);
	ret = enqueue(c, m, &call);
	if (!ret) {
		transmit(c, m);		/* on failure the call was completed */
		pthread_mutex_lock(&c->lock);
		call.sent = true;
		pthread_cond_broadcast(&c->sent);
		while (!call.done)
			pthread_cond_wait(&call.cond, &c->lock);
		pthread_mutex_unlock(&c->lock);
		ret = call.error;
	}
	pthread_cond_destroy(&call.cond);
	return ret;
}

void conn_post(struct conn *c, struct msg *m)
{
	if (!m->error && !enqueue(c, m, NULL))
		transmit(c, m);
}

/* Hand answer @m to its call.  -EPROTO: it answers something else. */
static int deliver(struct conn *c, struct msg *m)
{
	struct call *call;
	struct msg request;
	int ret = 0;

	pthread_mutex_lock(&c->lock);
	c->life_ms = now_ms();
	call = dequeue(c, m->head.id);
	if (call && call->op == m->head.op) {
		request = *call->msg;	/* the buffers change hands */
		*call->msg = *m;
		*m = request;
		complete(call, call->msg->head.error);
	} else if (call) {
		complete(call, -ENOTCONN);
		ret = -EPROTO;
	} else if (m->head.op != CCFS_PING) {
		ret = -EPROTO;
	}
	pthread_mutex_unlock(&c->lock);
	return ret;
}

static void *receiver(void *arg)
{
	struct conn *c = arg;
	struct msg m = { 0 };
	int ret;

	do {
		ret = msg_recv(c->fd, &m);
		if (!ret)
			ret = deliver(c, &m);
	} while (!ret);
	msg_free(&m);
	if (conn_kill(c))
		ccfs_log("the connection to the owner has ended: %s", strerror(-ret));
	return NULL;
}

static void ping(struct conn *c)
{
	struct msg m = { 0 };
	int ret = 0;

	msg_start(&m, CCFS_PING, 0, 0);
	msg_put(&m, &(struct ccfs_cred){ 0 }, sizeof(struct ccfs_cred));
	/* A sender that holds the stream is itself waited for: no need. */
	if (!m.error && !pthread_mutex_trylock(&c->send)) {
		if (!enqueue(c, &m, NULL))
			ret = msg_send(c->fd, &m);
		pthread_mutex_unlock(&c->send);
	}
	if (ret && conn_kill(c))
		ccfs_log("sending to the owner failed: %s", strerror(-ret));
	msg_free(&m);
}

static void *watcher(void *arg)
{
	struct conn *c = arg;
	int part = c->patience_ms / WATCH_PARTS;
	int64_t silent;
	bool waiting, dead;

	for (;;) {
		usleep(part * 1000);
		pthread_mutex_lock(&c->lock);
		waiting = c->calls;
		dead = c->dead;
		silent = now_ms() - c->life_ms;
		pthread_mutex_unlock(&c->lock);
		if (dead)
			return NULL;
		if (owner_alive(c->owner)) {
			ccfs_log("the owner is down");
			conn_kill(c);
		} else if (waiting && silent > c->patience_ms) {
			ccfs_log("no sign of life from the owner for %d s",
				 c->patience_ms / 1000);
			conn_kill(c);
		} else if (waiting && silent >= part) {
			ping(c);
		}
	}
}

int conn_start(struct conn *c)
{
	pthread_t thread;
	pthread_attr_t attr;
	int ret;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ret = pthread_create(&thread, &attr, receiver, c);
	if (!ret)
		ret = pthread_create(&thread, &attr, watcher, c);
	pthread_attr_destroy(&attr);
	return -ret;
}

int conn_call_first(struct conn *c, struct msg *m, int seconds)
{
	struct timeval tv = { .tv_sec = seconds };
	int ret;

	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	ret = enqueue(c, m, NULL);
	if (!ret)
		ret = msg_send(c->fd, m);
	if (!ret)
		ret = msg_recv(c->fd, m);
	if (!ret && m->head.id != c->last_id)
		ret = -EPROTO;
	if (ret)
		m->len = 0;		/* what is there is no answer */
	else
		ret = m->head.error;
	tv.tv_sec = 0;
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	/* from here on a full stream is a dead one, for the watcher too */
	tv.tv_sec = PATIENCE_MS / 1000;
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	return ret;
}
