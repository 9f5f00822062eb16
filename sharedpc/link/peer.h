/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peer.h - the other images, as seen from this one
 */
#ifndef PEER_H
#define PEER_H

#include "link/ring.h"
#include "sharedpc_wire.h"

/*
 * What those above the link have done when something happens.  Messages are checked for
 * their size alone.  Soft interrupt: with bottom halves off, and must not wait for
 * anything.  The others are called by the listening thread, which they may not keep:
 * see peer.c.
 */
struct peer_hooks {
	/* What @image said as our client.  Soft interrupt. */
	void (*asked)(u32 image, const struct sharedpc_msg *msg);
	/* What it said as an owner.  Soft interrupt; false: it is for told(). */
	bool (*told_now)(u32 image, const struct sharedpc_msg *msg);
	/* With @nr frames. */
	void (*told)(u32 image, const struct sharedpc_frames *f, u32 nr);
	void (*came)(u32 image);
	void (*went)(u32 image);	/* once, when its life has ended */
	bool (*look)(u32 image);	/* in each round; true: again soon */
	void (*tick)(void);
	void (*rung)(void);		/* somebody rang: hard interrupt */
};

int peer_init(const struct peer_hooks *hooks);
void peer_exit(void);

/* Is @image READY, in the life that we know? */
bool peer_up(u32 image);

/* Wait until the thread has noticed that @image is not READY any more, but not for ever. */
void peer_settle(u32 image);
/* It has, and all above have been told. */
bool peer_settled(u32 image);
/* The listening thread: @image's life @epoch has ended, whatever its slot says. */
void peer_end(u32 image, u32 epoch);

/* Look at slots and rings now.  Any context. */
void peer_kick(void);

/* Our slot has changed: everybody should look. */
void peer_announce(void);

/*
 * Queue a message for @image, in the ring of those who say such, and ring its bell.
 * Does not sleep.  -ENOTCONN: it is not up; -EAGAIN: the ring is full just now.
 */
int peer_send(u32 image, const struct sharedpc_msg *msg, const void *body,
	      u32 body_len);
/* The same, waiting for room, but at most about a second; may sleep. */
int peer_send_wait(u32 image, const struct sharedpc_msg *msg);

/*
 * Look at the rings here, in place of the interrupt, until @done(@arg), but for no more
 * than the module's parameter spin_us, nor when this CPU has other work.  Whether it is
 * done.
 */
bool peer_spin(bool (*done)(void *arg), void *arg);
/* The same for @us microseconds, whatever else there is to do: for measuring. */
bool peer_spin_for(u32 us, bool (*done)(void *arg), void *arg);

/* Rings of the socket class, for socket.c. */
struct ring_tx *peer_socket_tx(u32 image);
struct ring_rx *peer_socket_rx(u32 image);
u32 peer_epoch(u32 image);

/* For debug.c. */
u64 peer_bad(u32 image);
u64 peer_full(u32 image);
u64 peer_messages(u32 image);		/* frame messages sent to @image */

#endif
