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
void ring_rx_init(struct ring_rx *rx, struct sharedpc_ring *ring);
int ring_push(struct ring_tx *tx, u32 epoch, const void *head, u32 head_len,
	      const void *body, u32 body_len);
int ring_push_spoilt(struct ring_tx *tx, u32 epoch, const void *head, u32 head_len,
		     const void *body, u32 body_len, u64 with);
int ring_pop(struct ring_rx *rx, void *buf, u32 size, u32 *epoch);
int ring_peek(struct ring_rx *rx, void *buf, u32 size, u32 *epoch);
void ring_skip(struct ring_rx *rx, u32 len);
bool ring_empty(const struct ring_rx *rx);

#endif
