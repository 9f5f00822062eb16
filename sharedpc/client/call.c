// SPDX-License-Identifier: GPL-2.0-only
/*
 * call.c - the client's side of a call to an owner's proxy
 *
 * Every call has one of SHAREDPC_CALLS slots.  The slot's name on the wire
 * carries a serial number, so that a late answer cannot end a later call:
 *
 *	FREE --call_run--> WAITING --answer--> ANSWERED --call_run--> FREE
 *			       \--gave up--> ABANDONED --answer--> FREE
 *
 * A caller that gives up (fatal signal, time-out) leaves the slot to the
 * answer that may still come: the owner could be using it.  When the owner
 * goes all its calls end.
 *
 * Answers come from peer.c's thread, which does not wait here.
 */
#include <linux/completion.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "client/bounce.h"
#include "client/call.h"
#include "client/frames.h"
#include "link/peer.h"
#include "sharedpc_limits.h"

#define PATIENCE	LIMIT_CALL_S	/* seconds for the owner to answer */

enum slot_state { FREE, WAITING, ANSWERED, ABANDONED };

struct slot {
	enum slot_state state;
	u32 name;		/* serial * SHAREDPC_CALLS + index */
	struct inode *inode;	/* referenced while not FREE, or NULL */
	int bounce;		/* ours while not FREE, or -1 */
	int error;
	u64 result, pos;
	struct completion done;
};

static struct slots {
	spinlock_t lock;
	wait_queue_head_t wait;		/* for a FREE one */
	u32 serial;
	struct slot slot[SHAREDPC_CALLS];
} owners[SHAREDPC_IMAGES_MAX];

void call_init(void)
{
	u32 i, n;

	for (i = 0; i < SHAREDPC_IMAGES_MAX; i++) {
		spin_lock_init(&owners[i].lock);
		init_waitqueue_head(&owners[i].wait);
		/* Answers to an earlier life of this image must not match. */
		owners[i].serial = get_random_u32();
		for (n = 0; n < SHAREDPC_CALLS; n++)
			init_completion(&owners[i].slot[n].done);
	}
}

/* The bounce buffer that comes with a call, or -1. */
static int msg_bounce(const struct sharedpc_msg *msg)
{
	return msg->type == SHAREDPC_OP_WRITE ?
		(int)(msg->data / SHAREDPC_BOUNCE_SIZE) : -1;
}

static struct slot *slot_get(struct slots *s, struct inode *inode, int bounce)
{
	struct slot *slot = NULL;
	u32 i;

	spin_lock(&s->lock);
	for (i = 0; i < SHAREDPC_CALLS; i++) {
		if (s->slot[i].state != FREE)
			continue;
		slot = &s->slot[i];
		slot->state = WAITING;
		slot->name = ++s->serial * SHAREDPC_CALLS + i;
		slot->inode = inode;
		slot->bounce = bounce;
		if (inode)
			ihold(inode);
		reinit_completion(&slot->done);
		break;
	}
	spin_unlock(&s->lock);
	return slot;
}

/* Under the lock; the inode it returns is to be put after the lock. */
static struct inode *slot_free(struct slot *slot)
{
	struct inode *inode = slot->inode;

	slot->inode = NULL;
	slot->state = FREE;
	if (slot->bounce >= 0)
		bounce_put(slot->bounce);
	return inode;
}

static void slot_put(struct slots *s, struct slot *slot)
{
	struct inode *inode;

	spin_lock(&s->lock);
	inode = slot_free(slot);
	spin_unlock(&s->lock);
	wake_up(&s->wait);
	iput(inode);
}

/* The caller leaves; true when an answer came just before. */
static bool slot_abandon(struct slots *s, struct slot *slot)
{
	bool answered;

	spin_lock(&s->lock);
	answered = slot->state == ANSWERED;
	if (!answered)
		slot->state = ABANDONED;
	spin_unlock(&s->lock);
	return answered;
}

/* 0: answered. */
static int slot_wait(u32 owner, struct slot *slot)
{
	unsigned long end = jiffies + PATIENCE * HZ;
	long left;

	while (time_before(jiffies, end)) {
		left = wait_for_completion_killable_timeout(&slot->done, HZ);
		if (left > 0)
			return 0;
		if (left < 0)
			return -EINTR;
		if (!peer_up(owner))
			return -EIO;
	}
	return -ETIMEDOUT;
}

int call_run(u32 owner, struct sharedpc_msg *msg, struct inode *inode)
{
	struct slots *s = &owners[owner];
	struct slot *slot = NULL;
	int bounce = msg_bounce(msg), err;
	long left;

	/* Who is being killed must not use up slots, fault by fault. */
	if (fatal_signal_pending(current)) {
		if (bounce >= 0)
			bounce_put(bounce);
		return -EINTR;
	}
	left = wait_event_killable_timeout(s->wait,
					   (slot = slot_get(s, inode, bounce)) ||
					   !peer_up(owner), PATIENCE * HZ);
	if (!slot) {
		if (bounce >= 0)
			bounce_put(bounce);
		return left < 0 ? -EINTR : left ? -EIO : -ETIMEDOUT;
	}
	msg->slot = slot->name;
	err = peer_send_wait(owner, msg);
	if (err) {
		slot_put(s, slot);
		return err == -EAGAIN ? -ETIMEDOUT : -EIO;
	}
	err = slot_wait(owner, slot);
	if (err && !slot_abandon(s, slot))
		return err;
	err = slot->error;
	msg->result = slot->result;
	msg->pos = slot->pos;
	slot_put(s, slot);
	return err;
}

/* Ends the call @name; returns with the inode to be put, or NULL. */
static struct inode *slot_answer(struct slots *s, struct slot *slot, int error,
				 u64 result, u64 pos)
{
	struct inode *inode = NULL;

	if (slot->state == WAITING) {
		slot->error = error;
		slot->result = result;
		slot->pos = pos;
		slot->state = ANSWERED;
		complete(&slot->done);
	} else if (slot->state == ABANDONED) {
		inode = slot_free(slot);
		wake_up_all(&s->wait);
	}
	return inode;
}

static void answer(u32 owner, const struct sharedpc_msg *msg, int error)
{
	struct slots *s = &owners[owner];
	struct slot *slot = &s->slot[msg->slot % SHAREDPC_CALLS];
	struct inode *inode = NULL;

	spin_lock(&s->lock);
	if (slot->name == msg->slot)
		inode = slot_answer(s, slot, error, msg->result, msg->pos);
	spin_unlock(&s->lock);
	iput(inode);
}

void call_done(u32 owner, const struct sharedpc_msg *msg)
{
	int error = msg->error;

	/* Nobody here was interrupted. */
	if (error > 0 || error < -MAX_ERRNO || error == -EINTR)
		error = -EIO;
	answer(owner, msg, error);
}

/* FRAMES: they are in the file before the caller hears of it. */
void call_framed(u32 owner, const struct sharedpc_msg *msg, const u64 *frame,
		 u32 nr)
{
	struct slots *s = &owners[owner];
	struct slot *slot = &s->slot[msg->slot % SHAREDPC_CALLS];
	struct inode *inode = NULL;

	spin_lock(&s->lock);
	if (slot->name == msg->slot && slot->inode &&
	    (slot->state == WAITING || slot->state == ABANDONED)) {
		inode = slot->inode;
		ihold(inode);
	}
	spin_unlock(&s->lock);
	if (inode)
		frames_add(inode, msg->pos, frame, min_t(u64, nr, msg->count));
	answer(owner, msg, 0);
	iput(inode);
}

void call_peer_went(u32 owner)
{
	struct slots *s = &owners[owner];
	struct inode *inode;
	u32 i;

	for (i = 0; i < SHAREDPC_CALLS; i++) {
		spin_lock(&s->lock);
		inode = slot_answer(s, &s->slot[i], -EIO, 0, 0);
		spin_unlock(&s->lock);
		iput(inode);
	}
	wake_up_all(&s->wait);
}

u32 call_open(u32 owner)
{
	u32 i, open = 0;

	for (i = 0; i < SHAREDPC_CALLS; i++)
		open += READ_ONCE(owners[owner].slot[i].state) != FREE;
	return open;
}
