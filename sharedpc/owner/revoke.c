// SPDX-License-Identifier: GPL-2.0-only
/*
 * revoke.c - taking frames, or the right to write them, back from a client
 *
 *	revoke_all	the client has nothing left of [first, last]
 *	revoke_write	it cannot write [first, last] any more
 *	revoke_end	it has no file of this server any more
 *
 * They return when that is certain: the client said REVOKED, or it is dead
 * (its CPUs have had INIT: what its slot says is only its word), or it was silent for too long and was fenced.  If
 * even the fence fails the frames are kept (kept.c) until the client's CPUs
 * have stopped: never handed to somebody else while the client may write them.
 *
 * Write-back asks for one page at a time.  The first such request takes the
 * right to write from all pages of the map with one message, so that the
 * rest of the file costs none (docs/architecture.md, Taking back).
 *
 * A REVOKE, or its answer, may get lost.  So it is sent again, as another try, and only
 * an answer to the last try counts, with all its KEPTs.
 *
 * What a client wrote shows in no page table of this kernel, so pages that it
 * could write are marked dirty here before their page is cleaned or dropped.
 */
#include <linux/completion.h>
#include <linux/mm.h>
#include "box/ctl.h"
#include "image/lives.h"
#include "link/peer.h"
#include "owner/server.h"
#include "sharedpc_limits.h"

#define PATIENCE	LIMIT_REVOKE_S	/* seconds until a silent client is fenced */
#define SECOND		(20 * LIMIT_RESEND_S)	/* looks, of HZ / 20 */
#define GONE		LIMIT_GONE_S	/* the same, of one that says it is not there */

/* Lives of clients that are silent and could not be fenced; 0: none. */
static u32 unfenced[SHAREDPC_IMAGES_MAX];

struct revoke {
	struct list_head node;
	u32 id;
	struct map *map;	/* NULL: of all files */
	u64 first, last;	/* pages of it */
	u64 try;
	u64 kept, kept_sum;	/* KEPTs of this try, what their addresses add up to */
	int error;
	struct completion done;
};

/* The next try begins, if it can be sent: else an answer to the last one still counts. */
static int revoke_send(struct server *s, struct revoke *r, struct sharedpc_msg *msg)
{
	int err;

	spin_lock_bh(&s->lock);
	msg->result = r->try + 1;
	err = peer_send(s->client, msg, NULL, 0);
	if (!err) {
		r->try++;
		r->kept = 0;
		r->kept_sum = 0;
	}
	spin_unlock_bh(&s->lock);
	return err;
}

/*
 * Send REVOKE and wait for REVOKED.  0: all given back; -EBUSY: never reuse
 * these pages.
 */
static int revoke_wait(struct server *s, struct revoke *r,
		       struct sharedpc_msg *msg)
{
	int err = -EAGAIN, i, resend = SECOND;

	for (i = 0; i < PATIENCE * SECOND; i++) {
		/* The ring may be full.  Else the client is dead or silent. */
		if (err == -EAGAIN || i == resend)
			err = revoke_send(s, r, msg);
		/* Each second, then seldom: a client that is slow has time for an answer. */
		if (i == resend)
			resend += i < 4 * SECOND ? SECOND : i / 2;
		if (wait_for_completion_timeout(&r->done, HZ / 20))
			return r->error;
		if (lives_ended(s->client, s->epoch))
			return 0;
		/* Whoever ends is seen to have ended by now. */
		if (i >= GONE * SECOND && !server_current(s))
			break;
	}
	pr_err("image %s does not give frames back: fencing it\n",
	       ctl_name(s->client));
	if (!lives_fence(s->client, s->epoch))
		return 0;
	pr_err("image %s cannot be fenced: what it holds stays as it is\n",
	       ctl_name(s->client));
	WRITE_ONCE(unfenced[s->client], s->epoch);
	/* Nothing more for it: its proxy leaves. */
	WRITE_ONCE(s->gone, true);
	request_wake(s);
	return -EBUSY;
}

/* Send REVOKE @msg, about pages of @m, and wait for its end. */
static int revoke_run(struct server *s, struct map *m, struct sharedpc_msg *msg)
{
	struct revoke r = {
		.map = m, .first = msg->pos, .last = msg->pos + msg->count - 1,
	};
	int err;

	if (lives_ended(s->client, s->epoch))
		return 0;
	if (READ_ONCE(unfenced[s->client]) == s->epoch)
		return -EBUSY;	/* waiting again would not help */
	init_completion(&r.done);
	spin_lock_bh(&s->lock);
	r.id = s->revoke_serial++;
	list_add(&r.node, &s->revokes);
	spin_unlock_bh(&s->lock);
	msg->slot = r.id;

	atomic64_inc(&s->revokes_sent);
	err = revoke_wait(s, &r, msg);

	spin_lock_bh(&s->lock);
	list_del(&r.node);
	spin_unlock_bh(&s->lock);
	return err;
}

static int revoke_pages(struct map *m, u64 first, u64 last, u16 flags)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_REVOKE,
		.flags = flags,
		.server = m->server->number,
		.file = m->file,
		.pos = first,
		.count = last - first + 1,
	};

	return revoke_run(m->server, m, &msg);
}

void revoke_believe(u32 client)
{
	WRITE_ONCE(unfenced[client], 0);
}

int revoke_end(struct server *s)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_REVOKE,
		.flags = SHAREDPC_REVOKE_END,
		.server = s->number,
	};

	return revoke_run(s, NULL, &msg);
}

/* The REVOKE whose try @msg answers and that waits for it, or NULL.  Under s->lock. */
static struct revoke *revoke_find(struct server *s, const struct sharedpc_msg *msg)
{
	struct revoke *r;

	list_for_each_entry(r, &s->revokes, node)
		if (r->id == msg->slot && r->try == msg->result &&
		    msg->file == (r->map ? r->map->file : 0))
			return r;
	return NULL;
}

/* Soft interrupt: the client gave something back. */
void revoke_answered(u32 client, const struct sharedpc_msg *msg)
{
	struct server *s = server_get(client, msg->server);
	struct revoke *r;

	if (!s)
		return;
	spin_lock_bh(&s->lock);
	r = revoke_find(s, msg);
	if (r && (msg->error || (msg->count == r->kept && msg->data == r->kept_sum))) {
		r->error = msg->error;
		complete(&r->done);
	}
	spin_unlock_bh(&s->lock);
	server_put(s);
}

/*
 * The grants' lock is held.  Page @msg->pos of what is being revoked stays in use.  One that
 * is not granted any more was taken back, and kept, before: it is named again as long as it
 * is held.
 */
static void keep_page(struct server *s, struct map *m, const struct sharedpc_msg *msg)
{
	void *entry = xa_load(&m->grants, msg->pos);
	struct revoke *r;

	if (entry && xa_to_value(entry) == PHYS_PFN(msg->data))
		kept_add(s, msg->count, pfn_to_page(xa_to_value(entry)));
	spin_lock(&s->lock);
	r = revoke_find(s, msg);
	if (r) {
		r->kept++;
		r->kept_sum += msg->data;
	}
	spin_unlock(&s->lock);
}

/* Soft interrupt: the client says so. */
void revoke_kept(u32 client, const struct sharedpc_msg *msg)
{
	struct server *s = server_get(client, msg->server);
	struct map *m = NULL;
	struct revoke *r;

	if (!s)
		return;
	spin_lock_bh(&s->lock);
	r = revoke_find(s, msg);
	/* What is not asked for cannot be kept back. */
	if (r && r->map && msg->pos >= r->first && msg->pos <= r->last) {
		m = r->map;
		kref_get(&m->ref);
	}
	spin_unlock_bh(&s->lock);
	if (m) {
		/* The grant is forgotten after REVOKED, which comes later. */
		xa_lock_bh(&m->grants);
		keep_page(s, m, msg);
		xa_unlock_bh(&m->grants);
		map_put(m);
	}
	server_put(s);
}

/* With the grants' lock. */
static void taking_begin(struct map *m, struct taking *t, u64 first, u64 last)
{
	t->first = first;
	t->last = last;
	t->serial = ++m->taking_serial;
	list_add_tail(&t->node, &m->takings);
}

static void taking_end(struct map *m, struct taking *t)
{
	xa_lock_bh(&m->grants);
	list_del(&t->node);
	xa_unlock_bh(&m->grants);
	wake_up_all(&m->taken);
}

/* Is one under way, begun up to @serial, that is about pages of [first, last]? */
static bool taking_over(struct map *m, u64 serial, u64 first, u64 last)
{
	struct taking *t;
	bool over = true;

	xa_lock_bh(&m->grants);
	list_for_each_entry(t, &m->takings, node)
		if (t->serial <= serial && t->first <= last && t->last >= first)
			over = false;
	xa_unlock_bh(&m->grants);
	return over;
}

/* Forget the grants of [first, last]; @keep: the client may still use them. */
static void forget(struct map *m, u64 first, u64 last, bool keep)
{
	unsigned long index = first;
	void *entry;
	bool dirty;

	for (;;) {
		struct page *page;

		xa_lock_bh(&m->grants);
		entry = xa_find(&m->grants, &index, last, XA_PRESENT);
		page = entry ? pfn_to_page(xa_to_value(entry)) : NULL;
		/* Dirty while it is granted: who finds no grant does not wait. */
		dirty = entry && xa_get_mark(&m->grants, index, GRANT_DIRTY);
		if (dirty) {
			__xa_clear_mark(&m->grants, index, GRANT_DIRTY);
			get_page(page);
		} else if (entry) {
			__xa_erase(&m->grants, index);
		}
		xa_unlock_bh(&m->grants);
		if (!entry)
			break;
		if (dirty) {
			folio_mark_dirty(page_folio(page));
			put_page(page);
			continue;
		}
		server_granted_add(m->server, -1);
		if (keep)
			kept_stuck(m->server->client, m->server->epoch, page);
		put_page(page);
	}
	/* It may have stopped, and let go of all that is kept, just before. */
	if (keep && lives_ended(m->server->client, m->server->epoch))
		kept_unstick(m->server->client, m->server->epoch);
}

void revoke_all(struct map *m, u64 first, u64 last)
{
	unsigned long index = first;
	struct taking t;
	int err;

	xa_lock_bh(&m->grants);
	if (!xa_find(&m->grants, &index, last, XA_PRESENT)) {
		xa_unlock_bh(&m->grants);
		return;
	}
	taking_begin(m, &t, first, last);
	xa_unlock_bh(&m->grants);

	err = revoke_pages(m, first, last, 0);
	forget(m, first, last, err != 0);
	taking_end(m, &t);
}

/* The client could write these until now: tell the file system. */
static void mark_dirty(struct map *m, u64 first, u64 last)
{
	unsigned long index = first;
	struct page *page;
	void *entry;

	for (;;) {
		xa_lock_bh(&m->grants);
		entry = xa_find(&m->grants, &index, last, GRANT_DIRTY);
		if (entry) {
			__xa_clear_mark(&m->grants, index, GRANT_DIRTY);
			page = pfn_to_page(xa_to_value(entry));
			get_page(page);
		}
		xa_unlock_bh(&m->grants);
		if (!entry)
			return;
		folio_mark_dirty(page_folio(page));
		put_page(page);
	}
}

/*
 * At so many entries the grants' lock is let go of for a moment: there may be a quarter of
 * a million.
 */
#define BATCH	1024

static void batch_pause(struct map *m, u32 *n)
{
	if (++*n % BATCH)
		return;
	xa_unlock_bh(&m->grants);
	cond_resched();
	xa_lock_bh(&m->grants);
}

/* The right could not be taken away: the client may write on. */
static void write_again(struct map *m, u64 first, u64 last)
{
	unsigned long index;
	void *entry;
	u32 n = 0;

	xa_lock_bh(&m->grants);
	xa_for_each_range(&m->grants, index, entry, first, last) {
		__xa_set_mark(&m->grants, index, GRANT_WRITE);
		__xa_set_mark(&m->grants, index, GRANT_DIRTY);
		batch_pause(m, &n);
	}
	xa_unlock_bh(&m->grants);
}

/*
 * The right to write goes from all pages of @m: their marks, and in *@lo, *@hi which
 * they are.  What is granted meanwhile is granted before the REVOKE, which has it go as
 * well: then a mark says more than is true, which costs a message some time.
 */
static void unmark_write(struct map *m, u64 *lo, u64 *hi)
{
	unsigned long index;
	void *entry;
	u32 n = 0;

	*lo = m->index + m->pages;
	*hi = m->index;
	xa_for_each_marked(&m->grants, index, entry, GRANT_WRITE) {
		*lo = min_t(u64, *lo, index);
		*hi = max_t(u64, *hi, index);
		__xa_clear_mark(&m->grants, index, GRANT_WRITE);
		batch_pause(m, &n);
	}
}

void revoke_write(struct map *m, u64 first, u64 last)
{
	unsigned long index = first;
	struct taking t;
	u64 lo, hi, serial;
	bool any;
	int err;

	xa_lock_bh(&m->grants);
	serial = m->taking_serial;
	any = xa_find(&m->grants, &index, last, GRANT_WRITE);
	if (any) {
		taking_begin(m, &t, m->index, m->index + m->pages - 1);
		unmark_write(m, &lo, &hi);
	}
	xa_unlock_bh(&m->grants);

	if (any) {
		err = revoke_pages(m, lo, hi, SHAREDPC_REVOKE_WRITE);
		if (err)
			write_again(m, lo, hi);
		taking_end(m, &t);
		if (err)
			return;		/* they stay dirty until they are forgotten */
	} else {
		/* Somebody else's message may be about our pages too: his, not later ones. */
		wait_event(m->taken, taking_over(m, serial, first, last));
	}
	mark_dirty(m, first, last);
}
