// SPDX-License-Identifier: GPL-2.0-only
/*
 * call.c - the client's side of a call to an owner's proxy
 *
 * Every call has one of its session's SHAREDPC_CALLS slots.  The slot's name on
 * the wire carries a serial number, so that a late answer cannot end a later call:
 *
 *	FREE --call_run--> WAITING --answer--> ANSWERED --call_run--> FREE
 *			       \--gave up--> ABANDONED --answer--> FREE
 *
 * A caller that gives up (fatal signal, time-out) leaves the slot to the
 * answer that may still come: the owner could be using it.  When the session
 * ends all its calls end.
 *
 * The call or its answer may get lost.  So while there is none the call is sent again,
 * seldom; the owner does it once and answers each.
 *
 * Answers come from peer.c's thread, which does not wait here, or from its soft
 * interrupt.
 */
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "client/bounce.h"
#include "client/call.h"
#include "client/frames.h"
#include "link/peer.h"
#include "link/point.h"
#include "sharedpc_limits.h"

#define PATIENCE	LIMIT_CALL_S	/* seconds for the owner to answer */
#define RESEND		(LIMIT_RESEND_S * HZ)

/* The bounce buffers that come with a call. */
static void msg_bounce(const struct sharedpc_msg *msg, u32 *first, u32 *nr)
{
	u64 bytes = msg->type == SHAREDPC_OP_WRITE ? msg->count :
		msg->type == SHAREDPC_OP_NAME ? msg->pos : 0;

	*first = msg->data / SHAREDPC_BOUNCE_SIZE;
	*nr = DIV_ROUND_UP(bytes, SHAREDPC_BOUNCE_SIZE);
}

/* The call will not be made. */
static void msg_drop(struct session *s, const struct sharedpc_msg *msg)
{
	u32 first, nr;

	msg_bounce(msg, &first, &nr);
	bounce_put(s, first, nr);
}

static struct slot *slot_get(struct session *s, struct inode *inode,
			     const struct sharedpc_msg *msg)
{
	u32 n = msg->type == SHAREDPC_OP_NAME ? SHAREDPC_NAME_CALLS : SHAREDPC_CALLS;
	struct slot *slot = NULL;
	u32 i;

	spin_lock_bh(&s->lock);
	while (n && !READ_ONCE(s->ended)) {
		i = --n;	/* first those that a NAME cannot have */
		if (s->slot[i].state != SLOT_FREE)
			continue;
		slot = &s->slot[i];
		slot->state = SLOT_WAITING;
		slot->name += SHAREDPC_CALLS;
		slot->inode = inode;
		slot->need = msg->pos;
		slot->msg = *msg;
		slot->msg.slot = slot->name;
		slot->msg.server = s->server;
		slot->sent = false;
		msg_bounce(msg, &slot->bounce, &slot->bounces);
		if (inode)
			ihold(inode);
		reinit_completion(&slot->done);
		break;
	}
	spin_unlock_bh(&s->lock);
	return slot;
}

/* Under the lock; the inode it returns is to be put after the lock. */
static struct inode *slot_free(struct session *s, struct slot *slot)
{
	struct inode *inode = slot->inode;

	bounce_put(s, slot->bounce, slot->bounces);
	slot->inode = NULL;
	slot->state = SLOT_FREE;
	return inode;
}

static void slot_put(struct session *s, struct slot *slot)
{
	struct inode *inode;

	spin_lock_bh(&s->lock);
	inode = slot_free(s, slot);
	spin_unlock_bh(&s->lock);
	wake_up(&s->wait);
	iput(inode);
}

/* From here on it is sent again.  Not before: then nobody could say that it was not sent. */
static void slot_sent(struct session *s, struct slot *slot)
{
	spin_lock_bh(&s->lock);
	slot->resend = jiffies + RESEND;
	slot->resent = 0;
	slot->sent = true;
	spin_unlock_bh(&s->lock);
}

/* The caller leaves; true when an answer came just before. */
static bool slot_abandon(struct session *s, struct slot *slot)
{
	bool answered;

	spin_lock_bh(&s->lock);
	answered = slot->state == SLOT_ANSWERED;
	if (!answered)
		slot->state = SLOT_ABANDONED;
	spin_unlock_bh(&s->lock);
	return answered;
}

static bool slot_done(void *slot)
{
	return completion_done(&((struct slot *)slot)->done);
}

/* 0: answered.  @left: there is no time limit, but it says when to go. */
static int slot_wait(struct session *s, struct slot *slot, const bool *left)
{
	unsigned long end = jiffies + PATIENCE * HZ;
	long time;

	peer_spin(slot_done, slot);
	while (left || time_before(jiffies, end)) {
		time = wait_for_completion_killable_timeout(&slot->done, HZ);
		if (time > 0)
			return 0;
		if (time < 0)
			return -EINTR;
		if (!session_alive(s) || (left && READ_ONCE(*left)))
			return -EIO;
	}
	return -ETIMEDOUT;
}

/* Whoever of a NAME finds no room has another way; all others wait for it. */
static int slot_send(struct session *s, struct slot *slot)
{
	unsigned long end = jiffies + PATIENCE * HZ;
	int err;

	do {
		err = peer_send_wait(s->owner, &slot->msg);
	} while (err == -EAGAIN && slot->msg.type != SHAREDPC_OP_NAME && session_alive(s) &&
		 !fatal_signal_pending(current) && time_before(jiffies, end));
	return err;
}

/* Make the call of @msg in @slot, and end it. */
static int slot_run(struct session *s, struct slot *slot, struct sharedpc_msg *msg,
		    const bool *left)
{
	int err;

	msg->slot = slot->msg.slot;
	err = slot_send(s, slot);
	if (err) {
		slot_put(s, slot);
		if (err != -EAGAIN || !session_alive(s))
			return -EIO;
		return fatal_signal_pending(current) ? -EINTR : -ETIMEDOUT;
	}
	slot_sent(s, slot);
	point_pass((enum point)msg->type);
	err = slot_wait(s, slot, left);
	if (err && !slot_abandon(s, slot))
		return err;
	err = slot->error;
	msg->result = slot->result;
	msg->pos = slot->pos;
	if (!err && msg->type == SHAREDPC_OP_NAME)
		slot->bounces = 0;	/* the caller's */
	slot_put(s, slot);
	return err;
}

int call_run(struct session *s, struct sharedpc_msg *msg, struct inode *inode)
{
	struct slot *slot = NULL;
	long left;

	/* Who is being killed must not use up slots, fault by fault. */
	if (fatal_signal_pending(current)) {
		msg_drop(s, msg);
		return -EINTR;
	}
	left = wait_event_killable_timeout(s->wait,
					   (slot = slot_get(s, inode, msg)) ||
					   !session_alive(s), PATIENCE * HZ);
	if (!slot) {
		msg_drop(s, msg);
		return left < 0 ? -EINTR : left ? -EIO : -ETIMEDOUT;
	}
	return slot_run(s, slot, msg, NULL);
}

int call_name(struct session *s, struct sharedpc_msg *msg, const bool *left)
{
	struct slot *slot = slot_get(s, NULL, msg);

	if (slot)
		return slot_run(s, slot, msg, left);
	msg_drop(s, msg);
	return session_alive(s) ? -EBUSY : -EIO;
}

bool call_open(struct session *s, u32 name)
{
	struct slot *slot = &s->slot[name % SHAREDPC_CALLS];
	bool open;

	spin_lock_bh(&s->lock);
	open = slot->name == name && slot->state != SLOT_FREE;
	spin_unlock_bh(&s->lock);
	return open && session_alive(s);
}

/* Ends the call in @slot; returns with the inode to be put, or NULL. */
static struct inode *slot_answer(struct session *s, struct slot *slot, int error,
				 u64 result, u64 pos)
{
	struct inode *inode = NULL;

	if (slot->state == SLOT_WAITING) {
		slot->error = error;
		slot->result = result;
		slot->pos = pos;
		slot->state = SLOT_ANSWERED;
		complete(&slot->done);
	} else if (slot->state == SLOT_ABANDONED) {
		inode = slot_free(s, slot);
		wake_up_all(&s->wait);
	}
	return inode;
}

/* How DONE ends the call in @slot. */
static int done_error(const struct slot *slot, const struct sharedpc_msg *msg)
{
	int error = msg->error;

	/* Its FRAMES got lost: it will be asked for again. */
	if (error == -EAGAIN && slot->msg.type == SHAREDPC_OP_FAULT)
		return 0;
	/* Nobody here was interrupted. */
	return error > 0 || error < -MAX_ERRNO || error == -EINTR ? -EIO : error;
}

/* End the call that @msg answers, with *@error, or as a DONE does. */
static void answer(struct session *s, const struct sharedpc_msg *msg, const int *error)
{
	struct slot *slot = &s->slot[msg->slot % SHAREDPC_CALLS];
	struct inode *inode = NULL;

	spin_lock_bh(&s->lock);
	if (slot->name == msg->slot)
		inode = slot_answer(s, slot, error ? *error : done_error(slot, msg),
				    msg->result, msg->pos);
	spin_unlock_bh(&s->lock);
	iput(inode);
}

void call_done(u32 owner, const struct sharedpc_msg *msg)
{
	struct session *s = session_find(owner, msg->server);

	if (!s)
		return;
	answer(s, msg, NULL);
	session_put(s);
}

bool call_done_now(u32 owner, const struct sharedpc_msg *msg)
{
	struct session *s = session_find(owner, msg->server);
	struct slot *slot;
	bool waits;

	if (!s)
		return false;
	slot = &s->slot[msg->slot % SHAREDPC_CALLS];
	spin_lock_bh(&s->lock);
	/* Of others an inode is to be put, which may sleep. */
	waits = slot->name == msg->slot && slot->state == SLOT_WAITING;
	if (waits)
		slot_answer(s, slot, done_error(slot, msg), msg->result, msg->pos);
	spin_unlock_bh(&s->lock);
	session_put(s);
	return waits;
}

/* FRAMES: they are in the file before the caller hears of it. */
void call_framed(u32 owner, const struct sharedpc_msg *msg, const u64 *frame,
		 u32 nr)
{
	struct session *s = session_find(owner, msg->server);
	struct inode *inode = NULL;
	struct slot *slot;
	u64 need = 0;
	int err = 0;

	if (!s)
		return;
	slot = &s->slot[msg->slot % SHAREDPC_CALLS];
	spin_lock_bh(&s->lock);
	if (slot->name == msg->slot && slot->inode &&
	    (slot->state == SLOT_WAITING || slot->state == SLOT_ABANDONED)) {
		inode = slot->inode;
		need = slot->need;
		ihold(inode);
	}
	spin_unlock_bh(&s->lock);
	if (inode)
		err = frames_add(inode, msg->pos, frame, min_t(u64, nr, msg->count), need);
	point_pass(POINT_FILED);
	answer(s, msg, &err);
	iput(inode);
	session_put(s);
}

void call_session_ended(struct session *s)
{
	struct inode *inode;
	u32 i;

	for (i = 0; i < SHAREDPC_CALLS; i++) {
		spin_lock_bh(&s->lock);
		inode = slot_answer(s, &s->slot[i], -EIO, 0, 0);
		spin_unlock_bh(&s->lock);
		iput(inode);
	}
	wake_up_all(&s->wait);
}

static void slots_resend(struct session *s)
{
	struct slot *slot;
	u32 i;

	spin_lock_bh(&s->lock);
	for (i = 0; i < SHAREDPC_CALLS; i++) {
		slot = &s->slot[i];
		if ((slot->state != SLOT_WAITING && slot->state != SLOT_ABANDONED) ||
		    !slot->sent || time_before(jiffies, slot->resend))
			continue;
		/* One that does not go now goes next time. */
		if (peer_send(s->owner, &slot->msg, NULL, 0))
			continue;
		slot->resent++;
		slot->resend = jiffies + (RESEND << min(slot->resent, LIMIT_RESEND_TIMES));
	}
	spin_unlock_bh(&s->lock);
}

void call_resend(u32 owner)
{
	session_each(owner, slots_resend);
}
