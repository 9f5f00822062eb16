// SPDX-License-Identifier: GPL-2.0-only
/*
 * later.c - what nobody needs to wait for, see later.h
 *
 * The threads live as long as the process. In what order things are done is
 * not defined.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxyd/life/later.h"

#define LATER_THREADS	4

struct job {
	struct job *next;
	void (*run)(void *a, void *b);
	void *a, *b;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* protects all below */
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct job *first, **last = &first;
static unsigned int threads;	/* 0: nobody else to do it */

static void *worker(void *arg)
{
	struct job *job;

	for (;;) {
		pthread_mutex_lock(&lock);
		while (!first)
			pthread_cond_wait(&more, &lock);
		job = first;
		first = job->next;
		if (!first)
			last = &first;
		pthread_mutex_unlock(&lock);
		job->run(job->a, job->b);
		free(job);
	}
	return NULL;
}

int later_start(void)
{
	pthread_t thread;
	int ret = 0;

	pthread_mutex_lock(&lock);
	while (!ret && threads < LATER_THREADS) {
		ret = -pthread_create(&thread, NULL, worker, NULL);
		if (ret)
			break;
		pthread_detach(thread);
		threads++;
	}
	pthread_mutex_unlock(&lock);
	return ret;
}

void later(void (*run)(void *a, void *b), void *a, void *b)
{
	struct job *job = malloc(sizeof(*job));

	pthread_mutex_lock(&lock);
	if (job && threads) {
		*job = (struct job) { .run = run, .a = a, .b = b };
		*last = job;
		last = &job->next;
		job = NULL;
		run = NULL;
		pthread_cond_signal(&more);
	}
	pthread_mutex_unlock(&lock);
	free(job);
	if (run)
		run(a, b);
}

static void close_fd(void *fd, void *unused)
{
	close((intptr_t)fd);
}

void later_close(int fd)
{
	later(close_fd, (void *)(intptr_t)fd, NULL);
}
