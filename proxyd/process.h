/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * process.h - the process that serves one client image from one file system.
 *
 * The listener (listener.c) forks one for each connection. It reads what that wants
 * to mount, and becomes the proxy for the file system, or hands the connection to the
 * one that is (pass.h). So whatever a file system makes wait waits in processes of its
 * own. It ends when no connection and no open file is left (life.h), when the client
 * is gone, or when the listener is. Mounts of the owner itself share nothing: each has
 * its process.
 */
#ifndef PROXYD_PROCESS_H
#define PROXYD_PROCESS_H

#include "proxyd/data/proxy.h"
#include "proxyd/pass.h"

/* The life of a proxy that is told about itself; process_run() does that, too. */
void process_init(struct proxy *proxy);
/* Take connection @fd, with @hello if it has been said; one too many is closed. */
void process_conn_add(struct proxy *proxy, int fd, const struct hello *hello);
/*
 * Life of the proxy that @mount is for. Set of it are config, owner, client, image,
 * local and control.
 */
void process_run(struct proxy *proxy, struct mount *mount) __attribute__((noreturn));

#endif
