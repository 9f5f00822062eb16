/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * process.h - the process that acts for one client image.
 *
 * The listener (listener.c) forks it for a client's first connection and hands
 * it the others through a socket. It ends when no connection and no open
 * file is left (life.h), when the client is gone, or when the listener is.
 */
#ifndef PROXYD_PROCESS_H
#define PROXYD_PROCESS_H

#include "proxyd/data/proxy.h"

/* What the listener and a proxy say to each other: */
#define PROCESS_CONN	'c'	/* listener: a connection comes along (SCM_RIGHTS) */
/*
 * proxy: a uint32_t, the connections it has had: it has nothing left to do.
 * If that is all of them the listener closes its end, and the proxy ends.
 */

/* Send @conn along with PROCESS_CONN, or -EAGAIN at once. 0 or -errno. */
int process_hand_over(int control, int conn);

/* The life of a proxy that is told about itself; process_run() does that, too. */
void process_init(struct proxy *proxy);
/* Take connection @fd (taken over); one too many is closed. */
void process_conn_add(struct proxy *proxy, int fd);
/*
 * Life of the proxy. Set of it are config, owner, client, image, local and the control
 * of its life.
 */
void process_run(struct proxy *proxy) __attribute__((noreturn));

#endif
