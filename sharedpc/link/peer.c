// SPDX-License-Identifier: GPL-2.0-only
/*
 * peer.c - the other images: who is up, and what they say
 *
 * What an image says as a client is in one ring, what it says as an owner in another, so
 * that two that are both to each other never wait for each other:
 *
 *	client	FAULT, WRITE, NAME ..., REVOKED, KEPT, RELEASED, LIFE, LEFT, WAKE.  Taken out by the soft
 *		interrupt that follows the doorbell, whatever else goes on: nothing is
 *		waited for there, so this ring always gets room.
 *	owner	FRAMES, REVOKE, DONE, FREED, LIVES, LEAVE, LOCKED, REMOVED.  Taken out by one thread, in order.  Who answers a
 *		REVOKE may wait for room in the client's ring, and for nothing else.  A
 *		DONE that is the oldest is taken by the soft interrupt, which wakes who
 *		waits for it without a thread between.
 *
 * The owner waits for that thread with locks of file systems, so:
 *
 *	it does not wait for another image but for that room,
 *	it never allocates memory in a way that could wait for reclaim,
 *	it does no I/O.
 *
 * Without a doorbell both look at each tick, when the thread also notices images
 * that came or went, and counts the heartbeat.
 *
 * A peer is up while its slot says READY in the epoch that we saw when it
 * came up.  When that ends those above are told once, from this thread.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "box/ctl.h"
#include "link/doorbell.h"
#include "link/inject.h"
#include "link/peer.h"
#include "sharedpc_limits.h"

#define SOON		(LIMIT_PINNED_LOOK_MS * HZ / 1000)	/* a look that was not enough */
#define TICK		(LIMIT_TICK_MS * HZ / 1000)	/* the heartbeat; who is silent shows soon */
#define LISTEN_MAX	256		/* messages of one image before the others' turn */

static uint spin_us;
module_param(spin_us, uint, 0644);
MODULE_PARM_DESC(spin_us, "us to look for an answer before sleeping, on a CPU without other work");

struct peer {
	bool up;		/* written by the thread only, under heard */
	u32 epoch;		/* the life that up is about: the same */
	u32 gone;		/* the last life of which above->went has returned */
	spinlock_t heard;	/* bottom halves off: rx of clients and owners */
	unsigned long full_until[SHAREDPC_RING_CLASSES];	/* jiffies: inject.h */
	struct ring_tx tx[SHAREDPC_RING_CLASSES];
	struct ring_rx rx[SHAREDPC_RING_CLASSES];
};

static struct peer peers[SHAREDPC_IMAGES_MAX];
static const struct peer_hooks *above;
static struct task_struct *thread;
static DECLARE_WAIT_QUEUE_HEAD(bell);
static DECLARE_WAIT_QUEUE_HEAD(settled);
static int rung;

void peer_kick(void)
{
	WRITE_ONCE(rung, 1);
	wake_up(&bell);
}

static void hear(struct work_struct *work);
static DECLARE_WORK(hearing, hear);

/* Have the rings looked at by a soft interrupt of this CPU. */
static void hear_soon(void)
{
	queue_work(system_bh_highpri_wq, &hearing);
}

/* Hard interrupt. */
static void peer_rung(void)
{
	hear_soon();
	above->rung();
}

static bool slot_is_ready(u32 image)
{
	/*
	 * Pairs with image_init: who sees READY sees all that this life needs, and
	 * its epoch or a later one's (sharedpc_image_start).
	 */
	return smp_load_acquire(&ctl_slot(image)->state) == SHAREDPC_READY;
}

bool peer_up(u32 image)
{
	struct peer *p = &peers[image];

	return READ_ONCE(p->up) && slot_is_ready(image) &&
	       READ_ONCE(ctl_slot(image)->epoch) == READ_ONCE(p->epoch);
}

static void peer_went(u32 image)
{
	struct peer *p = &peers[image];

	/* Who sees that it is not up knows that nothing of it is being taken in. */
	spin_lock_bh(&p->heard);
	WRITE_ONCE(p->up, false);
	spin_unlock_bh(&p->heard);
	pr_info("image %s is gone\n", ctl_name(image));
	above->went(image);
	/* Pairs with peer_settled. */
	smp_store_release(&p->gone, p->epoch);
	wake_up_all(&settled);
}

void peer_end(u32 image, u32 epoch)
{
	if (peers[image].up && peers[image].epoch <= epoch)
		peer_went(image);
}

static void peer_look(u32 image)
{
	struct peer *p = &peers[image];
	bool ready = slot_is_ready(image);
	u32 epoch = READ_ONCE(ctl_slot(image)->epoch);

	if (p->up && (!ready || epoch != p->epoch))
		peer_went(image);
	if (!p->up && ready) {
		spin_lock_bh(&p->heard);
		WRITE_ONCE(p->epoch, epoch);
		WRITE_ONCE(p->up, true);
		spin_unlock_bh(&p->heard);
		pr_info("image %s is up\n", ctl_name(image));
		/* What it sent before we knew it still waits in the rings. */
		hear_soon();
		above->came(image);
	}
}

static void ring_complain(u32 image)
{
	pr_warn_ratelimited("image %s: ring made no sense\n", ctl_name(image));
}

/* All that @image said as a client, but not more than its share.  True: there is more. */
static bool hear_client(u32 image)
{
	struct peer *p = &peers[image];
	struct sharedpc_msg msg;
	u32 epoch;
	int len, n;

	/* Until it is up its messages wait: it may be up before we see it. */
	for (n = 0; n < LISTEN_MAX && READ_ONCE(p->up); n++) {
		len = ring_pop(&p->rx[SHAREDPC_RING_CLIENT], &msg, sizeof(msg), &epoch);
		if (len == -EAGAIN)
			return false;
		if (len == -EPROTO)
			ring_complain(image);
		else if (epoch == p->epoch && len == sizeof(msg))
			above->asked(image, &msg);
	}
	return n == LISTEN_MAX;
}

/* What @image said as an owner, up to the first that is for the thread.  True: there is one. */
static bool hear_owner(u32 image)
{
	struct peer *p = &peers[image];
	struct ring_rx *rx = &p->rx[SHAREDPC_RING_OWNER];
	struct sharedpc_msg msg;
	u32 epoch;
	int len, n;

	for (n = 0; n < LISTEN_MAX && READ_ONCE(p->up); n++) {
		len = ring_peek(rx, &msg, sizeof(msg), &epoch);
		if (len == -EPROTO)
			ring_complain(image);
		if (len < 0)
			return len != -EAGAIN;
		if (len != sizeof(msg) || epoch != p->epoch || !above->told_now(image, &msg))
			return true;
		ring_skip(rx, len);
	}
	return n == LISTEN_MAX;
}

static void hear(struct work_struct *work)
{
	bool more = false, thread = false;
	u32 i;

	for (i = 0; i < ctl_nr_images; i++) {
		if (i == ctl_self)
			continue;
		spin_lock_bh(&peers[i].heard);
		more |= hear_client(i);
		thread |= hear_owner(i);
		spin_unlock_bh(&peers[i].heard);
	}
	if (thread)
		peer_kick();
	if (more)	/* the others' turn, then on with this one */
		hear_soon();
}

static DEFINE_SPINLOCK(polling_lock);
static u32 pollers;		/* under polling_lock; slot->polling says so to others */

static void polling_add(int one)
{
	spin_lock(&polling_lock);
	pollers += one;
	WRITE_ONCE(ctl_slot(ctl_self)->polling, pollers);
	spin_unlock(&polling_lock);
	/* Pairs with peer_ring: who saw us poll has put in what we look for now. */
	smp_mb();
}

bool peer_spin_for(u32 us, bool (*done)(void *arg), void *arg)
{
	u64 end = ktime_get_ns() + (u64)us * NSEC_PER_USEC;
	bool is_done;

	polling_add(1);
	do {
		hear(NULL);
		is_done = done(arg);
		cpu_relax();
	} while (!is_done && !need_resched() && ktime_get_ns() < end);
	polling_add(-1);
	hear_soon();
	return is_done;
}

bool peer_spin(bool (*done)(void *arg), void *arg)
{
	u32 us = READ_ONCE(spin_us);

	return us && single_task_running() && peer_spin_for(us, done, arg);
}

/* The oldest that @image said as an owner. */
static int listen_one(u32 image, struct sharedpc_frames *f)
{
	struct peer *p = &peers[image];
	u32 epoch;
	int len;

	spin_lock_bh(&p->heard);
	len = ring_pop(&p->rx[SHAREDPC_RING_OWNER], f, sizeof(*f), &epoch);
	spin_unlock_bh(&p->heard);
	if (len == -EPROTO)
		ring_complain(image);
	return len >= 0 && epoch != p->epoch ? -EPROTO : len;
}

static void peer_listen(u32 image)
{
	static struct sharedpc_frames f;	/* one thread: ours */
	int len, n;

	for (n = 0; n < LISTEN_MAX && peers[image].up; n++) {
		len = listen_one(image, &f);
		if (len == -EAGAIN)
			return;
		if (len >= (int)sizeof(f.msg))
			above->told(image, &f, (len - sizeof(f.msg)) / sizeof(f.frame[0]));
	}
	if (n == LISTEN_MAX)
		WRITE_ONCE(rung, 1);	/* the others' turn, then on with this one */
}

static int peer_thread(void *unused)
{
	unsigned long next_tick = jiffies;
	bool again = false;
	u32 i;

	while (!kthread_should_stop()) {
		wait_event_interruptible_timeout(bell, READ_ONCE(rung) ||
						 kthread_should_stop(),
						 again ? SOON : TICK);
		/* Before looking: what comes later rings again. */
		xchg(&rung, 0);
		if (time_after_eq(jiffies, next_tick)) {
			next_tick = jiffies + TICK;
			polling_add(0);	/* a stray store there would silence all bells */
			hear_soon();
			above->tick();
		}
		again = false;
		for (i = 0; i < ctl_nr_images; i++) {
			if (i == ctl_self)
				continue;
			peer_look(i);
			peer_listen(i);
			again |= above->look(i);
		}
	}
	return 0;
}

bool peer_settled(u32 image)
{
	struct peer *p = &peers[image];

	/* Pairs with peer_went. */
	return smp_load_acquire(&p->gone) == READ_ONCE(p->epoch) && !READ_ONCE(p->up);
}

void peer_settle(u32 image)
{
	peer_kick();
	wait_event_timeout(settled, peer_settled(image), 5 * HZ);
}

/* The ring of those who say @msg. */
static u32 peer_class(const struct sharedpc_msg *msg)
{
	switch (msg->type) {
	case SHAREDPC_MSG_FRAMES:
	case SHAREDPC_MSG_DONE:
	case SHAREDPC_MSG_REVOKE:
	case SHAREDPC_MSG_FREED:
	case SHAREDPC_MSG_ECHOED:
	case SHAREDPC_MSG_LIVES:
	case SHAREDPC_MSG_LEAVE:
	case SHAREDPC_MSG_LOCKED:
	case SHAREDPC_MSG_REMOVED:
		return SHAREDPC_RING_OWNER;
	}
	return SHAREDPC_RING_CLIENT;
}

/* Ring its bell, unless it looks anyway.  One that does not look hurts itself. */
static void peer_ring(u32 image)
{
	/* Pairs with polling_add. */
	smp_mb();
	if (!READ_ONCE(ctl_slot(image)->polling))
		doorbell_ring(image);
}

/* True: nothing is to be sent, and *@err is what the sender is told. */
static bool peer_inject(u32 image, const struct sharedpc_msg *msg, const void *body,
			u32 body_len, int *err)
{
	u32 class = peer_class(msg);
	struct peer *p = &peers[image];

	if (time_before(jiffies, READ_ONCE(p->full_until[class]))) {
		*err = -EAGAIN;
		return true;
	}
	switch (inject_now(msg->type, msg->slot ^ (u32)msg->pos)) {
	case INJECT_NOTHING:
		break;
	case INJECT_DROP:
	case INJECT_CUT:
		*err = 0;
		return true;
	case INJECT_DELAY:
		WRITE_ONCE(p->full_until[class],
			   jiffies + msecs_to_jiffies(INJECT_DELAY_MS));
		*err = -EAGAIN;
		return true;
	case INJECT_DUPLICATE:
		ring_push(&p->tx[class], ctl_epoch, msg, sizeof(*msg), body, body_len);
		break;
	case INJECT_CORRUPT:
		*err = ring_push_spoilt(&p->tx[class], ctl_epoch, msg, sizeof(*msg), body,
					body_len, get_random_u64() | 1);
		peer_ring(image);
		return true;
	}
	return false;
}

int peer_send(u32 image, const struct sharedpc_msg *msg, const void *body,
	      u32 body_len)
{
	int err;

	if (!peer_up(image))
		return -ENOTCONN;
	if (peer_inject(image, msg, body, body_len, &err))
		return err;
	err = ring_push(&peers[image].tx[peer_class(msg)], ctl_epoch, msg, sizeof(*msg),
			body, body_len);
	peer_ring(image);
	return err;
}

int peer_send_wait(u32 image, const struct sharedpc_msg *msg)
{
	int tries, err;

	for (tries = 0; tries < 500; tries++) {
		err = peer_send(image, msg, NULL, 0);
		if (err != -EAGAIN)
			return err;
		usleep_range(1000, 2000);
	}
	return -EAGAIN;
}

void peer_announce(void)
{
	u32 i;

	peer_kick();
	for (i = 0; i < ctl_nr_images; i++)
		if (i != ctl_self)
			doorbell_ring(i);
}

struct ring_tx *peer_socket_tx(u32 image)
{
	return &peers[image].tx[SHAREDPC_RING_SOCKET];
}

struct ring_rx *peer_socket_rx(u32 image)
{
	return &peers[image].rx[SHAREDPC_RING_SOCKET];
}

u32 peer_epoch(u32 image)
{
	return READ_ONCE(peers[image].epoch);
}

u64 peer_bad(u32 image)
{
	u64 bad = 0;
	u32 c;

	for (c = 0; c < SHAREDPC_RING_CLASSES; c++)
		bad += READ_ONCE(peers[image].rx[c].bad);
	return bad;
}

u64 peer_full(u32 image)
{
	u64 full = 0;
	u32 c;

	for (c = 0; c < SHAREDPC_RING_CLASSES; c++)
		full += READ_ONCE(peers[image].tx[c].full);
	return full;
}

u64 peer_messages(u32 image)
{
	return READ_ONCE(peers[image].tx[SHAREDPC_RING_CLIENT].pushed) +
	       READ_ONCE(peers[image].tx[SHAREDPC_RING_OWNER].pushed);
}

int peer_init(const struct peer_hooks *hooks)
{
	u32 i, c;
	int err;

	above = hooks;
	for (i = 0; i < ctl_nr_images; i++) {
		spin_lock_init(&peers[i].heard);
		for (c = 0; c < SHAREDPC_RING_CLASSES; c++) {
			peers[i].full_until[c] = jiffies;
			ring_tx_init(&peers[i].tx[c], ctl_ring(ctl_self, i, c));
			ring_rx_init(&peers[i].rx[c], ctl_ring(i, ctl_self, c));
		}
	}
	thread = kthread_run(peer_thread, NULL, "sharedpc");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	/* Owners wait for it with locks of file systems: before all ordinary threads. */
	sched_set_fifo_low(thread);
	err = doorbell_init(peer_rung);
	if (err) {
		kthread_stop(thread);
		cancel_work_sync(&hearing);
	}
	return err;
}

void peer_exit(void)
{
	doorbell_exit();
	kthread_stop(thread);
	cancel_work_sync(&hearing);
}
