// SPDX-License-Identifier: GPL-2.0-only
/*
 * watch.c - is the owner of a connection still there?  See watch.h
 */
#include <time.h>
#include <unistd.h>

#include "fs/conn.h"
#include "fs/log.h"
#include "fs/watch.h"

#define WATCH_PARTS	12	/* looks per patience: 5 s */
#define LATE_PARTS	3	/* since the last look: too late to judge */

int64_t watch_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* For how long calls have waited in silence, ms; -1: the connection is dead. */
static int64_t silence(struct conn *c, bool late)
{
	int64_t now = watch_now_ms(), ms = 0;

	pthread_mutex_lock(&c->lock);
	if (late)
		c->life_ms = now;
	if (conn_waits(c))
		ms = now - c->life_ms;
	if (c->dead)
		ms = -1;
	pthread_mutex_unlock(&c->lock);
	return ms;
}

void *watch_run(void *conn)
{
	struct conn *c = conn;
	int part = c->patience_ms / WATCH_PARTS;
	int64_t last, now = watch_now_ms(), silent;

	for (;;) {
		usleep(part * 1000);
		last = now;
		now = watch_now_ms();
		silent = silence(c, now - last > LATE_PARTS * part);
		if (silent < 0)
			return NULL;
		if (owner_alive(c->owner)) {
			ccfs_log("the owner is down");
			conn_kill(c);
		} else if (silent > c->patience_ms) {
			ccfs_log("no sign of life from the owner for %d s",
				 c->patience_ms / 1000);
			conn_kill(c);
		} else if (silent >= part) {
			conn_ping(c);
		}
	}
}
