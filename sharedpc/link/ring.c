// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring.c - single-producer, single-consumer records in shared memory
 *
 *	ring_push	put one record in, or -EAGAIN when it does not fit
 *	ring_pop	take one record out, or -EAGAIN when there is none
 *	ring_peek	look at the oldest, ring_skip	and be done with it
 *
 * head and tail count bytes for ever.  The producer publishes a record by
 * moving head past it, the consumer frees it by moving tail.  Neither waits:
 * who finds the ring full or empty decides what to do.
 *
 * The consumer trusts nothing: a head that is too far away or a record that
 * is too long makes it throw away all that is there and count the event.  A record with
 * a wrong sum (somebody's stray store) is thrown away alone: who waits for what it said
 * asks again.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include "link/ring.h"

#define RECORD_ALIGN	8

static u32 record_size(u32 len)
{
	return (sizeof(struct sharedpc_record) + len + RECORD_ALIGN - 1) &
		~(RECORD_ALIGN - 1U);
}

static void copy_in(struct sharedpc_ring *ring, u64 at, const void *src, u32 len)
{
	u32 off = at % SHAREDPC_RING_DATA;
	u32 first = min_t(u32, len, SHAREDPC_RING_DATA - off);

	memcpy(ring->data + off, src, first);
	memcpy(ring->data, (const u8 *)src + first, len - first);
}

static void copy_out(const struct sharedpc_ring *ring, u64 at, void *dst, u32 len)
{
	u32 off = at % SHAREDPC_RING_DATA;
	u32 first = min_t(u32, len, SHAREDPC_RING_DATA - off);

	memcpy(dst, ring->data + off, first);
	memcpy((u8 *)dst + first, ring->data, len - first);
}

/*
 * The sum of a record whose payload is @head_len bytes of @head, then @body, with zeros
 * up to a multiple of 8.
 */
static u64 record_sum(const struct sharedpc_record *rec, const void *head,
		      u32 head_len, const void *body)
{
	u64 sum = sharedpc_sum(rec->len, rec->epoch), word;
	u32 at, i;

	for (at = 0; at < rec->len; at += sizeof(word)) {
		word = 0;
		if (at + sizeof(word) <= head_len)
			memcpy(&word, head + at, sizeof(word));
		else if (at >= head_len && at + sizeof(word) <= rec->len)
			memcpy(&word, body + (at - head_len), sizeof(word));
		else
			for (i = at; i < at + sizeof(word) && i < rec->len; i++)
				((u8 *)&word)[i - at] = i < head_len ?
					((const u8 *)head)[i] :
					((const u8 *)body)[i - head_len];
		sum = sharedpc_sum(sum, word);
	}
	return sum;
}

/* Go on where an earlier life of this image stopped. */
void ring_tx_init(struct ring_tx *tx, struct sharedpc_ring *ring)
{
	spin_lock_init(&tx->lock);
	tx->ring = ring;
	tx->pushed = 0;
	tx->full = 0;
	tx->head = READ_ONCE(ring->head) & ~(RECORD_ALIGN - 1ULL);
}

void ring_rx_init(struct ring_rx *rx, struct sharedpc_ring *ring)
{
	rx->ring = ring;
	rx->bad = 0;
	/* As in ring_pop, which both pair with. */
	rx->tail = smp_load_acquire(&ring->head) & ~(RECORD_ALIGN - 1ULL);
	/* Nothing before this tail is read any more. */
	smp_store_release(&ring->tail, rx->tail);
}

/*
 * There is no room.  What makes no sense may be somebody's stray store, and a consumer that
 * believed one to head has it for its tail: say again how far we are.
 */
static void ring_mend(struct ring_tx *tx)
{
	if (READ_ONCE(tx->ring->head) == tx->head)
		return;
	/* Pairs with the acquire in ring_record. */
	smp_store_release(&tx->ring->head, tx->head);
}

/* Change one word of the record of @size bytes that has just been put in. */
static void spoil(struct ring_tx *tx, u32 size, u64 with)
{
	u64 at = tx->head + with % (size / RECORD_ALIGN) * RECORD_ALIGN;

	/* Not its length: then all that is there would go. */
	if (at == tx->head)
		at += RECORD_ALIGN;
	*(u64 *)(tx->ring->data + at % SHAREDPC_RING_DATA) ^= with;
}

/* As ring_push; @with, if it is not 0, spoils it. */
static int put(struct ring_tx *tx, u32 epoch, const void *head, u32 head_len,
	       const void *body, u32 body_len, u64 with)
{
	struct sharedpc_record rec = { .len = head_len + body_len, .epoch = epoch };
	u32 size = record_size(rec.len);
	unsigned long flags;
	int err = 0;
	u64 used;

	if (body_len > SHAREDPC_RING_DATA || size > SHAREDPC_RING_DATA / 2)
		return -EMSGSIZE;
	rec.sum = record_sum(&rec, head, head_len, body);

	spin_lock_irqsave(&tx->lock, flags);
	/*
	 * Pairs with the release in ring_pop: without it the bytes below
	 * could overwrite a record that the consumer still copies.
	 */
	used = tx->head - smp_load_acquire(&tx->ring->tail);
	if (used > SHAREDPC_RING_DATA || size > SHAREDPC_RING_DATA - used) {
		ring_mend(tx);
		tx->full++;
		err = -EAGAIN;
		goto unlock;
	}
	copy_in(tx->ring, tx->head, &rec, sizeof(rec));
	copy_in(tx->ring, tx->head + sizeof(rec), head, head_len);
	if (body_len)
		copy_in(tx->ring, tx->head + sizeof(rec) + head_len, body, body_len);
	if (unlikely(with))
		spoil(tx, size, with);
	tx->head += size;
	tx->pushed++;
	/* Pairs with the acquire in ring_pop: the record is there before head. */
	smp_store_release(&tx->ring->head, tx->head);
unlock:
	spin_unlock_irqrestore(&tx->lock, flags);
	return err;
}

int ring_push(struct ring_tx *tx, u32 epoch, const void *head, u32 head_len,
	      const void *body, u32 body_len)
{
	return put(tx, epoch, head, head_len, body, body_len, 0);
}

int ring_push_spoilt(struct ring_tx *tx, u32 epoch, const void *head, u32 head_len,
		     const void *body, u32 body_len, u64 with)
{
	return put(tx, epoch, head, head_len, body, body_len, with);
}

/* All up to @tail has been taken. */
static void ring_free(struct ring_rx *rx, u64 tail)
{
	WRITE_ONCE(rx->tail, tail);
	/* Pairs with the acquire in ring_push: we are done with the bytes. */
	smp_store_release(&rx->ring->tail, tail);
}

/* The header of the oldest record: 0, -EAGAIN, or -EPROTO as ring_pop. */
static int ring_record(struct ring_rx *rx, struct sharedpc_record *rec)
{
	/* Pairs with the release in ring_push: the record is there. */
	u64 head = smp_load_acquire(&rx->ring->head) & ~(RECORD_ALIGN - 1ULL);
	u64 used = head - rx->tail;

	if (!used) {
		/* The same at this end. */
		if (unlikely(READ_ONCE(rx->ring->tail) != rx->tail))
			ring_free(rx, rx->tail);
		return -EAGAIN;
	}
	if (used <= SHAREDPC_RING_DATA) {
		copy_out(rx->ring, rx->tail, rec, sizeof(*rec));
		if (rec->len <= SHAREDPC_RING_DATA && record_size(rec->len) <= used)
			return 0;
	}
	rx->bad++;
	ring_free(rx, head);
	return -EPROTO;
}

void ring_skip(struct ring_rx *rx, u32 len)
{
	ring_free(rx, rx->tail + record_size(len));
}

int ring_peek(struct ring_rx *rx, void *buf, u32 size, u32 *epoch)
{
	struct sharedpc_record rec;
	int err = ring_record(rx, &rec);

	if (err)
		return err;
	copy_out(rx->ring, rx->tail + sizeof(rec), buf, min_t(u32, rec.len, size));
	if (rec.len <= size && record_sum(&rec, buf, rec.len, NULL) != rec.sum) {
		rx->bad++;
		ring_skip(rx, rec.len);
		return -EPROTO;
	}
	*epoch = rec.epoch;
	return rec.len;
}

int ring_pop(struct ring_rx *rx, void *buf, u32 size, u32 *epoch)
{
	int len = ring_peek(rx, buf, size, epoch);

	if (len < 0)
		return len;
	ring_skip(rx, len);
	if (len <= (int)size)
		return len;
	rx->bad++;
	return -EPROTO;
}

bool ring_empty(const struct ring_rx *rx)
{
	return (READ_ONCE(rx->ring->head) & ~(RECORD_ALIGN - 1ULL)) ==
	       READ_ONCE(rx->tail);
}
