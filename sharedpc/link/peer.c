// SPDX-License-Identifier: GPL-2.0-only
/*
 * peer.c - the other images: who is up, and the thread that listens to them
 *
 * One thread takes all frame messages out of all incoming rings and hands
 * them to those above (struct peer_hooks).  It is the path on which the owner waits for revokes, so:
 *
 *	it does not wait for another image, but for room for an answer to REVOKE
 *	in the ring to an owner, which holds hundreds of messages,
 *	it never allocates memory in a way that could wait for reclaim,
 *	it does no I/O.
 *
 * The doorbell wakes it; without one it looks at each tick, notices images
 * that came or went, and counts the heartbeat.
 *
 * A peer is up while its slot says READY in the epoch that we saw when it
 * came up.  When that ends those above are told once, from this thread.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include "box/ctl.h"
#include "link/doorbell.h"
#include "link/peer.h"
#include "sharedpc_limits.h"

#define SOON		(LIMIT_PINNED_LOOK_MS * HZ / 1000)	/* a look that was not enough */
#define TICK		(LIMIT_TICK_MS * HZ / 1000)	/* the heartbeat; who is silent shows soon */
#define LISTEN_MAX	256		/* messages of one image before the others' turn */

struct peer {
	bool up;		/* written by the thread only */
	u32 epoch;		/* the life that up is about */
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

/* Hard interrupt. */
static void peer_rung(void)
{
	peer_kick();
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

static void peer_look(u32 image)
{
	struct peer *p = &peers[image];
	bool ready = slot_is_ready(image);
	u32 epoch = READ_ONCE(ctl_slot(image)->epoch);

	if (p->up && (!ready || epoch != p->epoch)) {
		WRITE_ONCE(p->up, false);
		pr_info("image %s is gone\n", ctl_name(image));
		above->went(image);
		wake_up_all(&settled);
	}
	if (!p->up && ready) {
		WRITE_ONCE(p->epoch, epoch);
		WRITE_ONCE(p->up, true);
		pr_info("image %s is up\n", ctl_name(image));
		/* What it sent before we knew it still waits in the rings. */
		above->came(image);
	}
}

static void peer_listen(u32 image)
{
	struct ring_rx *rx = &peers[image].rx[SHAREDPC_RING_FRAME];
	static struct sharedpc_frames f;	/* one thread: ours */
	u32 epoch;
	int len, n;

	/* Until it is up its messages wait: it may be up before we see it. */
	for (n = 0; n < LISTEN_MAX && peers[image].up; n++) {
		len = ring_pop(rx, &f, sizeof(f), &epoch);
		if (len == -EAGAIN)
			return;
		if (len == -EPROTO)
			pr_warn_ratelimited("image %s: ring made no sense\n",
					    ctl_name(image));
		else if (epoch == peers[image].epoch && len >= (int)sizeof(f.msg))
			above->take(image, &f, (len - sizeof(f.msg)) / sizeof(f.frame[0]));
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

void peer_settle(u32 image)
{
	peer_kick();
	wait_event_timeout(settled, !READ_ONCE(peers[image].up), 5 * HZ);
}

int peer_send(u32 image, const struct sharedpc_msg *msg, const void *body,
	      u32 body_len)
{
	int err;

	if (!peer_up(image))
		return -ENOTCONN;
	err = ring_push(&peers[image].tx[SHAREDPC_RING_FRAME],
			ctl_epoch, msg, sizeof(*msg),
			body, body_len);
	doorbell_ring(image);
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
	struct peer *p = &peers[image];

	return p->rx[SHAREDPC_RING_FRAME].bad + p->rx[SHAREDPC_RING_SOCKET].bad;
}

u64 peer_full(u32 image)
{
	struct peer *p = &peers[image];

	return p->tx[SHAREDPC_RING_FRAME].full + p->tx[SHAREDPC_RING_SOCKET].full;
}

u64 peer_messages(u32 image)
{
	return READ_ONCE(peers[image].tx[SHAREDPC_RING_FRAME].pushed);
}

int peer_init(const struct peer_hooks *hooks)
{
	u32 i, c;
	int err;

	above = hooks;
	for (i = 0; i < ctl_nr_images; i++) {
		for (c = 0; c < SHAREDPC_RING_CLASSES; c++) {
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
	if (err)
		kthread_stop(thread);
	return err;
}

void peer_exit(void)
{
	doorbell_exit();
	kthread_stop(thread);
}
