// SPDX-License-Identifier: GPL-2.0-only
/*
 * request.c - calls of a client, on their way to a proxy and back
 *
 * A client has SHAREDPC_CALLS slots at a server; each open call lives in the slot that
 * the client gave it, so that taking a call in needs no memory:
 *
 *	FREE --request_arrived--> QUEUED --request_next--> HANDED --answered--> FREE
 *
 * A call without a proxy is answered at once, with EIO.
 *
 * A client that has no answer sends its call again.  It is known by its slot, whose
 * serial number only grows: one that is here is being done, and one that was answered is
 * answered once more, with what is kept of that.  The frames of a FAULT are not kept, since
 * they may have been taken back: its answer is that it be asked again.
 */
#include "link/peer.h"
#include "link/point.h"
#include "owner/server.h"
#include "sharedpc_limits.h"
#include "words/words.h"

/* What ends @call. */
static struct sharedpc_msg done_msg(const struct server *s, const struct sharedpc_msg *call,
				    int error, u64 result, u64 pos)
{
	return (struct sharedpc_msg) {
		.type = SHAREDPC_MSG_DONE,
		.slot = call->slot,
		.file = call->file,
		.server = s->number,
		.error = error,
		.result = result,
		.pos = pos,
	};
}

/* 0, or -EAGAIN: the ring stays full for a second; then it was no use. */
static int answer_once(const struct server *s, const struct sharedpc_msg *done)
{
	return server_current(s) ? peer_send_wait(s->client, done) : 0;
}

static void request_answer(const struct server *s, const struct sharedpc_msg *done)
{
	int tries;

	/* Nobody else will answer it; but whoever waits for it gives up some time. */
	for (tries = 0; tries < LIMIT_CALL_S; tries++)
		if (answer_once(s, done) != -EAGAIN)
			break;
}

static bool call_valid(const struct sharedpc_msg *m)
{
	const u64 bounce = (u64)SHAREDPC_BOUNCES * SHAREDPC_BOUNCE_SIZE;

	switch (m->type) {
	case SHAREDPC_OP_FAULT:
		return m->count && m->count <= SHAREDPC_FAULT_MAX &&
		       m->pos + m->count > m->pos;
	case SHAREDPC_OP_WRITE:
		return m->count <= SHAREDPC_WRITE_MAX && m->data < bounce &&
		       m->data + m->count <= bounce;
	case SHAREDPC_OP_PUNCH:
		return m->count && m->count <= U32_MAX && m->pos <= S64_MAX;
	case SHAREDPC_OP_NAME:
		return m->count <= m->pos && m->data < bounce && m->pos <= bounce - m->data;
	}
	return true;
}

/* Calls that the same threads take. */
static struct call_queue *queue_of(struct server *s, bool names)
{
	return names ? &s->names : &s->data;
}

/*
 * Take @msg in, with s->lock.  0: it is queued; -EALREADY: it is known, and *@again is
 * what is to be said, if its type is not 0; -EIO: nobody serves.
 */
static int request_take(struct server *s, const struct sharedpc_msg *msg,
			struct sharedpc_msg *again)
{
	struct request *c = &s->call[msg->slot % SHAREDPC_CALLS];

	if (READ_ONCE(s->gone) || s->epoch != peer_epoch(s->client))
		return -EIO;
	if (c->state != CALL_FREE)
		return -EALREADY;
	/* Serial numbers: both have the same index. */
	if (c->answered && (s32)(msg->slot - c->msg.slot) <= 0) {
		if (msg->slot == c->msg.slot)
			*again = c->done;
		return -EALREADY;
	}
	c->msg = *msg;
	c->answered = false;
	c->state = CALL_QUEUED;
	list_add_tail(&c->node, &queue_of(s, msg->type == SHAREDPC_OP_NAME)->list);
	return 0;
}

/* @client has a call.  In the soft interrupt: must not wait. */
void request_arrived(u32 client, const struct sharedpc_msg *msg)
{
	struct sharedpc_msg again = { .type = 0 };
	struct server *s = server_get(client, msg->server);
	int err = s ? -EINVAL : -EIO;

	if (s && call_valid(msg)) {
		spin_lock_bh(&s->lock);
		err = request_take(s, msg, &again);
		spin_unlock_bh(&s->lock);
	}
	if (!err)
		wake_up(&queue_of(s, msg->type == SHAREDPC_OP_NAME)->wait);
	if (s)
		server_put(s);
	if (err == -EALREADY && again.type)
		peer_send(client, &again, NULL, 0);
	if (err && err != -EALREADY) {
		again = (struct sharedpc_msg) {
			.type = SHAREDPC_MSG_DONE, .slot = msg->slot, .server = msg->server,
			.error = msg->type == SHAREDPC_OP_CLOSE ? 0 : err,
		};
		peer_send(client, &again, NULL, 0);
	}
}

static struct request *take_queued(struct server *s, struct call_queue *q)
{
	struct request *c;

	spin_lock_bh(&s->lock);
	c = list_first_entry_or_null(&q->list, struct request, node);
	if (c) {
		list_del(&c->node);
		c->state = CALL_HANDED;
	}
	spin_unlock_bh(&s->lock);
	return c;
}

static bool queue_some(void *q)
{
	return !list_empty(&((struct call_queue *)q)->list);
}

/* NEXT: wait for a call.  -ENODEV: the client is gone; -EINTR. */
int request_next(struct server *s, struct sharedpc_call *out)
{
	struct call_queue *q = queue_of(s, out->flags & SHAREDPC_NEXT_NAMES);
	struct sharedpc_msg done;
	struct request *c = NULL;
	int err;

	peer_spin(queue_some, q);
	/* One thread for each call: the others sleep on. */
	err = wait_event_interruptible_exclusive(q->wait, READ_ONCE(s->gone) ||
						 (c = take_queued(s, q)));
	if (err)
		return -EINTR;
	if (!c)
		return -ENODEV;
	point_pass(POINT_TAKEN);
	*out = (struct sharedpc_call) {
		.slot = c->msg.slot,
		.op = c->msg.type,
		.file = c->msg.file,
		.pos = c->msg.pos,
		.count = c->msg.count,
		.flags = c->msg.flags,
		.uid = c->msg.uid,
		.gid = c->msg.gid,
		.data = c->msg.data,
	};
	if (c->msg.type == SHAREDPC_OP_CLOSE) {
		done = done_msg(s, &c->msg, 0, 0, 0);
		request_finish(s, done.slot, &done);
		request_answer(s, &done);
	}
	return 0;
}

void request_wake(struct server *s)
{
	wake_up_all(&s->names.wait);
	wake_up_all(&s->data.wait);
}

/* A copy of the handed-out call @slot.  -ESTALE: there is none. */
int request_find(struct server *s, u32 slot, struct sharedpc_msg *msg)
{
	struct request *c = &s->call[slot % SHAREDPC_CALLS];
	int err = -ESTALE;

	spin_lock_bh(&s->lock);
	if (c->state == CALL_HANDED && c->msg.slot == slot) {
		*msg = c->msg;
		err = 0;
	}
	spin_unlock_bh(&s->lock);
	return err;
}

/* Whoever gets 0 here is the one who answers. */
int request_finish(struct server *s, u32 slot, const struct sharedpc_msg *done)
{
	struct request *c = &s->call[slot % SHAREDPC_CALLS];
	int err = -ESTALE;

	spin_lock_bh(&s->lock);
	if (c->state == CALL_HANDED && c->msg.slot == slot) {
		c->state = CALL_FREE;
		c->answered = true;
		c->done = *done;
		err = 0;
	}
	spin_unlock_bh(&s->lock);
	return err;
}

/* The answer could not be sent: whoever finished the call has it again. */
void request_unfinish(struct server *s, u32 slot)
{
	struct request *c = &s->call[slot % SHAREDPC_CALLS];

	spin_lock_bh(&s->lock);
	if (c->state == CALL_FREE && c->msg.slot == slot && !READ_ONCE(s->gone)) {
		c->state = CALL_HANDED;
		c->answered = false;
	}
	spin_unlock_bh(&s->lock);
}

int request_reply(struct server *s, const struct sharedpc_reply *reply)
{
	struct sharedpc_msg msg, done;
	int err;

	if (reply->error > 0 || reply->error < -MAX_ERRNO)
		return -EINVAL;
	err = request_find(s, reply->slot, &msg);
	if (err)
		return err;
	done = done_msg(s, &msg, reply->error, reply->result, reply->pos);
	err = request_finish(s, reply->slot, &done);
	if (err)
		return err;
	if (msg.type == SHAREDPC_OP_WRITE)
		atomic64_inc(&s->writes);
	if (msg.type == SHAREDPC_OP_FAULT && reply->error == -ENOSPC)
		words_refused();
	point_pass(POINT_ANSWERING);
	request_answer(s, &done);
	return 0;
}

/*
 * The proxy leaves: EIO to all that it did not answer.  A client that makes no room for
 * that will have it from REVOKE_END.
 */
void request_fail_all(struct server *s)
{
	struct sharedpc_msg done;
	bool open, room = true;
	u32 i;

	spin_lock_bh(&s->lock);
	WRITE_ONCE(s->gone, true);
	spin_unlock_bh(&s->lock);
	for (i = 0; i < SHAREDPC_CALLS; i++) {
		struct request *c = &s->call[i];

		spin_lock_bh(&s->lock);
		open = c->state != CALL_FREE;
		if (c->state == CALL_QUEUED)
			list_del(&c->node);
		c->state = CALL_FREE;
		done = done_msg(s, &c->msg, -EIO, 0, 0);
		spin_unlock_bh(&s->lock);
		if (open && room)
			room = answer_once(s, &done) != -EAGAIN;
	}
}
