// SPDX-License-Identifier: GPL-2.0-only
/*
 * forget.c - nodes that nobody needs any more, on their way to the owner
 */
#include <string.h>
#include <time.h>

#include "fs/conn.h"
#include "fs/forget.h"

_Static_assert(FORGETS <= CCFS_FORGET_MAX, "one message");

static void send_all(struct conn *c, const struct ccfs_forget *list, size_t n)
{
	struct ccfs_cred cred = { 0 };
	struct ccfs_count count = { .count = n };
	struct msg m = { 0 };

	msg_start(&m, CCFS_FORGET, 0, 0);
	msg_put(&m, &cred, sizeof(cred));
	msg_put(&m, &count, sizeof(count));
	msg_put(&m, list, n * sizeof(*list));
	conn_post(c, &m);
	msg_free(&m);
}

/* Wait for the first, and then for more, but not for long. Lock held. */
static void gather(struct forgets *f)
{
	struct timespec end;

	while (!f->n)
		pthread_cond_wait(&f->change, &f->lock);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += FORGET_DELAY_MS * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_nsec -= 1000000000;
		end.tv_sec++;
	}
	while (f->n < FORGETS && !pthread_cond_timedwait(&f->change, &f->lock, &end))
		;
}

static void *sender(void *arg)
{
	struct ccfs_forget list[FORGETS];
	struct forgets *f = arg;
	size_t n;

	for (;;) {
		pthread_mutex_lock(&f->lock);
		gather(f);
		n = f->n;
		f->n = 0;
		memcpy(list, f->list, n * sizeof(*list));
		pthread_cond_broadcast(&f->change);
		pthread_mutex_unlock(&f->lock);
		send_all(f->conn, list, n);
	}
	return NULL;
}

int forgets_start(struct forgets *f, struct conn *c)
{
	pthread_condattr_t clock;
	pthread_t thread;
	int ret;

	f->conn = c;
	f->n = 0;
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&f->change, &clock);
	pthread_condattr_destroy(&clock);
	ret = pthread_create(&thread, NULL, sender, f);
	if (!ret)
		pthread_detach(thread);
	return -ret;
}

void forgets_add(struct forgets *f, const struct ccfs_forget *list, size_t n)
{
	size_t some;

	pthread_mutex_lock(&f->lock);
	while (n) {
		while (f->n == FORGETS)
			pthread_cond_wait(&f->change, &f->lock);
		some = n < FORGETS - f->n ? n : FORGETS - f->n;
		memcpy(f->list + f->n, list, some * sizeof(*list));
		if (!f->n || f->n + some == FORGETS)
			pthread_cond_broadcast(&f->change);
		f->n += some;
		list += some;
		n -= some;
	}
	pthread_mutex_unlock(&f->lock);
}
