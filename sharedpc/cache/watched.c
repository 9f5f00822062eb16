// SPDX-License-Identifier: GPL-2.0-only
/*
 * watched.c - what is watched on this image (inotify, fanotify, dnotify), which the owner is told
 *
 * ftrace calls us where a mark of fsnotify is put on an inode, and where its mask is put
 * together anew: locks are held there, so we only note that the task has to come by here on
 * its way back to user space, where it has none.  There it tells the owner what is watched
 * and waits for the answer: what another image does after inotify_add_watch(2) has returned
 * is heard.  A mark that a thread of the kernel puts there is told by work, soon after.
 *
 * That a watch has gone nobody says: the owner is told so when something that nobody wants
 * to hear arrives (raise.c), or that the inode is no more, by FUSE's FORGET.
 *
 * What is told has a serial number, since two questions may overtake each other at the owner:
 * only the last counts, there as well as here.
 */
#include <linux/cleanup.h>
#include <linux/eventfd.h>
#include <linux/fsnotify_backend.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "box/ctl.h"
#include "box/trace.h"
#include "cache/cache.h"
#include "sharedpc_limits.h"

#define PATIENCE	(LIMIT_HEAR_S * HZ)	/* when there was no slot, or no buffer */
#define LATER		(LIMIT_TIDY_MS * HZ / 1000)	/* then work tells it */

struct telling {
	struct callback_head work;
	struct inode *inode;		/* with a reference, its super block has one as well */
};

static bool can_watch;			/* ftrace calls us */
static struct workqueue_struct *works;
static atomic_t tellings;
static DECLARE_WAIT_QUEUE_HEAD(none);

u32 watched_mask(const struct inode *inode)
{
	u32 mask = READ_ONCE(inode->i_fsnotify_mask);

	if (!(mask & CCFS_EVENT_ALL))
		return 0;
	return mask & (CCFS_EVENT_ALL | FS_EVENT_ON_CHILD);
}

/* Is there something of it to tell?  Then its serial number. */
static u64 untold(struct inode *inode, u32 *mask)
{
	struct cache_inode *ci = cache_inode(inode);
	u64 serial = 0;

	spin_lock(&ci->lock);
	*mask = watched_mask(inode);
	if (*mask & ~ci->told_mask) {
		serial = atomic64_inc_return(&cache_mount_of(inode->i_sb)->watch_serial);
		ci->watch_serial = serial;
		ci->unwatched = false;
		/* Whatever becomes of the question: of more nobody is certain. */
		ci->told_mask &= *mask;
	}
	spin_unlock(&ci->lock);
	return serial;
}

/* The owner knows it, unless something has been told meanwhile. */
static void told(struct inode *inode, u32 mask, u64 serial)
{
	struct cache_inode *ci = cache_inode(inode);

	spin_lock(&ci->lock);
	if (ci->watch_serial == serial)
		ci->told_mask = mask;
	spin_unlock(&ci->lock);
}

/* Somebody has to take events, from the first watch on. */
static void ring(struct cache_mount *m)
{
	struct eventfd_ctx *bell = xchg(&m->bell, NULL);

	if (!bell)
		return;
	eventfd_signal(bell);
	eventfd_ctx_put(bell);
}

/* Tell what there is to tell.  0, the owner's error, or DIRECT_NOT: it could not be asked. */
static int tell(struct inode *inode)
{
	u64 serial;
	u32 mask;
	int err;

	while ((serial = untold(inode, &mask))) {
		err = direct_watch(inode, mask, serial);
		if (err)
			return err;
		ring(cache_mount_of(inode->i_sb));
		cache_count(cache_mount_of(inode->i_sb), CACHE_WATCH);
		told(inode, mask, serial);
	}
	return 0;
}

/* The work has a reference. */
static void later(struct cache_mount *m)
{
	kref_get(&m->ref);
	if (READ_ONCE(m->dead) || !queue_delayed_work(works, &m->watch_later, LATER))
		cache_put(m);
}

/* As told, with time to wait for a slot or a buffer. */
static void tell_patiently(struct inode *inode)
{
	struct cache_mount *m = cache_mount_of(inode->i_sb);
	unsigned long until = jiffies + PATIENCE;
	int err;

	do
		err = tell(inode);
	while (err == DIRECT_NOT && time_before(jiffies, until) && !direct_pause(m));
	if (!err || err == -ESTALE || READ_ONCE(m->dead))	/* nothing will happen to it */
		return;
	if (err != -EOPNOTSUPP)
		later(m);
	if (err == DIRECT_NOT || err == -EINTR)
		return;
	pr_warn_once("image %s: what is watched cannot be told: %d\n", ctl_name(m->owner), err);
}

static void telling_end(struct telling *t)
{
	struct super_block *sb = t->inode->i_sb;

	iput(t->inode);
	kfree(t);
	deactivate_super(sb);
	guard(rcu)();	/* see watching_end */
	if (atomic_dec_and_test(&tellings))
		wake_up(&none);
}

/* On the way to user space. */
static void telling_work(struct callback_head *work)
{
	struct telling *t = container_of(work, struct telling, work);

	tell_patiently(t->inode);
	telling_end(t);
}

/* Marks of @inode change, in this task, which has it: with locks. */
static void note(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	struct cache_mount *m;
	struct telling *t;

	if (!cache_is_ours(sb) || !cache_inode(inode))
		return;
	m = cache_mount_of(sb);
	if (!m->ask || READ_ONCE(m->dead))
		return;
	if (current->flags & (PF_KTHREAD | PF_EXITING) || !atomic_inc_not_zero(&sb->s_active)) {
		later(m);
		return;
	}
	t = kmalloc(sizeof(*t), GFP_ATOMIC | __GFP_NOWARN);
	if (t && igrab(inode)) {
		t->inode = inode;
		init_task_work(&t->work, telling_work);
		atomic_inc(&tellings);
		if (!task_work_add(current, &t->work, TWA_RESUME))
			return;
		atomic_dec(&tellings);	/* nobody can wait: there is a mount */
		iput(inode);	/* the caller has one as well, and the super block */
	}
	kfree(t);
	atomic_dec(&sb->s_active);
	later(m);
}

static void at_recalc(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		      struct ftrace_regs *regs)
{
	struct fsnotify_mark_connector *conn = (void *)ftrace_regs_get_argument(regs, 0);
	struct inode *inode;

	if (!conn || conn->type != FSNOTIFY_OBJ_TYPE_INODE)
		return;
	inode = READ_ONCE(conn->obj);	/* NULL: it has just been detached */
	if (inode)
		note(inode);
}

static void at_add(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		   struct ftrace_regs *regs)
{
	if (ftrace_regs_get_argument(regs, 2) == FSNOTIFY_OBJ_TYPE_INODE)
		note((void *)ftrace_regs_get_argument(regs, 1));
}

static struct trace recalc = TRACE("fsnotify_recalc_mask", at_recalc);
static struct trace add = TRACE("fsnotify_add_mark_locked", at_add);

struct inode *watched_next(struct super_block *sb, struct inode *inode)
{
	struct inode *at = inode, *found = NULL;

	spin_lock(&sb->s_inode_list_lock);
	at = list_prepare_entry(at, &sb->s_inodes, i_sb_list);
	list_for_each_entry_continue(at, &sb->s_inodes, i_sb_list) {
		if (!watched_mask(at) || !cache_inode(at))
			continue;
		spin_lock(&at->i_lock);
		if (!(at->i_state & (I_FREEING | I_WILL_FREE | I_NEW))) {
			__iget(at);
			found = at;
		}
		spin_unlock(&at->i_lock);
		if (found)
			break;
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(inode);
	return found;
}

static void watched_later(struct work_struct *work)
{
	struct cache_mount *m = container_of(to_delayed_work(work), struct cache_mount,
					     watch_later);
	struct super_block *sb = cache_hold(m);
	struct inode *inode = NULL;
	bool again = false;
	int err = 0;

	if (!sb) {
		cache_put(m);
		return;
	}
	while (err != DIRECT_NOT && (inode = watched_next(sb, inode))) {
		err = tell(inode);
		again |= err && err != -ESTALE && err != -EOPNOTSUPP;
	}
	iput(inode);
	if (again)
		later(m);
	deactivate_super(sb);
	cache_put(m);
}

void watched_gone(struct inode *inode)
{
	struct cache_inode *ci = cache_inode(inode);
	u64 serial;

	spin_lock(&ci->lock);
	if (watched_mask(inode) || ci->unwatched) {
		spin_unlock(&ci->lock);
		return;
	}
	serial = atomic64_inc_return(&cache_mount_of(inode->i_sb)->watch_serial);
	ci->watch_serial = serial;
	ci->told_mask = 0;
	spin_unlock(&ci->lock);
	/* If that cannot be said, it is when the next one arrives. */
	if (direct_watch(inode, 0, serial))
		return;
	spin_lock(&ci->lock);
	ci->unwatched = ci->watch_serial == serial;
	spin_unlock(&ci->lock);
}

int cache_hear(struct cache_mount *m, int fd)
{
	struct eventfd_ctx *bell = eventfd_ctx_fdget(fd);

	if (IS_ERR(bell))
		return PTR_ERR(bell);
	bell = xchg(&m->bell, bell);
	if (bell)
		eventfd_ctx_put(bell);
	return 0;
}

void watched_init(struct cache_mount *m)
{
	INIT_DELAYED_WORK(&m->watch_later, watched_later);
}

void watched_exit(struct cache_mount *m)
{
	struct eventfd_ctx *bell = xchg(&m->bell, NULL);

	/* It may be the work that has come here. */
	if (cancel_delayed_work(&m->watch_later))
		cache_put(m);
	if (bell)
		eventfd_ctx_put(bell);
}

int watching_begin(void)
{
	int err;

	works = alloc_workqueue("sharedpc-watch", WQ_UNBOUND, 0);
	if (!works)
		return -ENOMEM;
	err = trace_begin(&recalc);
	if (!err) {
		err = trace_begin(&add);
		if (err)
			trace_end(&recalc);
	}
	can_watch = !err;
	if (err)
		pr_warn("watches will not see what other images do: ftrace: %d\n", err);
	return 0;
}

void watching_end(void)
{
	if (can_watch) {
		trace_end(&add);
		trace_end(&recalc);
	}
	wait_event(none, !atomic_read(&tellings));
	synchronize_rcu();
	/* Nobody is at telling_end's very end any more. */
	synchronize_rcu_tasks();
	destroy_workqueue(works);
}
