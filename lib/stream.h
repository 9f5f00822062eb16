/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stream.h - stream sockets between images, from root to root
 *
 * A CID says which image a peer is on and cannot be forged; a port below 1024
 * says that it is root there: connecting from one takes CAP_SYS_ADMIN (socket.c
 * of sharedpc.ko).  All services of the project talk to such ports only.
 */
#ifndef LIB_STREAM_H
#define LIB_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/vm_sockets.h>

/*
 * Give the new AF_VSOCK socket @fd a reserved port.  0; -EACCES not root;
 * -EADDRINUSE all are taken, and were for a second.
 */
int stream_bind(int fd);

/*
 * Connect to @port of the image with CID @cid, from a reserved port.  Waits at
 * most @timeout_ms.  The socket (blocking, close-on-exec), or -errno.
 */
int stream_connect(uint32_t cid, uint32_t port, int timeout_ms);

/*
 * Listen on @port for up to @backlog at once; @flags of socket(): SOCK_NONBLOCK or 0.
 * The socket, close-on-exec, or -errno.
 */
int stream_listen(uint32_t port, int backlog, int flags);

/* Is the peer at @addr (from accept) root on its image? */
bool stream_from_root(const struct sockaddr_vm *addr);

#endif
