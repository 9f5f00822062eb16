// SPDX-License-Identifier: GPL-2.0-only
/*
 * wake.c - what of a wake goes to other images, and what got lost on the way
 *
 * A WAKE goes to each image that has a waiter in the word's hash slot.  If enough were
 * woken here it goes nowhere, but for each TURN'th time: who waits on another image must
 * not wait for ever for a crowd here.
 *
 * A WAKE that gets lost is not sent again: a waiter cannot ask for it, and who has woken
 * does not wait.  But each has a number: if one is missing when the next comes, or
 * after a tick that ctl says was sent before it, all that wait there are woken,
 * and look again.  That is also what becomes of more than BURST of them at a time: the ring
 * is others' too.
 */
#include <linux/jiffies.h>
#include <uapi/linux/futex.h>
#include "box/ctl.h"
#include "futex/futex.h"
#include "link/peer.h"

#define TURN	8
#define BURST	256		/* in a jiffy, to one image */

/* What we have sent to an image. */
struct sending {
	spinlock_t lock;	/* bottom halves off: numbers are in the ring in their order */
	u64 sent;		/* also in ctl */
	unsigned long jiffy;
	u32 burst;		/* in this jiffy */
};

/* What we have got from one. */
struct heard {
	spinlock_t lock;	/* bottom halves off */
	u32 epoch;		/* in this life of its */
	u64 got;		/* the last number */
	u64 sent;		/* by it, as it was at the last tick */
};

static struct sending sending[SHAREDPC_IMAGES_MAX];
static struct heard heard[SHAREDPC_IMAGES_MAX];
static atomic_t turns[SHAREDPC_FUTEX_SLOTS];

/* The images but ours, from @image on, in which somebody waits; ctl_nr_images: no more. */
static u32 next_waiting(u32 image)
{
	for (; image < ctl_nr_images; image++)
		if (image != ctl_self && READ_ONCE(ctl_futex(image)->waiting) && peer_up(image))
			break;
	return image;
}

/* The same, in @slot. */
static u32 next_in(u32 slot, u32 image)
{
	for (image = next_waiting(image); image < ctl_nr_images; image = next_waiting(image + 1))
		if (READ_ONCE(ctl_futex(image)->count[slot]))
			break;
	return image;
}

/* One for which there is no room now is one that got lost. */
static void wake_send(u32 image, struct sharedpc_msg *msg)
{
	struct sending *s = &sending[image];

	atomic64_inc(&futex_stat.sent);
	spin_lock_bh(&s->lock);
	msg->result = ++s->sent;
	WRITE_ONCE(ctl_futex(ctl_self)->sent[image], s->sent);
	if (time_after(jiffies, s->jiffy)) {
		s->jiffy = jiffies;
		s->burst = 0;
	}
	if (s->burst++ < BURST)
		peer_send(image, msg, NULL, 0);
	else
		atomic64_inc(&futex_stat.held);
	spin_unlock_bh(&s->lock);
}

/* @nr of @name in @slot, to each image from @image on in which somebody may wait for it. */
static void send_from(u32 image, u32 slot, const struct futex_name *name, u32 nr, u32 bitset)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_WAKE, .slot = name->owner, .file = name->identity,
		.pos = name->pos, .count = nr, .data = bitset,
	};

	for (; image < ctl_nr_images; image = next_in(slot, image + 1))
		wake_send(image, &msg);
}

void futex_pass_on(const struct futex_name *name, u32 bitset)
{
	u32 slot;

	if (name->owner == FUTEX_ELSEWHERE)
		return;
	slot = futex_slot(name);
	send_from(next_in(slot, 0), slot, name, 1, bitset);
}

void futex_forward(u32 __user *uaddr, u32 nr, u32 woken, u32 bitset)
{
	struct futex_name name;
	u32 slot, image;

	smp_mb();	/* (B), pairs with futex_enter */
	if (next_waiting(0) == ctl_nr_images || !futex_name(uaddr, &name))
		return;
	slot = futex_slot(&name);
	image = next_in(slot, 0);
	if (image == ctl_nr_images)
		return;
	if (woken >= nr) {
		if (atomic_inc_return(&turns[slot]) % TURN)
			return;
		atomic64_inc(&futex_stat.turns);
		woken = 0;
	}
	send_from(image, slot, &name, nr - woken, bitset);
}

/* Nothing was sent to it before we saw it up, but it may have been waiting. */
void futex_came(u32 image)
{
	struct sharedpc_msg msg = { .type = SHAREDPC_MSG_WAKE, .flags = SHAREDPC_WAKE_ALL };

	wake_send(image, &msg);
}

void futex_wake_everywhere(void)
{
	u32 i;

	for (i = next_waiting(0); i < ctl_nr_images; i = next_waiting(i + 1))
		futex_came(i);
	futex_wake_all();
}

bool futex_heard(u32 image, u64 number)
{
	struct heard *h = &heard[image];
	bool again, lost;

	spin_lock_bh(&h->lock);
	if (h->epoch != peer_epoch(image)) {
		h->epoch = peer_epoch(image);
		h->got = 0;
	}
	again = number <= h->got;
	lost = number > h->got + 1;
	h->got = max(h->got, number);
	spin_unlock_bh(&h->lock);
	if (lost) {
		atomic64_inc(&futex_stat.doubts);
		futex_wake_all();
	}
	return !again;
}

static void sent_again(u32 image)
{
	struct sending *s = &sending[image];

	spin_lock_bh(&s->lock);
	WRITE_ONCE(ctl_futex(ctl_self)->sent[image], s->sent);
	spin_unlock_bh(&s->lock);
}

/* Has something that @image sent got lost, which no later one has shown? */
static bool is_lost(u32 image)
{
	u64 sent = READ_ONCE(ctl_futex(image)->sent[ctl_self]);
	struct heard *h = &heard[image];
	bool lost;

	spin_lock_bh(&h->lock);
	/* More than it has sent; or not yet what it had sent a tick ago. */
	lost = h->got > sent || h->got < h->sent;
	/* One that comes after all is ignored: all are woken now. */
	if (lost)
		h->got = sent;
	h->sent = sent;
	spin_unlock_bh(&h->lock);
	return lost;
}

void futex_wake_init(void)
{
	u32 i;

	for (i = 0; i < SHAREDPC_IMAGES_MAX; i++) {
		spin_lock_init(&sending[i].lock);
		spin_lock_init(&heard[i].lock);
		sending[i].jiffy = jiffies;
	}
}

void futex_tick(void)
{
	bool lost = false;
	u32 i;

	/* A stray store there would silence wakes. */
	futex_count_again();
	for (i = 0; i < ctl_nr_images; i++) {
		if (i == ctl_self)
			continue;
		sent_again(i);
		if (peer_up(i))
			lost |= is_lost(i);
	}
	if (!lost)
		return;
	atomic64_inc(&futex_stat.doubts);
	futex_wake_all();
}
