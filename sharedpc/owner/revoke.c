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
#include "link/point.h"
#include "owner/server.h"
#include "sharedpc_limits.h"

#define PATIENCE	LIMIT_REVOKE_S	/* seconds until a silent client is fenced */
#define SECOND		(20 * LIMIT_RESEND_S)	/* looks, of HZ / 20 */
#define GONE		LIMIT_GONE_S	/* the same, of one that says it is not there */

/* Lives of clients that are silent and could not be fenced; 0: none. */
static u32 unfenced[SHAREDPC_IMAGES_MAX];

/* The next try begins, if it can be sent: else an answer to the last one still counts. */
static int revoke_send(struct server *s, struct revoke *r)
{
	int err;

	spin_lock_bh(&s->lock);
	r->msg.result = r->try + 1;
	err = peer_send(s->client, &r->msg, NULL, 0);
	if (!err) {
		r->try++;
		r->kept = 0;
		r->kept_sum = 0;
	}
	spin_unlock_bh(&s->lock);
	if (!err)
		point_pass(POINT_TAKING);
	return err;
}

/* Wait for REVOKED.  0: all given back; -EBUSY: never reuse these pages. */
static int revoke_wait(struct server *s, struct revoke *r, struct meanwhile *w)
{
	int err = r->sent, i, resend = SECOND;

	for (i = 0; i < PATIENCE * SECOND; i++) {
		/* The ring may be full.  Else the client is dead or silent. */
		if (err == -EAGAIN || i == resend)
			err = revoke_send(s, r);
		/* Each second, then seldom: a client that is slow has time for an answer. */
		if (i == resend)
			resend += i < 4 * SECOND ? SECOND : i / 2;
		if (wait_for_completion_timeout(&r->done, HZ / 20))
			return r->error;
		if (lives_ended(s->client, s->epoch))
			return 0;
		if (w)
			w->run(w);
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

/* Send REVOKE @r->msg, about pages of @m: revoke_finish waits for its end. */
static void revoke_begin(struct server *s, struct map *m, struct revoke *r)
{
	r->map = m;
	r->try = 0;
	r->error = 0;
	r->waits = false;
	if (lives_ended(s->client, s->epoch))
		return;
	if (READ_ONCE(unfenced[s->client]) == s->epoch) {
		r->error = -EBUSY;	/* waiting again would not help */
		return;
	}
	r->waits = true;
	init_completion(&r->done);
	spin_lock_bh(&s->lock);
	r->msg.slot = s->revoke_serial++;
	list_add(&r->node, &s->revokes);
	spin_unlock_bh(&s->lock);
	atomic64_inc(&s->revokes_sent);
	r->sent = revoke_send(s, r);
}

static int revoke_finish(struct server *s, struct revoke *r, struct meanwhile *w)
{
	int err;

	if (!r->waits)
		return r->error;
	err = revoke_wait(s, r, w);
	spin_lock_bh(&s->lock);
	list_del(&r->node);
	spin_unlock_bh(&s->lock);
	return err;
}

static int revoke_run(struct server *s, struct map *m, struct revoke *r, struct meanwhile *w)
{
	revoke_begin(s, m, r);
	return revoke_finish(s, r, w);
}

static void revoke_about(struct revoke *r, const struct map *m, u64 first, u64 last,
			 u16 flags)
{
	r->msg = (struct sharedpc_msg) {
		.type = SHAREDPC_MSG_REVOKE,
		.flags = flags,
		.server = m->server->number,
		.file = m->file,
		.pos = first,
		.count = last - first + 1,
	};
}

static int revoke_pages(struct map *m, u64 first, u64 last, u16 flags, struct meanwhile *w)
{
	struct revoke r;

	revoke_about(&r, m, first, last, flags);
	return revoke_run(m->server, m, &r, w);
}

void revoke_believe(u32 client)
{
	WRITE_ONCE(unfenced[client], 0);
}

int revoke_end(struct server *s)
{
	struct revoke r = {
		.msg = {
			.type = SHAREDPC_MSG_REVOKE,
			.flags = SHAREDPC_REVOKE_END,
			.server = s->number,
		},
	};

	return revoke_run(s, NULL, &r, NULL);
}

/* The REVOKE whose try @msg answers and that waits for it, or NULL.  Under s->lock. */
static struct revoke *revoke_find(struct server *s, const struct sharedpc_msg *msg)
{
	struct revoke *r;

	list_for_each_entry(r, &s->revokes, node)
		if (r->msg.slot == msg->slot && r->try == msg->result &&
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
	if (r && r->map && msg->pos >= r->msg.pos && msg->pos - r->msg.pos < r->msg.count) {
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
static void taking_begin(struct map *m, struct taking *t, u64 first, u64 last, bool ahead)
{
	t->ahead = ahead;
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

/* The grant of page @index, which was @entry, is no more.  False: it was not any more. */
static bool grant_erase(struct map *m, unsigned long index, void *entry)
{
	bool had;

	xa_lock_bh(&m->grants);
	had = xa_load(&m->grants, index) == entry;
	if (had)
		__xa_erase(&m->grants, index);
	xa_unlock_bh(&m->grants);
	return had;
}

/*
 * Forget the grants of [first, last]; @keep: the client may still use them.  A page is marked
 * dirty while it is granted: who finds no grant does not wait.
 */
static void forget(struct map *m, u64 first, u64 last, bool keep)
{
	unsigned long index = first;
	struct page *page;
	void *entry;
	bool dirty;

	for (;;) {
		xa_lock_bh(&m->grants);
		entry = xa_find(&m->grants, &index, last, XA_PRESENT);
		page = entry ? pfn_to_page(xa_to_value(entry)) : NULL;
		dirty = entry && xa_get_mark(&m->grants, index, GRANT_DIRTY);
		if (entry)
			get_page(page);
		xa_unlock_bh(&m->grants);
		if (!entry)
			break;
		if (dirty)
			folio_mark_dirty(page_folio(page));
		if (grant_erase(m, index, entry)) {
			server_granted_add(m->server, -1);
			if (keep)
				kept_stuck(m->server->client, m->server->epoch, page);
			put_page(page);
		}
		put_page(page);
	}
	/* It may have stopped, and let go of all that is kept, just before. */
	if (keep && lives_ended(m->server->client, m->server->epoch))
		kept_unstick(m->server->client, m->server->epoch);
}

void revoke_all(struct map *m, u64 first, u64 last, struct meanwhile *w)
{
	unsigned long index = first;
	struct taking t;
	int err;

	xa_lock_bh(&m->grants);
	if (!xa_find(&m->grants, &index, last, XA_PRESENT)) {
		xa_unlock_bh(&m->grants);
		return;
	}
	taking_begin(m, &t, first, last, false);
	xa_unlock_bh(&m->grants);

	err = revoke_pages(m, first, last, 0, w);
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

bool revoke_write(struct map *m, u64 first, u64 last, struct meanwhile *w, bool wait)
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
		taking_begin(m, &t, m->index, m->index + m->pages - 1, false);
		unmark_write(m, &lo, &hi);
	}
	xa_unlock_bh(&m->grants);

	if (any) {
		/*
		 * Of our own pages in any case: somebody else may have cleared their marks, and
		 * not have sent his message yet.
		 */
		err = revoke_pages(m, min(lo, first), max(hi, last), SHAREDPC_REVOKE_WRITE, w);
		if (err)
			write_again(m, min(lo, first), max(hi, last));
		taking_end(m, &t);
		if (err)
			return true;	/* they stay dirty until they are forgotten */
	} else if (!taking_over(m, serial, first, last)) {
		/* Somebody else's message may be about our pages too: his, not later ones. */
		if (!wait)
			return false;
		wait_event(m->taken, taking_over(m, serial, first, last));
	}
	mark_dirty(m, first, last);
	return true;
}

void revoke_quiesce(struct map *m)
{
	wait_event(m->taken, taking_over(m, U64_MAX, 0, U64_MAX));
}

bool revoke_blocks(const struct map *m, u64 index, u64 count)
{
	const struct taking *t;

	list_for_each_entry(t, &m->takings, node)
		if (t->ahead && t->first < index + count && t->last >= index)
			return true;
	return false;
}

/*
 * What is granted while all is being taken back would be forgotten with it, so it is not
 * granted until that is over.  The right to write is only marked: what is
 * granted with it meanwhile is found, and what is dirty is noted, by revoke_write itself.
 */
bool revoke_ahead(struct map *m, u64 first, u64 last, bool write)
{
	struct ahead *a = &m->ahead;
	unsigned long index = first;
	u64 lo, hi;
	bool any;

	if (test_and_set_bit_lock(0, &a->busy))
		return false;
	a->write = write;
	xa_lock_bh(&m->grants);
	any = !m->dead && READ_ONCE(unfenced[m->server->client]) != m->server->epoch &&
	      xa_find(&m->grants, &index, last, write ? GRANT_WRITE : XA_PRESENT);
	if (any && write) {
		taking_begin(m, &a->taking, m->index, m->index + m->pages - 1, false);
		unmark_write(m, &lo, &hi);
		first = min(lo, first);
		last = max(hi, last);
	} else if (any) {
		taking_begin(m, &a->taking, first, last, true);
	}
	xa_unlock_bh(&m->grants);
	if (!any) {
		clear_bit_unlock(0, &a->busy);
		return false;
	}
	revoke_about(&a->revoke, m, first, last, write ? SHAREDPC_REVOKE_WRITE : 0);
	revoke_begin(m->server, m, &a->revoke);
	return true;
}

bool revoke_ahead_ready(const struct map *m)
{
	const struct revoke *r = &m->ahead.revoke;

	return !r->waits || completion_done((struct completion *)&r->done);
}

void revoke_ahead_end(struct map *m, struct meanwhile *w)
{
	struct ahead *a = &m->ahead;
	const struct sharedpc_msg *msg = &a->revoke.msg;
	u64 first = msg->pos, last = msg->pos + msg->count - 1;
	int err = revoke_finish(m->server, &a->revoke, w);

	if (!a->write)
		forget(m, first, last, err != 0);
	else if (err)
		write_again(m, first, last);
	taking_end(m, &a->taking);
	clear_bit_unlock(0, &a->busy);
}
