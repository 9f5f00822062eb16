/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * watch.h - is the owner of a connection still there?
 *
 * A thread that looks every few seconds whether the owner's image is up and,
 * while calls wait, whether anything came from it; if not it sends a PING.  It
 * kills the connection after 60 s of silence (conn->patience_ms).
 *
 * A silence is one only if somebody listened.  When the thread itself ran late
 * (ccfs was stopped, the machine was paused) what came may be still unread, and
 * the silence starts anew.
 */
#ifndef CCFS_WATCH_H
#define CCFS_WATCH_H

#include <stdint.h>

/* The thread, for a struct conn; it ends when the connection is dead. */
void *watch_run(void *conn);
int64_t watch_now_ms(void);

#endif
