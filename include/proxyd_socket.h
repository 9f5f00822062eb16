/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * proxyd_socket.h - where proxyd listens for mounts of its own image.
 */
#ifndef PROXYD_SOCKET_H
#define PROXYD_SOCKET_H

#define PROXYD_SOCKET	"/run/ccluster/proxyd.sock"

#endif
