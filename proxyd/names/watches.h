/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * watches.h - what the client watches, and what has happened to it.
 */
#ifndef PROXYD_WATCHES_H
#define PROXYD_WATCHES_H

#include "proxyd/names/conn.h"

/* A node of @conn, a struct conn, has gone: nobody watches it. */
void watches_drop(void *conn, uint64_t node);
/* Put what has happened into @out: bytes, 0: nothing yet; or -errno. */
int watches_take(const struct conn *conn, struct msg *out);

#endif
