/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_MUTEX_H
#define TEST_KERNEL_MUTEX_H

#include <pthread.h>
#include "kernel.h"

struct mutex {
	pthread_mutex_t mutex;
};

#define DEFINE_MUTEX(m) struct mutex m = { PTHREAD_MUTEX_INITIALIZER }

static inline void mutex_init(struct mutex *m)
{
	pthread_mutex_init(&m->mutex, NULL);
}

static inline void mutex_lock(struct mutex *m)
{
	might_sleep();
	pthread_mutex_lock(&m->mutex);
}

static inline void mutex_unlock(struct mutex *m)
{
	pthread_mutex_unlock(&m->mutex);
	kernel_jitter();
}

#endif
