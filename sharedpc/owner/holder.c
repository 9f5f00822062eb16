// SPDX-License-Identifier: GPL-2.0-only
/*
 * holder.c - who has locks, and of what: see holder.h
 *
 * What is a process or an open file at the client is a holder here, under the client's
 * name for it.  All locks that the kernel has for it, on its lists or copied, are uses of
 * it.
 */
#include <linux/file.h>
#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/slab.h>
#include "owner/holder.h"

#define LOCKS_MAX	(1 << 18)	/* of one client, about: what waits, and holds, included */

struct holder {
	struct hlist_node node;		/* in holders; its lock, as uses */
	u32 uses;
	u32 client, epoch;
	u64 name;
};

static DEFINE_HASHTABLE(holders, 10);
static DEFINE_SPINLOCK(holders_lock);
static atomic_t locks[SHAREDPC_IMAGES_MAX];

static struct holder *holder_find(const struct server *s, u64 name)
{
	struct holder *h;

	hash_for_each_possible(holders, h, node, name)
		if (h->name == name && h->client == s->client && h->epoch == s->epoch)
			return h;
	return NULL;
}

struct holder *holder_get(const struct server *s, u64 name)
{
	struct holder *new = kzalloc(sizeof(*new), GFP_KERNEL), *h;

	if (!new)
		return NULL;
	new->client = s->client;
	new->epoch = s->epoch;
	new->name = name;
	spin_lock(&holders_lock);
	h = holder_find(s, name);
	if (!h) {
		h = new;
		new = NULL;
		hash_add(holders, &h->node, name);
	}
	h->uses++;
	spin_unlock(&holders_lock);
	kfree(new);
	return h;
}

void holder_put(struct holder *h)
{
	bool last;

	spin_lock(&holders_lock);
	last = !--h->uses;
	if (last)
		hash_del(&h->node);
	spin_unlock(&holders_lock);
	if (last)
		kfree(h);
}

bool holder_full(u32 client, bool unlock)
{
	return atomic_read(&locks[client]) >= (unlock ? 2 : 1) * LOCKS_MAX;
}

/* The kernel has made a copy of a lock.  Under its spin locks. */
static fl_owner_t owner_get(fl_owner_t owner)
{
	struct holder *h = owner;

	spin_lock(&holders_lock);
	h->uses++;
	spin_unlock(&holders_lock);
	atomic_inc(&locks[h->client]);
	return owner;
}

static void owner_put(fl_owner_t owner)
{
	struct holder *h = owner;

	atomic_dec(&locks[h->client]);
	holder_put(h);
}

static const struct lock_manager_operations manager_ops = {
	.lm_get_owner	= owner_get,
	.lm_put_owner	= owner_put,
	.lm_notify	= wait_notify,
};

static void held_free(struct kref *ref)
{
	struct held *h = container_of(ref, struct held, ref);

	if (h->holder)
		holder_put(h->holder);
	fput(h->file);
	atomic_dec(&locks[h->server->client]);
	server_put(h->server);
	kfree(h);
}

void held_put(struct held *h)
{
	kref_put(&h->ref, held_free);
}

static struct hlist_head *held_head(struct server *s, u64 owner)
{
	return &s->held[hash_64(owner, HELD_BITS)];
}

struct held *held_find(struct server *s, const struct inode *inode, u64 mount,
		       const struct ccfs_lock *l)
{
	struct held *h;

	hlist_for_each_entry(h, held_head(s, l->owner), node)
		if (h->owner == l->owner && h->flock == (l->kind == CCFS_LOCK_FLOCK) &&
		    h->mount == mount && file_inode(h->file) == inode)
			return h;
	return NULL;
}

/*
 * The file that locks are of: for flock(2) one of its own, as each open file has its; who
 * watches hears nothing of it.
 */
static struct file *held_file(struct file *file, bool flock)
{
	if (!flock)
		return get_file(file);
	return dentry_open(&file->f_path, O_RDONLY | O_NOATIME | __FMODE_NONOTIFY,
			   file->f_cred);
}

struct held *held_make(struct server *s, struct file *file, u64 mount,
		       const struct ccfs_lock *l)
{
	struct held *h = kzalloc(sizeof(*h), GFP_KERNEL);
	int err = -ENOLCK;

	if (!h)
		return ERR_PTR(-ENOLCK);
	h->flock = l->kind == CCFS_LOCK_FLOCK;
	if (!h->flock) {
		h->holder = holder_get(s, l->owner);
		if (!h->holder)
			goto free;
	}
	h->file = held_file(file, h->flock);
	if (IS_ERR(h->file)) {
		err = PTR_ERR(h->file);
		goto put;
	}
	kref_init(&h->ref);
	kref_get(&s->ref);
	atomic_inc(&locks[s->client]);
	h->server = s;
	h->owner = l->owner;
	h->mount = mount;
	INIT_LIST_HEAD(&h->waits);
	hlist_add_head(&h->node, held_head(s, l->owner));
	return h;
put:
	if (h->holder)
		holder_put(h->holder);
free:
	kfree(h);
	return ERR_PTR(err);
}

void held_fill(struct file_lock *fl, const struct held *h, const struct ccfs_lock *l)
{
	locks_init_lock(fl);
	fl->c.flc_type = l->type;
	fl->c.flc_pid = l->pid;
	fl->c.flc_file = h->file;
	fl->fl_start = l->first;
	fl->fl_end = l->last;
	if (h->flock) {
		fl->c.flc_flags = FL_FLOCK;
		fl->c.flc_owner = h->file;
		return;
	}
	fl->c.flc_flags = FL_POSIX | (l->kind == CCFS_LOCK_OFD ? FL_OFDLCK : 0);
	fl->c.flc_owner = owner_get(h->holder);
	fl->fl_lmops = &manager_ops;
}

int held_try(struct held *h, struct file_lock *fl)
{
	if (h->flock && h->file->f_op->flock)
		return h->file->f_op->flock(h->file, F_SETLK, fl);
	if (h->flock)
		return locks_lock_inode_wait(file_inode(h->file), fl);
	return vfs_lock_file(h->file, F_SETLK, fl, NULL);
}

int held_set(struct held *h, const struct ccfs_lock *l)
{
	struct file_lock fl;
	int err;

	held_fill(&fl, h, l);
	err = held_try(h, &fl);
	locks_release_private(&fl);
	return err;
}

static const void *held_owner(const struct held *h)
{
	return h->flock ? (void *)h->file : h->holder;
}

/* Has it such a lock of the file, or any, if @l is NULL? */
static bool held_any(const struct held *h, const struct ccfs_lock *l)
{
	struct file_lock_context *ctx = locks_inode_context(file_inode(h->file));
	const struct file_lock *fl;
	bool any = false;

	if (!ctx)
		return false;
	spin_lock(&ctx->flc_lock);
	list_for_each_entry(fl, h->flock ? &ctx->flc_flock : &ctx->flc_posix, c.flc_list) {
		any = fl->c.flc_owner == held_owner(h) &&
		      (!l || (fl->c.flc_type == l->type && fl->fl_start <= (loff_t)l->first &&
			      fl->fl_end >= (loff_t)l->last));
		if (any)
			break;
	}
	spin_unlock(&ctx->flc_lock);
	return any;
}

bool held_has(const struct held *h, const struct ccfs_lock *l)
{
	return held_any(h, l);
}

void held_tidy(struct held *h)
{
	if (!list_empty(&h->waits) || held_any(h, NULL))
		return;
	hlist_del(&h->node);
	held_put(h);
}
