/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * call.h - the client asks: its kernel faults, writes, fsyncs, closes; its ccfs names.
 */
#ifndef PROXYD_CALL_H
#define PROXYD_CALL_H

#include "proxyd/data/proxy.h"

#define SYNC_THREADS	4	/* for FSYNC alone */

/* Start the threads that take calls. 0 or -errno. */
int calls_start(struct proxy *proxy);
/*
 * One mount more, by which the client may hold @quota bytes of the file system, 0: all
 * that it can get. The widest of its mounts counts.
 */
void calls_limit(struct proxy *proxy, uint64_t quota);

/* fault.c: find or fault in the pages that @call needs, and grant them. */
struct sharedpc_call;
int call_fault(struct proxy *proxy, const struct sharedpc_call *call);

#endif
