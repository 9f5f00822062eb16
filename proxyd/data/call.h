/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * call.h - the client's kernel asks: faults, writes, fsyncs, closes.
 */
#ifndef PROXYD_CALL_H
#define PROXYD_CALL_H

#include "proxyd/data/proxy.h"

#define CALL_IDLE	8	/* threads that wait for a call, at most */
#define SYNC_THREADS	4	/* besides, for FSYNC alone */

/* Start the threads that take calls. 0 or -errno. */
int calls_start(struct proxy *proxy);

/* fault.c: find or fault in the pages that @call needs, and grant them. */
struct sharedpc_call;
int call_fault(struct proxy *proxy, const struct sharedpc_call *call);

#endif
