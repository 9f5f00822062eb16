// SPDX-License-Identifier: GPL-2.0-only
/*
 * conn.c - the connection of one mount to its proxy, see conn.h
 *
 * A call is linked into conn->calls while it waits; whoever unlinks it completes
 * it, and has it for himself until then.  A call that is still being sent is its
 * sender's: who reads waits for him, and conn_kill() leaves it to him.
 *
 * Reading is a turn (conn->reading).  Who gives it up passes it to a call that waits, or,
 * if none has a thread, to the receiver; if no call waits nobody reads, and the
 * receiver only looks for the stream's end.
 *
 * A PING's answer has an id that no call has: it counts as a sign of life, as
 * every message does, and is dropped.  Somebody has to read it, too.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "fs/conn.h"
#include "fs/log.h"
#include "fs/watch.h"
#include "sharedpc_limits.h"

#define PATIENCE_MS	LIMIT_OWNER_SILENT_MS

/* A call whose caller waits for it. */
struct waiting {
	struct call call;	/* first: see wake() */
	struct conn *conn;
	pthread_cond_t cond;
	bool done;		/* conn->lock, as is error */
	int error;
};

void conn_init(struct conn *c, int fd, const struct owner *owner)
{
	*c = (struct conn) {
		.fd = fd, .owner = owner, .patience_ms = PATIENCE_MS,
		.send = PTHREAD_MUTEX_INITIALIZER,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.sent = PTHREAD_COND_INITIALIZER,
		.bell = -1, .link = LINK_NONE,
	};
}

/* Unlink all calls that have been sent, lock held. */
static struct call *take_sent(struct conn *c)
{
	struct call **p = &c->calls, *call, *list = NULL;

	while ((call = *p)) {
		if (!call->sent) {
			p = &call->next;
			continue;
		}
		*p = call->next;
		call->next = list;
		list = call;
	}
	return list;
}

bool conn_kill(struct conn *c)
{
	struct call *list, *call;
	bool alive;

	pthread_mutex_lock(&c->lock);
	alive = !c->dead;
	if (alive && c->died)
		c->died(c->arg);
	c->dead = true;
	list = take_sent(c);
	pthread_mutex_unlock(&c->lock);
	shutdown(c->fd, SHUT_RDWR);	/* wakes who sends and who reads */
	link_leave(&c->link);
	while ((call = list)) {
		list = call->next;
		call->done(call, -ENOTCONN);
	}
	return alive;
}

bool conn_waits(const struct conn *c)
{
	const struct call *call;

	if (c->asks)
		return true;
	for (call = c->calls; call; call = call->next)
		if (call->op != CCFS_EVENTS)
			return true;
	return false;
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
		if (!conn_waits(c))
			c->life_ms = watch_now_ms();
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

/* Give the turn to read to somebody for whom there is something, lock held. */
static void read_pass(struct conn *c)
{
	const uint64_t one = 1;
	struct call *call;
	bool any = c->pings;

	if (c->reading)
		return;
	for (call = c->calls; call; call = call->next) {
		if (!call->sent)
			continue;	/* its sender may be waiting for the peer to read */
		any = true;
		if (!call->waits)
			continue;
		pthread_cond_signal(call->waits);
		return;
	}
	if (any && write(c->bell, &one, sizeof(one)) < 0)
		ccfs_log("the receiver cannot be woken: %m");
}

/* @call has been sent, or could not be: from here on it is not the sender's. */
static void sent(struct conn *c, struct call *call)
{
	bool dead;

	pthread_mutex_lock(&c->lock);
	/* After this a call without a thread may be answered, and be no more. */
	call->sent = true;
	dead = c->dead;
	if (dead)
		dequeue(c, call->id);
	else if (!call->waits)
		read_pass(c);
	pthread_cond_broadcast(&c->sent);
	pthread_mutex_unlock(&c->lock);
	if (dead)
		call->done(call, -ENOTCONN);
}

/* The stream is ours. */
static void transmit(struct conn *c, const struct msg *m)
{
	int ret = msg_send(c->fd, m);

	pthread_mutex_unlock(&c->send);
	if (ret && conn_kill(c))	/* how much of it went? */
		ccfs_log("sending to the owner failed: %s", strerror(-ret));
}

void conn_submit(struct conn *c, struct call *call)
{
	int ret = call->msg->error;

	call->op = call->msg->head.op;
	call->sent = false;
	if (!ret)
		ret = enqueue(c, call->msg, call);
	if (ret) {
		call->done(call, ret);
		return;
	}
	pthread_mutex_lock(&c->send);
	transmit(c, call->msg);
	sent(c, call);
}

static void wake(struct call *call, int error)
{
	struct waiting *w = (struct waiting *)call;
	struct conn *c = w->conn;

	pthread_mutex_lock(&c->lock);
	w->error = error;
	w->done = true;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&c->lock);
}

void conn_post(struct conn *c, struct msg *m)
{
	if (m->error || enqueue(c, m, NULL))
		return;
	pthread_mutex_lock(&c->send);
	transmit(c, m);
}

void conn_ping(struct conn *c)
{
	struct msg m = { 0 };

	/* A sender that holds the stream is itself waited for: no need. */
	if (pthread_mutex_trylock(&c->send))
		return;
	msg_start(&m, CCFS_PING, 0, 0);
	msg_put(&m, &(struct ccfs_cred){ 0 }, sizeof(struct ccfs_cred));
	if (m.error || enqueue(c, &m, NULL)) {
		pthread_mutex_unlock(&c->send);
	} else {
		/* Before it can be answered: each answer is to be read. */
		pthread_mutex_lock(&c->lock);
		c->pings++;
		pthread_mutex_unlock(&c->lock);
		transmit(c, &m);
		pthread_mutex_lock(&c->lock);
		read_pass(c);
		pthread_mutex_unlock(&c->lock);
	}
	msg_free(&m);
}

/* Hand answer @m to its call.  -EPROTO: it answers something else. */
static int deliver(struct conn *c, struct msg *m)
{
	struct call *call;
	struct msg request;

	pthread_mutex_lock(&c->lock);
	c->life_ms = watch_now_ms();
	if (m->head.op == CCFS_PING && c->pings)
		c->pings--;
	call = dequeue(c, m->head.id);
	pthread_mutex_unlock(&c->lock);
	if (!call)
		return m->head.op == CCFS_PING ? 0 : -EPROTO;
	if (call->op != m->head.op) {
		call->done(call, -ENOTCONN);
		return -EPROTO;
	}
	request = *call->msg;		/* the buffers change hands */
	*call->msg = *m;
	*m = request;
	call->done(call, call->msg->head.error);
	return 0;
}

/* Is there an answer to come that no thread waits for?  Lock held. */
static bool unattended(struct conn *c)
{
	struct call *call;

	if (c->pings)
		return true;
	for (call = c->calls; call; call = call->next)
		if (!call->waits)
			return true;
	return false;
}

/*
 * Read answers until *@enough (NULL: as long as some come that no thread waits for), or
 * the end.  With the lock held, which is let go of meanwhile.
 */
static void read_some(struct conn *c, const bool *enough)
{
	int ret = 0;

	c->reading = true;
	while (!ret && !c->dead && (enough ? !*enough : unattended(c))) {
		pthread_mutex_unlock(&c->lock);
		ret = msg_recv(c->fd, &c->in);
		if (!ret)
			ret = deliver(c, &c->in);
		pthread_mutex_lock(&c->lock);
	}
	c->reading = false;
	if (ret || c->dead)
		msg_free(&c->in);
	if (!ret)
		return;
	pthread_mutex_unlock(&c->lock);
	if (conn_kill(c))
		ccfs_log("the connection to the owner has ended: %s", strerror(-ret));
	pthread_mutex_lock(&c->lock);
}

static int call_stream(struct conn *c, struct msg *m)
{
	struct waiting w = { .call = { .msg = m, .done = wake }, .conn = c };

	pthread_cond_init(&w.cond, NULL);
	w.call.waits = &w.cond;
	conn_submit(c, &w.call);
	pthread_mutex_lock(&c->lock);
	while (!w.done) {
		if (c->reading || c->dead)
			pthread_cond_wait(&w.cond, &c->lock);
		else
			read_some(c, &w.done);
	}
	read_pass(c);
	pthread_mutex_unlock(&c->lock);
	pthread_cond_destroy(&w.cond);
	return w.error;
}

/* By the link: 1 if that is not for this one, or not now. */
static int call_link(struct conn *c, struct msg *m)
{
	const struct ccfs_header asked = m->head;
	bool dead;
	int ret;

	pthread_mutex_lock(&c->lock);
	m->head.id = ++c->last_id;
	dead = c->dead;
	if (!conn_waits(c))
		c->life_ms = watch_now_ms();
	c->asks += !dead;
	pthread_mutex_unlock(&c->lock);
	if (dead)
		return -ENOTCONN;
	ret = link_ask(&c->link, m);
	pthread_mutex_lock(&c->lock);
	c->asks--;
	if (!ret)
		c->life_ms = watch_now_ms();
	pthread_mutex_unlock(&c->lock);
	if (!ret && m->head.op != asked.op)
		ret = -EPROTO;
	if (ret == -EPROTO && conn_kill(c))
		ccfs_log("the owner has answered what nobody asked");
	return ret ? ret : m->head.error;
}

int conn_call(struct conn *c, struct msg *m)
{
	int ret = 1;

	if (!m->error && link_takes(&c->link, m))
		ret = call_link(c, m);
	return ret > 0 ? call_stream(c, m) : ret;
}

/* The stream has ended, and nobody reads who would see that. */
static void read_end(struct conn *c)
{
	static const bool never;

	pthread_mutex_lock(&c->lock);
	if (!c->reading)
		read_some(c, &never);
	pthread_mutex_unlock(&c->lock);
}

static void *receiver(void *arg)
{
	struct conn *c = arg;
	struct pollfd p[2] = {
		{ .fd = c->fd, .events = POLLRDHUP },
		{ .fd = c->bell, .events = POLLIN },
	};
	bool dead = false;
	uint64_t rings;

	while (!dead) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents) {
			read_end(c);
			usleep(10000);	/* another one reads, and will see it */
		}
		if (p[1].revents && read(c->bell, &rings, sizeof(rings)) < 0)
			ccfs_log("eventfd: %m");
		pthread_mutex_lock(&c->lock);
		if (p[1].revents && !c->reading)
			read_some(c, NULL);
		read_pass(c);
		dead = c->dead;
		pthread_mutex_unlock(&c->lock);
	}
	return NULL;
}

int conn_start(struct conn *c)
{
	pthread_t thread;
	pthread_attr_t attr;
	int ret;

	c->bell = eventfd(0, EFD_CLOEXEC);
	if (c->bell < 0)
		return -errno;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ret = pthread_create(&thread, &attr, receiver, c);
	if (!ret)
		ret = pthread_create(&thread, &attr, watch_run, c);
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
