/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * work.h - requests waiting for a thread.
 *
 * Two queues with threads of their own: requests that may wait for a disk
 * (fsync and its like) can fill the second without delaying the first.
 */
#ifndef PROXYD_WORK_H
#define PROXYD_WORK_H

#include <stdbool.h>

struct request;

#define WORK_QUICK_THREADS	6
#define WORK_SLOW_THREADS	4

/* Start the threads; each sets itself up by cred_thread(). 0 or -errno. */
int work_start(void);
/* Give @req to a thread, which ends with request_run(@req). */
void work_add(struct request *req, bool slow);

#endif
