// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-ring.c - the rings of sharedpc.ko, the kernel's own source file
 *
 * Order and content with records of all lengths, wrap-around, full and empty,
 * going on after a restart of either side, a consumer against a mad producer,
 * and two threads at full speed.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "sharedpc/link/ring.h"

#define MAX_RECORD	4096

static struct sharedpc_ring *new_ring(void)
{
	struct sharedpc_ring *ring = calloc(1, sizeof(*ring));

	assert_non_null(ring);
	return ring;
}

static void fill(u8 *buf, u32 len, u32 seed)
{
	for (u32 i = 0; i < len; i++)
		buf[i] = (seed * 131 + i * 7) & 0xff;
}

static void check_pop(struct ring_rx *rx, u32 seed, u32 len, u32 epoch)
{
	u8 got[MAX_RECORD], want[MAX_RECORD];
	u32 e = 0;

	assert_int_equal(ring_pop(rx, got, sizeof(got), &e), len);
	assert_int_equal(e, epoch);
	fill(want, len, seed);
	assert_memory_equal(got, want, len);
}

static int push(struct ring_tx *tx, u32 seed, u32 head_len, u32 body_len, u32 epoch)
{
	u8 buf[MAX_RECORD];

	fill(buf, head_len + body_len, seed);
	return ring_push(tx, epoch, buf, head_len, buf + head_len, body_len);
}

static void test_all_lengths(void **state)
{
	struct sharedpc_ring *ring = new_ring();
	struct ring_tx tx;
	struct ring_rx rx;

	ring_tx_init(&tx, ring);
	ring_rx_init(&rx, ring);
	assert_true(ring_empty(&rx));
	/* 4,097 lengths cover every wrap position of a 64 KiB ring. */
	for (u32 len = 0; len <= MAX_RECORD; len++) {
		assert_int_equal(push(&tx, len, len / 3, len - len / 3, len), 0);
		assert_false(ring_empty(&rx));
		check_pop(&rx, len, len, len);
	}
	assert_true(ring_empty(&rx));
	free(ring);
}

static void test_full_and_empty(void **state)
{
	struct sharedpc_ring *ring = new_ring();
	u8 buf[MAX_RECORD];
	struct ring_tx tx;
	struct ring_rx rx;
	u32 n = 0, e;

	ring_tx_init(&tx, ring);
	ring_rx_init(&rx, ring);
	assert_int_equal(ring_pop(&rx, buf, sizeof(buf), &e), -EAGAIN);
	while (!push(&tx, n, 100, 0, 1))
		n++;
	/* 16 bytes of header and padding to 120 each: nothing is wasted. */
	assert_int_equal(n, SHAREDPC_RING_DATA / 120);
	assert_int_equal(push(&tx, n, 100, 0, 1), -EAGAIN);
	assert_int_equal(tx.full, 2);
	check_pop(&rx, 0, 100, 1);
	assert_int_equal(push(&tx, n, 100, 0, 1), 0);
	for (u32 i = 1; i <= n; i++)
		check_pop(&rx, i, 100, 1);
	assert_int_equal(ring_pop(&rx, buf, sizeof(buf), &e), -EAGAIN);
	free(ring);
}

static void test_too_long(void **state)
{
	struct sharedpc_ring *ring = new_ring();
	u8 *big = calloc(1, SHAREDPC_RING_DATA);
	struct ring_tx tx;

	ring_tx_init(&tx, ring);
	assert_int_equal(ring_push(&tx, 1, big, SHAREDPC_RING_DATA / 2, NULL, 0), -EMSGSIZE);
	assert_int_equal(ring_push(&tx, 1, big, 8, big, ~0U), -EMSGSIZE);
	assert_int_equal(ring_push(&tx, 1, big, 8, NULL, 0), 0);
	free(big);
	free(ring);
}

/* A new life of either side: old records are gone, new ones arrive. */
static void test_restart(void **state)
{
	struct sharedpc_ring *ring = new_ring();
	struct ring_tx tx, tx2;
	struct ring_rx rx, rx2;

	ring_tx_init(&tx, ring);
	ring_rx_init(&rx, ring);
	assert_int_equal(push(&tx, 1, 50, 0, 1), 0);
	ring_rx_init(&rx2, ring);
	assert_true(ring_empty(&rx2));
	assert_int_equal(push(&tx, 2, 60, 0, 1), 0);
	check_pop(&rx2, 2, 60, 1);
	ring_tx_init(&tx2, ring);
	assert_int_equal(push(&tx2, 3, 70, 0, 2), 0);
	check_pop(&rx2, 3, 70, 2);
	free(ring);
}

/* Whatever stands in head and in the records: bounded, and it recovers. */
static void test_mad_producer(void **state)
{
	struct sharedpc_ring *ring = new_ring();
	u8 buf[MAX_RECORD];
	struct ring_tx tx;
	struct ring_rx rx;
	u32 e, pops;

	srand(1);
	ring_rx_init(&rx, ring);
	for (u32 round = 0; round < 20000; round++) {
		for (u32 i = 0; i < 64; i++)
			ring->data[rand() % SHAREDPC_RING_DATA] = rand();
		ring->head = rx.tail + (rand() % 3 ? (u64)rand() % 70000 :
			     ((u64)rand() << 33) - rand());
		for (pops = 0; pops < SHAREDPC_RING_DATA; pops++)
			if (ring_pop(&rx, buf, rand() % sizeof(buf), &e) == -EAGAIN)
				break;
		assert_true(pops < SHAREDPC_RING_DATA);
	}
	assert_true(rx.bad > 0);
	ring->head = rx.tail;
	ring_tx_init(&tx, ring);
	ring_rx_init(&rx, ring);
	assert_int_equal(push(&tx, 9, 90, 9, 7), 0);
	check_pop(&rx, 9, 99, 7);
	free(ring);
}

/* Whatever word is another one: that record is gone, and no other. */
static void test_spoilt(void **state)
{
	struct sharedpc_ring *ring = new_ring();
	u8 buf[MAX_RECORD];
	struct ring_tx tx;
	struct ring_rx rx;
	u32 e;

	srand(2);
	ring_tx_init(&tx, ring);
	ring_rx_init(&rx, ring);
	for (u32 i = 0; i < 50000; i++) {
		/* multiples of 8: no word that does not count */
		fill(buf, 64 + 8 * 9, i);
		assert_int_equal(ring_push_spoilt(&tx, 1, buf, 64, buf + 64, 8 * (i % 9),
						  (u64)rand() << 32 | rand() | 1), 0);
		assert_int_equal(push(&tx, i, i % 50, i % 31, 1), 0);
		assert_int_equal(ring_pop(&rx, buf, sizeof(buf), &e), -EPROTO);
		check_pop(&rx, i, i % 50 + i % 31, 1);
		assert_int_equal(rx.bad, i + 1);
	}
	free(ring);
}

/* The oldest can be looked at before it is taken, also when that is not all of it. */
static void test_peek(void **state)
{
	struct sharedpc_ring *ring = new_ring();
	u8 buf[64], want[64];
	struct ring_tx tx;
	struct ring_rx rx;
	u32 e;

	ring_tx_init(&tx, ring);
	ring_rx_init(&rx, ring);
	assert_int_equal(ring_peek(&rx, buf, sizeof(buf), &e), -EAGAIN);
	for (u32 i = 0; i < 5000; i++) {
		assert_int_equal(push(&tx, i, 64, 100, 3), 0);
		assert_int_equal(push(&tx, i + 1, 64, 0, 4), 0);
		fill(want, 64, i);
		for (u32 twice = 0; twice < 2; twice++) {
			assert_int_equal(ring_peek(&rx, buf, sizeof(buf), &e), 164);
			assert_memory_equal(buf, want, 64);
		}
		check_pop(&rx, i, 164, 3);
		assert_int_equal(ring_peek(&rx, buf, sizeof(buf), &e), 64);
		assert_int_equal(e, 4);
		ring_skip(&rx, 64);
		assert_true(ring_empty(&rx));
	}
	free(ring);
}

/* A stray store to an index: what is there may be lost, what comes then is not. */
static void test_stray(void **state)
{
	struct sharedpc_ring *ring = new_ring();
	u8 buf[MAX_RECORD];
	struct ring_tx tx;
	struct ring_rx rx;
	u32 e;

	srand(3);
	ring_tx_init(&tx, ring);
	ring_rx_init(&rx, ring);
	for (u32 i = 0; i < 5000; i++) {
		if (i % 2)
			ring->head ^= 1ULL << (3 + rand() % 57);
		else
			ring->tail ^= 1ULL << (3 + rand() % 57);
		/* Whoever looks first. */
		while (rand() % 2 && ring_pop(&rx, buf, sizeof(buf), &e) != -EAGAIN)
			;
		for (u32 tries = 0; push(&tx, i, 64, 0, 1) == -EAGAIN; tries++) {
			assert_true(tries < 3);
			while (ring_pop(&rx, buf, sizeof(buf), &e) != -EAGAIN)
				;
		}
		while (ring_pop(&rx, buf, sizeof(buf), &e) != -EAGAIN)
			;
		assert_int_equal(push(&tx, i, 64, 0, 1), 0);
		check_pop(&rx, i, 64, 1);
	}
	free(ring);
}

/* A consumer's tail that lies must not make the producer write outside. */
static void test_mad_consumer(void **state)
{
	struct sharedpc_ring *ring = new_ring();
	struct ring_tx tx;

	ring_tx_init(&tx, ring);
	for (u32 i = 0; i < 100000; i++) {
		ring->tail = ((u64)rand() << 40) ^ rand();
		push(&tx, i, rand() % 200, rand() % 200, 1);
	}
	free(ring);
}

#define RACE	300000

static void *race_push(void *arg)
{
	struct ring_tx *tx = arg;

	for (u32 i = 0; i < RACE; i++)
		while (push(tx, i, i % 97, i % 61, i) == -EAGAIN)
			sched_yield();
	return NULL;
}

static void test_race(void **state)
{
	struct sharedpc_ring *ring = new_ring();
	struct ring_tx tx;
	struct ring_rx rx;
	pthread_t thread;

	ring_tx_init(&tx, ring);
	ring_rx_init(&rx, ring);
	assert_int_equal(pthread_create(&thread, NULL, race_push, &tx), 0);
	for (u32 i = 0; i < RACE; i++) {
		while (ring_empty(&rx))
			sched_yield();
		check_pop(&rx, i, i % 97 + i % 61, i);
	}
	pthread_join(thread, NULL);
	assert_true(ring_empty(&rx));
	free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_lengths),
		cmocka_unit_test(test_full_and_empty),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_mad_producer),
		cmocka_unit_test(test_spoilt),
		cmocka_unit_test(test_peek),
		cmocka_unit_test(test_stray),
		cmocka_unit_test(test_mad_consumer),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
