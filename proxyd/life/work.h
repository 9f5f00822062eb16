/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * work.h - jobs waiting for a thread.
 *
 * Two queues with threads of their own: jobs that may wait for a disk
 * (fsync and its like) can fill the second without delaying the first.
 */
#ifndef PROXYD_WORK_H
#define PROXYD_WORK_H

#include <stdbool.h>

/* Part of what it is about, which finds itself from it. */
struct job {
	struct job *next;
	void (*run)(struct job *job);
};

#define WORK_QUICK_THREADS	6
#define WORK_SLOW_THREADS	4

/* Start the threads; each sets itself up by cred_thread(). 0 or -errno. */
int work_start(void);
/* Give @job, with its run set, to a thread, which calls that. */
void work_add(struct job *job, bool slow);

#endif
