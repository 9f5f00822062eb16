// SPDX-License-Identifier: GPL-2.0-only
/*
 * slow.c - calls that may take long, which no thread waits for, see slow.h
 *
 * Who reads answers does not send: while he did nobody would read, and a proxy that
 * cannot get rid of its answers does not read either.
 */
#include <errno.h>
#include <stdlib.h>

#include "fs/slow.h"

struct slow_call {
	struct call call;	/* first: see done() */
	struct slow_call *next;
	struct slow *slow;
	struct fuse_req *req;
	struct msg msg;
	slow_reply *reply;
};

static void done(struct call *call, int error)
{
	struct slow_call *sc = (struct slow_call *)call;
	struct slow *s = sc->slow;

	sc->reply(sc->req, &sc->msg, error);
	msg_free(&sc->msg);
	free(sc);
	pthread_mutex_lock(&s->lock);
	s->calls--;
	s->sent--;
	pthread_cond_broadcast(&s->change);
	pthread_mutex_unlock(&s->lock);
}

static void *sender(void *arg)
{
	struct slow *s = arg;
	struct slow_call *sc;

	for (;;) {
		pthread_mutex_lock(&s->lock);
		while (!s->first || s->sent >= SLOW_CALLS)
			pthread_cond_wait(&s->change, &s->lock);
		sc = s->first;
		s->first = sc->next;
		s->sent++;
		pthread_mutex_unlock(&s->lock);
		conn_submit(s->conn, &sc->call);
	}
	return NULL;
}

int slow_start(struct slow *s, struct conn *c)
{
	pthread_t thread;
	int ret;

	*s = (struct slow) {
		.conn = c, .lock = PTHREAD_MUTEX_INITIALIZER,
		.change = PTHREAD_COND_INITIALIZER,
	};
	ret = pthread_create(&thread, NULL, sender, s);
	if (!ret)
		pthread_detach(thread);
	return -ret;
}

void slow_ask(struct slow *s, struct fuse_req *req, struct msg *m,
	      slow_reply *reply)
{
	struct slow_call *sc = m->error ? NULL : calloc(1, sizeof(*sc));

	if (!sc) {
		reply(req, m, m->error ? m->error : -ENOMEM);
		msg_free(m);
		return;
	}
	*sc = (struct slow_call) {
		.call = { .msg = &sc->msg, .done = done },
		.slow = s, .req = req, .msg = *m, .reply = reply,
	};
	*m = (struct msg) { 0 };
	pthread_mutex_lock(&s->lock);
	if (s->first)
		s->last->next = sc;
	else
		s->first = sc;
	s->last = sc;
	s->calls++;
	pthread_cond_broadcast(&s->change);
	pthread_mutex_unlock(&s->lock);
}

void slow_end(struct slow *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->calls)
		pthread_cond_wait(&s->change, &s->lock);
	pthread_mutex_unlock(&s->lock);
}
