/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * callers.h - the threads that take calls of one kind (NEXT in sharedpc_ioctl.h).
 *
 * A call must always find a thread, whatever disk the others wait for: while there are
 * fewer threads than calls that a client can have open, one always waits for the next
 * call. Of those that are done, more than CALLERS_IDLE do not wait for another.
 */
#ifndef PROXYD_CALLERS_H
#define PROXYD_CALLERS_H

#include <pthread.h>
#include <stdint.h>

#define CALLERS_IDLE	8

struct proxy;
struct sharedpc_call;

struct callers {
	unsigned int max;	/* threads: calls that a client may have open */
	uint32_t flags;		/* SHAREDPC_NEXT_* */
	/* In each thread, at its start; may be NULL. 0 or -errno: the proxy ends. */
	int (*begin)(struct proxy *proxy);
	void (*take)(struct proxy *proxy, const struct sharedpc_call *call);
	struct proxy *proxy;
	pthread_mutex_t lock;	/* both below */
	unsigned int threads;
	unsigned int idle;	/* of them, those that wait for a call */
};

/* Start them, whose max, flags, begin, take and lock are set. 0 or -errno. */
int callers_start(struct callers *c, struct proxy *proxy);
/* One thread that runs @run(@arg), detached. 0 or -errno. */
int callers_thread(void *(*run)(void *arg), void *arg);

#endif
