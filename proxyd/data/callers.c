// SPDX-License-Identifier: GPL-2.0-only
/*
 * callers.c - the threads that take calls of one kind (NEXT in sharedpc_ioctl.h).
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "proxyd/data/callers.h"
#include "proxyd/data/proxy.h"
#include "proxyd/export/cred.h"
#include "proxyd/life/log.h"
#include "sharedpc_ioctl.h"

int callers_thread(void *(*run)(void *arg), void *arg)
{
	pthread_t thread;
	int ret = pthread_create(&thread, NULL, run, arg);

	if (!ret)
		pthread_detach(thread);
	return -ret;
}

static void *caller(void *arg);

/* One more of those that wait. 0 or -errno; nothing if there are @enough. */
static int caller_add(struct callers *c, unsigned int enough)
{
	bool add;
	int ret = 0;

	pthread_mutex_lock(&c->lock);
	add = c->idle < enough && c->threads < c->max;
	c->idle += add;
	c->threads += add;
	pthread_mutex_unlock(&c->lock);
	if (add)
		ret = callers_thread(caller, c);
	if (ret) {
		pthread_mutex_lock(&c->lock);
		c->idle--;
		c->threads--;
		pthread_mutex_unlock(&c->lock);
	}
	return ret;
}

/* This thread has a call to do; the next call finds another one. */
static void caller_busy(struct callers *c)
{
	int ret;

	pthread_mutex_lock(&c->lock);
	c->idle--;
	pthread_mutex_unlock(&c->lock);
	ret = caller_add(c, 1);
	if (ret)
		log_say("no thread for the next call: %s", strerror(-ret));
}

/* This thread has done its call. False: enough others wait, it is to end. */
static bool caller_idle(struct callers *c)
{
	bool stays;

	pthread_mutex_lock(&c->lock);
	stays = c->idle < CALLERS_IDLE;
	if (stays)
		c->idle++;
	else
		c->threads--;
	pthread_mutex_unlock(&c->lock);
	return stays;
}

/* The next call. Does not return without one. */
static void caller_next(const struct callers *c, struct sharedpc_call *call)
{
	do {
		call->flags = c->flags;
		if (!ioctl(c->proxy->dev, SHAREDPC_IOC_NEXT, call))
			return;
		if (errno == ENODEV)
			life_end("the client is gone");
	} while (errno == EINTR);
	life_end(strerror(errno));
}

static void *caller(void *arg)
{
	struct callers *c = arg;
	struct sharedpc_call call;
	int ret = cred_thread();

	if (!ret && c->begin)
		ret = c->begin(c->proxy);
	if (ret)
		life_end("a thread that takes calls cannot begin");
	do {
		caller_next(c, &call);
		caller_busy(c);
		c->take(c->proxy, &call);
	} while (caller_idle(c));
	return NULL;
}

int callers_start(struct callers *c, struct proxy *proxy)
{
	int i, ret = 0;

	c->proxy = proxy;
	for (i = 0; i < CALLERS_IDLE && !ret; i++)
		ret = caller_add(c, CALLERS_IDLE);
	return ret;
}
