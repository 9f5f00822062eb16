// SPDX-License-Identifier: GPL-2.0-only
/*
 * wait.c - locks that are waited for
 *
 * Who waits is told when it is over (LOCKED), or asks again; so that may get lost.
 * Nobody sleeps here for a POSIX lock: the kernel says that somebody has let go
 * (lm_notify), and it is tried again.  For flock(2)'s it does not offer that, so each of those
 * waits has a thread, up to FLOCK_WAITS of a client; beyond these, and for file systems that
 * have locks of their own (NFS), the client asks again now and then.
 */
#include <linux/slab.h>
#include "link/peer.h"
#include "owner/holder.h"

#define FLOCK_WAITS	64	/* of a client: threads */
#define WAITS		4096	/* of a client, these included */

static atomic_t waits[SHAREDPC_IMAGES_MAX], flock_waits[SHAREDPC_IMAGES_MAX];
static struct workqueue_struct *works;
static struct workqueue_struct *sleepers;

static void wait_free(struct kref *ref)
{
	struct wait *w = container_of(ref, struct wait, ref);

	/* Also for who has just notified us, and looks at it once more. */
	locks_delete_block(&w->fl);
	locks_release_private(&w->fl);
	atomic_dec(&waits[w->held->server->client]);
	if (w->held->flock)
		atomic_dec(&flock_waits[w->held->server->client]);
	held_put(w->held);
	kfree(w);
}

static void wait_put(struct wait *w)
{
	kref_put(&w->ref, wait_free);
}

void wait_notify(struct file_lock *fl)
{
	struct wait *w = container_of(fl, struct wait, fl);

	kref_get(&w->ref);
	if (!queue_work(works, &w->work))
		wait_put(w);
}

static void tell(const struct wait *w, int err)
{
	const struct server *s = w->held->server;
	const struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_LOCKED, .server = s->number, .pos = w->name, .error = err,
	};

	if (server_current(s))
		peer_send(s->client, &msg, NULL, 0);
}

/* It is over.  Who does not hear of it asks again, from the beginning.  With the mutex. */
static void wait_over(struct wait *w)
{
	w->over = true;
	list_del_init(&w->node);
	wait_put(w);
}

static void flock_work(struct wait *w)
{
	struct mutex *lock = &w->held->server->locks_lock;
	bool ours;

	w->err = locks_lock_inode_wait(file_inode(w->held->file), &w->fl);
	complete_all(&w->awake);
	mutex_lock(lock);
	ours = !w->over;
	if (ours)
		wait_over(w);
	if (ours && w->err)
		held_tidy(w->held);
	mutex_unlock(lock);
	if (ours)
		tell(w, w->err);
}

static void posix_work(struct wait *w)
{
	struct mutex *lock = &w->held->server->locks_lock;
	int err = FILE_LOCK_DEFERRED;

	mutex_lock(lock);
	if (!w->over)
		err = held_try(w->held, &w->fl);
	if (err != FILE_LOCK_DEFERRED)
		wait_over(w);
	if (err < 0)
		held_tidy(w->held);
	mutex_unlock(lock);
	if (err != FILE_LOCK_DEFERRED)
		tell(w, err);
}

static void wait_work(struct work_struct *work)
{
	struct wait *w = container_of(work, struct wait, work);

	if (w->held->flock)
		flock_work(w);
	else
		posix_work(w);
	wait_put(w);
}

struct wait *wait_find(const struct held *h, u64 name)
{
	struct wait *w;

	list_for_each_entry(w, &h->waits, node)
		if (w->name == name)
			return w;
	return NULL;
}

static struct wait *wait_make(struct held *h, const struct ccfs_lock *l)
{
	struct wait *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return NULL;
	atomic_inc(&waits[h->server->client]);
	kref_init(&w->ref);
	kref_get(&h->ref);
	w->held = h;
	w->name = l->wait;
	held_fill(&w->fl, h, l);
	w->fl.c.flc_flags |= FL_SLEEP;
	INIT_WORK(&w->work, wait_work);
	init_completion(&w->awake);
	list_add_tail(&w->node, &h->waits);
	return w;
}

/* Are the locks of this file system its own, so that nobody would tell us? */
static bool asks_again(const struct held *h)
{
	return h->flock ? h->file->f_op->flock : h->file->f_op->lock;
}

/* For flock(2): it has just been tried. */
static int flock_wait(struct held *h, const struct ccfs_lock *l)
{
	atomic_t *n = &flock_waits[h->server->client];
	struct wait *w;

	if (atomic_inc_return(n) > FLOCK_WAITS) {
		atomic_dec(n);
		return FILE_LOCK_DEFERRED;
	}
	w = wait_make(h, l);
	if (!w) {
		atomic_dec(n);
		return -ENOLCK;
	}
	kref_get(&w->ref);
	queue_work(sleepers, &w->work);
	return FILE_LOCK_DEFERRED;
}

static int posix_wait(struct held *h, const struct ccfs_lock *l)
{
	struct wait *w = wait_make(h, l);
	int err;

	if (!w)
		return -ENOLCK;
	err = held_try(h, &w->fl);
	if (err != FILE_LOCK_DEFERRED) {
		list_del_init(&w->node);
		wait_put(w);
	}
	return err;
}

int wait_begin(struct held *h, const struct ccfs_lock *l)
{
	bool again = asks_again(h) || atomic_read(&waits[h->server->client]) >= WAITS;
	int err;

	if (!h->flock && !again)
		return posix_wait(h, l);
	err = held_set(h, l);
	if (err != -EAGAIN)
		return err;
	return again ? FILE_LOCK_DEFERRED : flock_wait(h, l);
}

/*
 * It is to sleep no more.  That it may not is seen under the lock under which it would
 * begin to, so after this it does not.
 */
static void flock_rouse(struct wait *w)
{
	struct file_lock_context *ctx = locks_inode_context(file_inode(w->held->file));

	if (ctx)
		spin_lock(&ctx->flc_lock);
	w->fl.c.flc_flags &= ~FL_SLEEP;
	if (ctx)
		spin_unlock(&ctx->flc_lock);
	locks_delete_block(&w->fl);
	locks_wake_up(&w->fl);
	wait_for_completion(&w->awake);
}

bool wait_end(struct wait *w)
{
	bool had = false;

	if (w->held->flock && cancel_work(&w->work)) {
		wait_put(w);	/* the work's; it had not begun */
	} else if (w->held->flock) {
		flock_rouse(w);
		had = !w->err;
	} else {
		locks_delete_block(&w->fl);
	}
	wait_over(w);
	return had;
}

int wait_init(void)
{
	/* Of each CPU, so that all that may sleep at once can begin. */
	sleepers = alloc_workqueue("sharedpc-flock", 0, SHAREDPC_IMAGES_MAX * FLOCK_WAITS);
	if (!sleepers)
		return -ENOMEM;
	works = alloc_workqueue("sharedpc-lock", WQ_UNBOUND, 0);
	if (works)
		return 0;
	destroy_workqueue(sleepers);
	return -ENOMEM;
}

void wait_exit(void)
{
	destroy_workqueue(works);
	destroy_workqueue(sleepers);
}
