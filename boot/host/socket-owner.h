/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * socket-owner.h - who listens on a UNIX socket
 */
#ifndef BOOT_SOCKET_OWNER_H
#define BOOT_SOCKET_OWNER_H

#include <sys/types.h>

/* The process that listens on the stream socket @path; 0: none. */
pid_t socket_owner(const char *path);

#endif
