// SPDX-License-Identifier: GPL-2.0-only
/*
 * session.c - a client's side of one server, see session.h
 */
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "box/ctl.h"
#include "client/session.h"
#include "link/peer.h"

/* In place of a session: its server has ended. */
#define ENDED	xa_mk_value(0)

static struct xarray sessions[SHAREDPC_IMAGES_MAX];	/* by server */
static u32 barred[SHAREDPC_IMAGES_MAX];	/* no new one up to this number */
static atomic_t living;
static void (*closer)(struct work_struct *work);
static void (*ender)(struct session *s);

void session_init(void (*close)(struct work_struct *work),
		  void (*end)(struct session *s))
{
	u32 i;

	closer = close;
	ender = end;
	for (i = 0; i < SHAREDPC_IMAGES_MAX; i++)
		xa_init_flags(&sessions[i], XA_FLAGS_LOCK_BH);
}

static void session_free(struct kref *ref)
{
	kfree(container_of(ref, struct session, ref));
}

void session_put(struct session *s)
{
	kref_put(&s->ref, session_free);
}

bool session_alive(const struct session *s)
{
	return !READ_ONCE(s->ended) && peer_up(s->owner) &&
	       peer_epoch(s->owner) == s->epoch;
}

/* What is in the table for @server: with a reference, if it is a session. */
static void *session_load(u32 owner, u32 server)
{
	void *entry;

	xa_lock_bh(&sessions[owner]);
	entry = xa_load(&sessions[owner], server);
	if (entry && entry != ENDED)
		kref_get(&((struct session *)entry)->ref);
	xa_unlock_bh(&sessions[owner]);
	return entry;
}

struct session *session_find(u32 owner, u32 server)
{
	void *entry = session_load(owner, server);

	return entry == ENDED ? NULL : entry;
}

static struct session *session_make(u32 owner, u32 epoch, u32 server)
{
	struct session *s = kzalloc(sizeof(*s), GFP_KERNEL);
	u32 i;

	if (!s)
		return NULL;
	kref_init(&s->ref);
	s->owner = owner;
	s->epoch = epoch;
	s->server = server;
	spin_lock_init(&s->lock);
	init_waitqueue_head(&s->wait);
	INIT_LIST_HEAD(&s->bounce_waiters);
	for (i = 0; i < SHAREDPC_CALLS; i++) {
		/* Answers to an earlier life of this image must not match. */
		s->slot[i].name = get_random_u32() * SHAREDPC_CALLS + i;
		init_completion(&s->slot[i].done);
	}
	init_llist_head(&s->closings);
	for (i = 0; i < SESSION_CLOSERS; i++) {
		s->closer[i].session = s;
		INIT_WORK(&s->closer[i].work, closer);
	}
	return s;
}

/* @entry is no more in the table: it ends, with the table's reference. */
static struct session *session_ended(void *entry)
{
	struct session *s = entry;

	if (!entry || entry == ENDED)
		return NULL;
	WRITE_ONCE(s->ended, true);
	atomic_dec(&living);
	return s;
}

/* Put a new one into the table.  -EAGAIN: somebody else did. */
static int session_add(struct session *s)
{
	void *old;

	kref_get(&s->ref);
	atomic_inc(&living);
	old = xa_cmpxchg_bh(&sessions[s->owner], s->server, NULL, s, GFP_KERNEL);
	if (!old)
		return 0;
	atomic_dec(&living);
	session_put(s);
	return xa_err(old) ?: -EAGAIN;
}

/*
 * The owner may have gone just before @s got into the table, and then nobody finds it
 * there: see session_end_any.  Or its number has just been barred: see session_end.  What
 * others may have done with it meanwhile ends, too.
 */
static int session_check(struct session *s)
{
	bool is_barred;

	/* In the table, then a look: peer.c and session_end do it the other way round. */
	smp_mb();
	is_barred = s->server <= READ_ONCE(barred[s->owner]);
	if (session_alive(s) && !is_barred)
		return 0;
	if (xa_cmpxchg_bh(&sessions[s->owner], s->server, s, NULL, 0) == s)
		ender(session_ended(s));
	return is_barred ? -ESTALE : -ENOTCONN;
}

struct session *session_get(u32 owner, u32 epoch, u32 server)
{
	struct session *s;
	void *entry;
	int err;

	if (owner >= ctl_nr_images || owner == ctl_self || !server)
		return ERR_PTR(-EINVAL);
	do {
		if (!peer_up(owner) || peer_epoch(owner) != epoch)
			return ERR_PTR(-ENOTCONN);
		entry = session_load(owner, server);
		if (entry == ENDED)
			return ERR_PTR(-ESTALE);
		if (!entry && server <= READ_ONCE(barred[owner]))
			return ERR_PTR(-ESTALE);
		s = entry ?: session_make(owner, epoch, server);
		if (!s)
			return ERR_PTR(-ENOMEM);
		if (entry)
			err = session_alive(s) ? 0 : READ_ONCE(s->ended) ? -ESTALE : -ENOTCONN;
		else
			err = session_add(s) ?: session_check(s);
		if (err)
			session_put(s);
	} while (err == -EAGAIN);
	return err ? ERR_PTR(err) : s;
}

struct session *session_end(u32 owner, u32 server)
{
	void *entry;

	entry = xa_store_bh(&sessions[owner], server, ENDED, GFP_NOWAIT | __GFP_NOWARN);
	if (!xa_is_err(entry))
		return session_ended(entry);
	/*
	 * No session, and no memory for its number.  Others below it are barred as
	 * well: a mount that has nothing open yet may have to be mounted again.
	 */
	WRITE_ONCE(barred[owner], max(barred[owner], server));
	smp_mb();	/* pairs with session_check: who did not see it is in the table */
	return session_ended(xa_erase_bh(&sessions[owner], server));
}

struct session *session_end_any(u32 owner)
{
	struct session *s;
	unsigned long server;
	void *entry;

	xa_for_each(&sessions[owner], server, entry) {
		s = session_ended(xa_erase_bh(&sessions[owner], server));
		if (s)
			return s;
	}
	WRITE_ONCE(barred[owner], 0);
	return NULL;
}

/* Nobody has one any more. */
void session_exit(void)
{
	struct session *s;
	u32 i;

	for (i = 0; i < SHAREDPC_IMAGES_MAX; i++) {
		while ((s = session_end_any(i)))
			session_put(s);
		xa_destroy(&sessions[i]);
	}
}

void session_each(u32 owner, void (*run)(struct session *s))
{
	unsigned long server;
	struct session *s;
	void *entry;

	xa_for_each(&sessions[owner], server, entry) {
		s = session_find(owner, server);
		if (!s)
			continue;
		run(s);
		session_put(s);
	}
}

u32 session_count(void)
{
	return atomic_read(&living);
}

static u32 slots_open(const struct session *s)
{
	u32 i, open = 0;

	for (i = 0; i < SHAREDPC_CALLS; i++)
		open += READ_ONCE(s->slot[i].state) != SLOT_FREE;
	return open;
}

u32 session_calls(u32 owner)
{
	unsigned long server;
	u32 open = 0;
	void *entry;

	xa_lock_bh(&sessions[owner]);
	xa_for_each(&sessions[owner], server, entry)
		if (entry != ENDED)
			open += slots_open(entry);
	xa_unlock_bh(&sessions[owner]);
	return open;
}
