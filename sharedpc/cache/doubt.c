// SPDX-License-Identifier: GPL-2.0-only
/*
 * doubt.c - questions about locks, and what is done when nobody knows how one ended
 *
 * Who is killed while he asks does not know what the owner has done, or will do with a call
 * that is on its way.  So work of this module's waits until that call has ended, and then has
 * the owner let go of all that was asked for and that is not noted here, and of the right to
 * write where reading is noted.  Until that is done his name is not given up, and whoever comes
 * for the same one (it is an open file that others have too) waits.
 */
#include <linux/path.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "box/ctl.h"
#include "cache/cache.h"
#include "cache/doubt.h"
#include "cache/whose.h"
#include "client/call.h"
#include "sharedpc_limits.h"

#define PAUSE	(HZ / 50)	/* when there was no slot, or no buffer */
#define TRIES	3000		/* with errors of the owner's, PAUSE between */

struct doubt {
	struct delayed_work work;
	struct list_head node;		/* in doubts; its lock */
	struct path path;		/* of the file */
	struct file_lock fl;		/* whose */
	u32 call;			/* that may still be done; 0: none */
	bool waits;			/* asked is a wait that is to end */
	struct ccfs_lock asked;
	u32 tries;
};

static struct workqueue_struct *works;
static LIST_HEAD(doubts);
static DEFINE_SPINLOCK(doubts_lock);
static DECLARE_WAIT_QUEUE_HEAD(settled);	/* for one to go */

static u32 kind_of(const struct file_lock *fl)
{
	if (fl->c.flc_flags & FL_FLOCK)
		return CCFS_LOCK_FLOCK;
	return fl->c.flc_flags & FL_OFDLCK ? CCFS_LOCK_OFD : CCFS_LOCK_POSIX;
}

struct ccfs_lock doubt_wanted(const struct file_lock *fl, enum ccfs_lock_what what, u64 name)
{
	return (struct ccfs_lock){
		.owner = name, .what = what, .kind = kind_of(fl), .type = fl->c.flc_type,
		.first = fl->fl_start, .last = fl->fl_end,
		.pid = max(fl->c.flc_pid, 0),
	};
}

int doubt_ask(struct inode *inode, struct ccfs_lock *lock, u32 *call)
{
	const struct cache_mount *m = cache_mount_of(inode->i_sb);
	unsigned long until = jiffies + LIMIT_CALL_S * HZ;
	struct ccfs_lock answer;
	int err;

	*call = 0;
	do {
		answer = *lock;
		err = direct_lock(inode, &answer, call);
		if (err != DIRECT_NOT) {
			*lock = answer;
			return err;
		}
		err = direct_pause(m);
	} while (!err && time_before(jiffies, until));
	return err ?: -ETIMEDOUT;
}

/*
 * The first part of what @say is of that is not as noted here, and how it is noted: not at
 * all, or for reading when it was to be for writing.  False: all of it is.
 */
static bool find_part(const struct inode *inode, const struct file_lock *fl,
		      struct ccfs_lock *say)
{
	struct file_lock_context *ctx = locks_inode_context(inode);
	bool flock = fl->c.flc_flags & FL_FLOCK, for_writing = say->type == F_WRLCK;
	const struct file_lock *l;

	say->type = F_UNLCK;
	if (!ctx)
		return true;
	spin_lock(&ctx->flc_lock);
	/* His are in the order of where they begin, and none overlap. */
	list_for_each_entry(l, flock ? &ctx->flc_flock : &ctx->flc_posix, c.flc_list) {
		if (!whose_same(fl, l) || (u64)l->fl_end < say->first ||
		    (u64)l->fl_start > say->last)
			continue;
		if ((u64)l->fl_start > say->first) {
			say->last = l->fl_start - 1;
			break;
		}
		if (for_writing && l->c.flc_type == F_RDLCK) {
			say->type = F_RDLCK;
			say->last = min_t(u64, say->last, l->fl_end);
			break;
		}
		say->first = l->fl_end + 1ULL;
	}
	spin_unlock(&ctx->flc_lock);
	return say->first <= say->last;
}

static bool is_about(const struct doubt *d, const struct super_block *sb,
		     const struct file_lock *fl)
{
	return d->path.dentry->d_sb == sb && whose_same(&d->fl, fl);
}

/*
 * None began before @d that is about the same one: two at a time could overtake each other.
 * The list is in the order of their beginnings.
 */
static bool is_first(const struct doubt *d)
{
	const struct doubt *first;

	spin_lock(&doubts_lock);
	list_for_each_entry(first, &doubts, node)
		if (is_about(first, d->path.dentry->d_sb, &d->fl))
			break;
	spin_unlock(&doubts_lock);
	return first == d;
}

static bool is_settled(const struct super_block *sb, const struct file_lock *fl)
{
	const struct doubt *d;
	bool is = true;

	spin_lock(&doubts_lock);
	list_for_each_entry(d, &doubts, node)
		is &= !is_about(d, sb, fl);
	spin_unlock(&doubts_lock);
	return is;
}

int doubt_settle(const struct inode *inode, const struct file_lock *fl)
{
	return wait_event_killable(settled, is_settled(inode->i_sb, fl)) ? -EINTR : 0;
}

static void doubt_over(struct doubt *d)
{
	spin_lock(&doubts_lock);
	list_del(&d->node);
	spin_unlock(&doubts_lock);
	whose_put(&d->fl);
	path_put(&d->path);
	kfree(d);
	wake_up_all(&settled);
}

/*
 * The next thing to say.  False: the owner has no more for him than what is noted; less, if
 * he was killed while he gave up the right to write, see note_drop_stale().
 */
static bool doubt_next(const struct doubt *d, const struct inode *inode, struct ccfs_lock *say)
{
	*say = d->asked;
	if (d->waits) {
		say->what = CCFS_LOCK_CANCEL;
		return true;
	}
	say->what = CCFS_LOCK_SET;
	say->wait = 0;
	return find_part(inode, &d->fl, say);
}

/* @say has been answered: from there on.  True: that was all. */
static bool doubt_said(struct doubt *d, const struct ccfs_lock *say)
{
	if (d->waits) {
		d->waits = false;
		return false;
	}
	if (say->last == d->asked.last)
		return true;
	d->asked.first = say->last + 1;
	return false;
}

/* True: that was all.  False: the next one, in *@pause. */
static bool doubt_step(struct doubt *d, struct inode *inode, unsigned long *pause)
{
	const struct cache_mount *m = cache_mount_of(inode->i_sb);
	struct ccfs_lock say, answer;
	u32 call;
	int err;

	*pause = PAUSE;
	if (READ_ONCE(m->dead))
		return true;
	if (!is_first(d))
		return false;
	if (d->call && call_open(m->session, d->call))
		return false;
	d->call = 0;
	if (!doubt_next(d, inode, &say))
		return true;
	answer = say;
	err = direct_lock(inode, &answer, &call);
	if (!err) {
		*pause = 0;
		return doubt_said(d, &say);
	}
	if (err == DIRECT_NOT || ++d->tries < TRIES)
		return false;
	pr_warn("image %s: a lock of %pd2 could not be let go of: %d\n", ctl_name(m->owner),
		d->path.dentry, err);
	return true;
}

static void doubt_work(struct work_struct *work)
{
	struct doubt *d = container_of(to_delayed_work(work), struct doubt, work);
	unsigned long pause;

	if (doubt_step(d, d_inode(d->path.dentry), &pause))
		doubt_over(d);
	else
		queue_delayed_work(works, &d->work, pause);
}

void doubt_begin(struct file *file, const struct file_lock *fl,
		 const struct ccfs_lock *asked, u32 call)
{
	struct doubt *d = kzalloc(sizeof(*d), GFP_KERNEL | __GFP_NOFAIL);

	d->path = file->f_path;
	path_get(&d->path);
	locks_init_lock(&d->fl);
	d->fl.c.flc_owner = fl->c.flc_owner;
	d->fl.c.flc_file = fl->c.flc_file;
	d->fl.c.flc_flags = fl->c.flc_flags;
	d->asked = *asked;
	d->waits = asked->wait;
	d->call = call;
	spin_lock(&doubts_lock);
	list_add_tail(&d->node, &doubts);
	spin_unlock(&doubts_lock);
	/* Who has not seen it in the list sees that it has been. */
	whose_doubt(&d->fl);
	INIT_DELAYED_WORK(&d->work, doubt_work);
	queue_delayed_work(works, &d->work, 0);
}

int doubt_init(void)
{
	whose_init();
	works = alloc_workqueue("sharedpc-unlock", WQ_UNBOUND, 0);
	return works ? 0 : -ENOMEM;
}

void doubt_exit(void)
{
	wait_event(settled, list_empty_careful(&doubts));
	destroy_workqueue(works);
}
