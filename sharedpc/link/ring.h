/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ring.h - single-producer, single-consumer records in shared memory
 *
 * Both ends keep their own index here, in private memory: what the other
 * side could scribble on in the shared header is never read back as ours.
 */
#ifndef RING_H
#define RING_H

#include <linux/spinlock.h>
#include "sharedpc_abi.h"

struct ring_tx {
	spinlock_t lock;		/* makes many senders one producer */
	struct sharedpc_ring *ring;
	u64 head;			/* under lock */
	u64 pushed;			/* records put in, under lock */
	u64 full;			/* pushes refused, under lock */
};

/* Used by one at a time. */
struct ring_rx {
	struct sharedpc_ring *ring;
	u64 tail;
	u64 bad;			/* times that the producer made no sense */
};

void ring_tx_init(struct ring_tx *tx, struct sharedpc_ring *ring);
/* Throw away what was meant for an earlier life of this image. */
void ring_rx_init(struct ring_rx *rx, struct sharedpc_ring *ring);
/*
 * Put one record in: @head_len bytes of @head, then @body_len of @body
 * (which may be NULL when 0).  Any context.  0; -EAGAIN: no room now;
 * -EMSGSIZE: longer than half of the ring.
 */
int ring_push(struct ring_tx *tx, u32 epoch, const void *head, u32 head_len,
	      const void *body, u32 body_len);
/* The same, and then somebody's stray store: one word of it is another one.  @with: not 0. */
int ring_push_spoilt(struct ring_tx *tx, u32 epoch, const void *head, u32 head_len,
		     const void *body, u32 body_len, u64 with);
/*
 * Take the oldest record out into @buf.  Returns its length in bytes;
 * -EAGAIN: the ring is empty; -EPROTO: it made no sense and was emptied, or a
 * record of more than @size bytes or with a wrong sum was thrown away.
 */
int ring_pop(struct ring_rx *rx, void *buf, u32 size, u32 *epoch);
/*
 * The first @size bytes of the oldest record into @buf, which stays where it is until
 * it is taken.  Its length in bytes, which may be more than @size (then nobody has looked
 * at its sum); or as ring_pop.
 */
int ring_peek(struct ring_rx *rx, void *buf, u32 size, u32 *epoch);
/* Be done with the oldest record, of which ring_peek said that it has @len bytes. */
void ring_skip(struct ring_rx *rx, u32 len);
bool ring_empty(const struct ring_rx *rx);

#endif
