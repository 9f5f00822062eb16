// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire.c - messages from one image to another, see wire.h
 */
#include <time.h>
#include <unistd.h>
#include <linux/hash.h>
#include "wire.h"

#define WAIT_US		1000
#define ROOM_TRIES	20000

u32 wire_lossy;
u64 wire_lost;

int wire_push(struct wire *w, const struct sharedpc_msg *msg, const void *body, u32 body_len)
{
	struct sharedpc_frames *f;
	int err = -EAGAIN;

	pthread_mutex_lock(&w->mutex);
	if (w->head - w->tail < (w->room ?: WIRE_MAX)) {
		f = &w->f[w->head % WIRE_MAX];
		f->msg = *msg;
		if (body_len)
			memcpy(f->frame, body, body_len);
		w->nr[w->head++ % WIRE_MAX] = body_len / sizeof(f->frame[0]);
		pthread_cond_signal(&w->cond);
		err = 0;
	}
	pthread_mutex_unlock(&w->mutex);
	kernel_jitter();
	return err;
}

int wire_push_wait(struct wire *w, const struct sharedpc_msg *msg, const void *body,
		   u32 body_len)
{
	int tries = ROOM_TRIES, err;

	while ((err = wire_push(w, msg, body, body_len)) && tries--)
		usleep(WAIT_US);
	return err;
}

/* As inject.c has it. */
static bool gets_lost(struct wire *w, const struct sharedpc_msg *msg)
{
	u64 bit = 1ULL << hash_64((u64)msg->type << 48 ^ (u64)msg->slot << 16 ^ msg->pos, 6);
	u32 lossy = __atomic_load_n(&wire_lossy, __ATOMIC_RELAXED);

	if (!lossy)
		return false;
	if (__atomic_load_n(&w->hit, __ATOMIC_RELAXED) & bit) {
		__atomic_fetch_and(&w->hit, ~bit, __ATOMIC_RELAXED);
		return false;
	}
	if (!kernel_chance(lossy))
		return false;
	__atomic_fetch_or(&w->hit, bit, __ATOMIC_RELAXED);
	__atomic_fetch_add(&wire_lost, 1, __ATOMIC_RELAXED);
	return true;
}

int wire_send(struct wire *w, const struct sharedpc_msg *msg, const void *body, u32 body_len)
{
	return gets_lost(w, msg) ? 0 : wire_push(w, msg, body, body_len);
}

bool wire_pop(struct wire *w, struct sharedpc_frames *f, u32 *nr)
{
	struct timespec t;
	bool is;

	pthread_mutex_lock(&w->mutex);
	if (w->head == w->tail) {
		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_nsec += WAIT_US * 1000;
		t.tv_sec += t.tv_nsec / 1000000000;
		t.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&w->cond, &w->mutex, &t);
	}
	is = w->head != w->tail;
	if (is) {
		*f = w->f[w->tail % WIRE_MAX];
		*nr = w->nr[w->tail++ % WIRE_MAX];
	}
	pthread_mutex_unlock(&w->mutex);
	kernel_jitter();
	return is;
}
