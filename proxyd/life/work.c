// SPDX-License-Identifier: GPL-2.0-only
/*
 * work.c - jobs waiting for a thread.
 *
 * The threads live as long as the process. What is queued is bounded by the
 * connections, which stop reading when too many of theirs are on the way.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "proxyd/export/cred.h"
#include "proxyd/life/log.h"
#include "proxyd/life/work.h"

struct queue {
	pthread_mutex_t lock;	/* protects first, last */
	pthread_cond_t more;
	struct job *first, *last;
};

static struct queue queues[2] = {
	{ .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER },
	{ .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER },
};

void work_add(struct job *job, bool slow)
{
	struct queue *q = &queues[slow];

	job->next = NULL;
	pthread_mutex_lock(&q->lock);
	if (q->first)
		q->last->next = job;
	else
		q->first = job;
	q->last = job;
	pthread_cond_signal(&q->more);
	pthread_mutex_unlock(&q->lock);
}

static void *worker(void *arg)
{
	struct queue *q = arg;
	struct job *job;

	if (cred_thread()) {
		/* with a umask shared by all nothing could be created right */
		log_say("cannot have a umask per thread");
		abort();
	}
	for (;;) {
		pthread_mutex_lock(&q->lock);
		while (!q->first)
			pthread_cond_wait(&q->more, &q->lock);
		job = q->first;
		q->first = job->next;
		pthread_mutex_unlock(&q->lock);
		job->run(job);
	}
	return NULL;
}

int work_start(void)
{
	pthread_t thread;
	int i, ret;

	for (i = 0; i < WORK_QUICK_THREADS + WORK_SLOW_THREADS; i++) {
		ret = pthread_create(&thread, NULL, worker,
				     &queues[i >= WORK_QUICK_THREADS]);
		if (ret)
			return -ret;
		pthread_detach(thread);
	}
	return 0;
}
