// SPDX-License-Identifier: GPL-2.0-only
/*
 * lock.c - locks of files: fcntl(2) and flock(2)
 *
 * The owner's kernel holds them (owner/holder.h), for a name that we give whoever has them
 * (whose.h).  What it has granted is noted here as well, in this kernel's own books, as any
 * file system's locks are: so the VFS knows at close() and exit() whether there is anything to
 * let go of, and who has no locks pays nothing for them.  A lock is had there before it is
 * noted here, and goes here before it goes there: so what is not noted is not held for long.
 *
 * Who has to wait sleeps here, until the owner says that he has the lock (LOCKED), or until
 * he has asked again.  Who is killed meanwhile does not know what the owner has done: see
 * doubt.c.
 */
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/wait.h>
#include "cache/cache.h"
#include "cache/doubt.h"
#include "cache/whose.h"
#include "sharedpc_wire.h"

#define LOOK		HZ		/* between questions whether the lock is ours, at least */
#define LOOK_MAX	(8 * HZ)
#define NOTE_TRIES	(HZ / 10)	/* a tick between them */

/* One that waits to be told. */
struct waiter {
	struct hlist_node node;
	u64 name;
	u32 owner;			/* image */
	bool told;
	int err;
	wait_queue_head_t wait;
};

static DEFINE_HASHTABLE(waiters, 6);
static DEFINE_SPINLOCK(waiters_lock);

static void waiter_begin(struct waiter *w, u32 owner)
{
	w->name = whose_new();
	w->owner = owner;
	w->told = false;
	init_waitqueue_head(&w->wait);
	spin_lock_bh(&waiters_lock);
	hash_add(waiters, &w->node, w->name);
	spin_unlock_bh(&waiters_lock);
}

static void waiter_end(struct waiter *w)
{
	spin_lock_bh(&waiters_lock);
	hash_del(&w->node);
	spin_unlock_bh(&waiters_lock);
}

void cache_locked(u32 owner, const struct sharedpc_msg *msg)
{
	struct waiter *w;

	spin_lock_bh(&waiters_lock);
	hash_for_each_possible(waiters, w, node, msg->pos) {
		if (w->name != msg->pos || w->owner != owner)
			continue;
		w->err = msg->error >= -MAX_ERRNO && msg->error <= 0 ? msg->error : -EIO;
		smp_store_release(&w->told, true);	/* pairs with ask_waiting */
		wake_up(&w->wait);
	}
	spin_unlock_bh(&waiters_lock);
}

static int unlock(struct file *file, struct file_lock *fl)
{
	struct inode *inode = file_inode(file);
	u64 name = whose_find(fl);
	struct ccfs_lock want, answer;
	u32 call = 0;
	int err;

	/* Nobody else may let go of what is his, and he has nothing. */
	if (!name)
		return locks_lock_inode_wait(inode, fl);
	fl->c.flc_flags |= FL_EXISTS;
	err = locks_lock_inode_wait(inode, fl);
	fl->c.flc_flags &= ~FL_EXISTS;
	if (err) {
		whose_put(fl);
		return err == -ENOENT ? 0 : err;
	}
	/* It is no more noted, so it goes, whatever happens. */
	want = doubt_wanted(fl, CCFS_LOCK_SET, name);
	answer = want;
	/* Who closes files of everybody has others to close, which do not wait for this owner. */
	if (current->flags & PF_KTHREAD && fl->c.flc_flags & FL_CLOSE)
		err = DIRECT_NOT;
	else
		err = doubt_settle(inode, fl) ?: doubt_ask(inode, &answer, &call);
	if (!err || err == -EIO)
		whose_put(fl);
	else
		doubt_begin(file, fl, &want, call);
	return 0;
}

/* What somebody asks for. */
struct asking {
	struct inode *inode;
	struct ccfs_lock want;
	u32 call;			/* see doubt_ask() */
	bool granted;			/* and not noted */
};

/* It waits no more, for the reason @why.  0: it had the lock just before. */
static int cancel(struct asking *a, int why)
{
	struct ccfs_lock answer = a->want;
	int err;

	answer.what = CCFS_LOCK_CANCEL;
	err = doubt_ask(a->inode, &answer, &a->call);
	return err ?: answer.state == CCFS_LOCK_DONE ? 0 : why;
}

static int ask_waiting(struct asking *a, struct waiter *w)
{
	struct ccfs_lock answer;
	long look = LOOK, left;
	int err;

	for (;; look = min(2 * look, (long)LOOK_MAX)) {
		answer = a->want;
		err = doubt_ask(a->inode, &answer, &a->call);
		if (err || answer.state == CCFS_LOCK_DONE)
			return err;
		/* Pairs with cache_locked. */
		left = wait_event_interruptible_timeout(w->wait, smp_load_acquire(&w->told),
							look);
		if (left > 0 && !w->err)
			return 0;
		if (left)
			return cancel(a, left > 0 ? w->err : -ERESTARTSYS);
	}
}

static int ask_set(struct asking *a, bool sleep)
{
	struct ccfs_lock answer = a->want;
	struct waiter w;
	int err;

	if (!sleep) {
		err = doubt_ask(a->inode, &answer, &a->call);
		return err ?: answer.state == CCFS_LOCK_DONE ? 0 : -EAGAIN;
	}
	waiter_begin(&w, cache_mount_of(a->inode->i_sb)->owner);
	a->want.wait = w.name;
	err = ask_waiting(a, &w);
	waiter_end(&w);
	return err;
}

/*
 * The kernel that has it takes a flock(2)'s lock away before it tries the other kind, and so
 * do we: else who gets it there would wait for the note here.
 */
static void flock_forget(struct inode *inode, const struct file_lock *fl)
{
	struct file_lock_context *ctx = locks_inode_context(inode);
	struct file_lock old, *l;
	bool other = false;

	if (!(fl->c.flc_flags & FL_FLOCK) || !ctx)
		return;
	spin_lock(&ctx->flc_lock);
	list_for_each_entry(l, &ctx->flc_flock, c.flc_list)
		other |= l->c.flc_file == fl->c.flc_file && l->c.flc_type != fl->c.flc_type;
	spin_unlock(&ctx->flc_lock);
	if (!other)
		return;
	locks_init_lock(&old);
	old.c.flc_type = F_UNLCK;
	old.c.flc_flags = FL_FLOCK;
	old.c.flc_owner = fl->c.flc_owner;
	old.c.flc_file = fl->c.flc_file;
	old.fl_end = OFFSET_MAX;
	locks_lock_inode_wait(inode, &old);
}

static bool in_the_way(const struct file_lock *l, const struct file_lock *fl)
{
	return !whose_same(l, fl) && l->fl_start <= fl->fl_end && l->fl_end >= fl->fl_start &&
	       (lock_is_write((struct file_lock *)l) || lock_is_write((struct file_lock *)fl));
}

/*
 * A note that is in the way of @fl, which has been granted: so it is of what has gone, or, if
 * that is for reading, of what may be there for reading.
 */
static void note_drop_stale(struct inode *inode, const struct file_lock *fl)
{
	struct file_lock_context *ctx = locks_inode_context(inode);
	bool flock = fl->c.flc_flags & FL_FLOCK, found = false;
	struct file_lock stale, *l;

	locks_init_lock(&stale);
	spin_lock(&ctx->flc_lock);
	list_for_each_entry(l, flock ? &ctx->flc_flock : &ctx->flc_posix, c.flc_list) {
		found = in_the_way(l, fl);
		if (!found)
			continue;
		if (lock_is_read((struct file_lock *)fl) && l->fl_start >= fl->fl_start &&
		    l->fl_end <= fl->fl_end) {
			l->c.flc_type = F_RDLCK;
			found = false;
			break;
		}
		stale.c.flc_type = F_UNLCK;
		stale.c.flc_flags = l->c.flc_flags;
		stale.c.flc_owner = l->c.flc_owner;
		stale.c.flc_file = l->c.flc_file;
		stale.fl_start = max(l->fl_start, fl->fl_start);
		stale.fl_end = min(l->fl_end, fl->fl_end);
		break;
	}
	spin_unlock(&ctx->flc_lock);
	if (found)
		locks_lock_inode_wait(inode, &stale);
}

static int note_once(struct inode *inode, struct file_lock *fl)
{
	const unsigned int flags = fl->c.flc_flags;
	const loff_t first = fl->fl_start, last = fl->fl_end;
	int err;

	/* Not to sleep: who has to let go may be asleep himself, or not know of it. */
	fl->c.flc_flags &= ~FL_SLEEP;
	err = locks_lock_inode_wait(inode, fl);
	fl->c.flc_flags = flags;
	fl->fl_start = first;	/* it says what it is a part of now */
	fl->fl_end = last;
	return err;
}

/*
 * Note @fl in this kernel's books.  The owner has granted it, so what is in its way here is
 * about to go, or has gone there by another way: another name of the file was closed.
 */
static int note(struct inode *inode, struct file_lock *fl)
{
	int tries, err;

	for (tries = 0; ; tries++) {
		err = note_once(inode, fl);
		if (err != -EAGAIN)
			return err;
		if (tries >= NOTE_TRIES)
			note_drop_stale(inode, fl);
		else if (schedule_timeout_killable(1) && fatal_signal_pending(current))
			return -EINTR;
	}
}

/* Take it back out. */
static void unnote(struct inode *inode, struct file_lock *fl)
{
	unsigned char type = fl->c.flc_type;

	fl->c.flc_type = F_UNLCK;
	note_once(inode, fl);
	fl->c.flc_type = type;
}

/* Have it, and note it. */
static int set_once(struct asking *a, struct file_lock *fl)
{
	bool sleep = fl->c.flc_flags & FL_SLEEP;
	u32 doubts;
	int err;

	do {
		/* First: of those that begin after this we hear, for the others we wait. */
		doubts = whose_doubts(fl);
		err = doubt_settle(a->inode, fl) ?: ask_set(a, sleep);
		if (err)
			return err;
		err = note(a->inode, fl);
		a->granted = err;
		if (err)
			return err;
		/* Who is in doubt for the same name may have taken it for his. */
		if (doubts != whose_doubts(fl)) {
			unnote(a->inode, fl);
			a->granted = true;	/* if not again */
		}
	} while (doubts != whose_doubts(fl));
	return 0;
}

static int set(struct file *file, struct file_lock *fl)
{
	u64 name = whose_get(fl);
	struct asking a = {
		.inode = file_inode(file), .want = doubt_wanted(fl, CCFS_LOCK_SET, name),
	};
	int err;

	if (!name)
		return -ENOLCK;
	flock_forget(a.inode, fl);
	whose_mark(fl);		/* the use of the name is @fl's, and each note has its own */
	err = set_once(&a, fl);
	if (!err)
		return 0;
	fl->fl_ops = NULL;
	/* Has the owner said that there is nothing? */
	if (!a.granted && (err == -EAGAIN || err == -EDEADLK || err == -EIO))
		whose_put(fl);
	else
		doubt_begin(file, fl, &a.want, a.call);
	return err == -ETIMEDOUT ? -EIO : err;
}

static int test(struct file *file, struct file_lock *fl)
{
	u64 name = whose_find(fl);
	struct ccfs_lock want = doubt_wanted(fl, CCFS_LOCK_TEST, name ?: whose_new());
	u32 call;
	int err = doubt_ask(file_inode(file), &want, &call);

	if (name)
		whose_put(fl);
	if (err)
		return err;
	fl->c.flc_type = want.type;
	if (want.type == F_UNLCK)
		return 0;
	fl->fl_start = min_t(u64, want.first, S64_MAX);
	fl->fl_end = min_t(u64, want.last, S64_MAX);
	fl->c.flc_flags = FL_POSIX | (want.kind == CCFS_LOCK_OFD ? FL_OFDLCK : 0);
	fl->c.flc_pid = want.pid;
	return 0;
}

/* A directory's are this mount's alone. */
static int alone(struct file *file, struct file_lock *fl)
{
	if (S_ISREG(file_inode(file)->i_mode))
		return lock_is_unlock(fl) ? 0 : -ENOLCK;
	if (fl->c.flc_flags & FL_FLOCK)
		return locks_lock_inode_wait(file_inode(file), fl);
	return posix_lock_file(file, fl, NULL);
}

/*
 * We are the owner: it is the real file's lock.  Like that one has it from here on, it is
 * noted beside.  FILE_LOCK_DEFERRED: as from any file system.
 */
static int own(struct file *file, struct file *real, int cmd, struct file_lock *fl)
{
	const loff_t first = fl->fl_start, last = fl->fl_end;
	struct inode *inode = file_inode(file);
	int err;

	if (lock_is_unlock(fl)) {
		err = locks_lock_inode_wait(inode, fl);
		return err ?: real_lock(real, cmd, fl);
	}
	flock_forget(inode, fl);
	err = real_lock(real, cmd, fl);
	if (err)
		return err;
	fl->fl_start = first;	/* it says what it is a part of now */
	fl->fl_end = last;
	err = note(inode, fl);
	if (err) {	/* nobody would let go of it */
		fl->c.flc_type = F_UNLCK;
		real_lock(real, F_SETLK, fl);
	}
	return err;
}

static int lock_own(struct file *file, int cmd, struct file_lock *fl)
{
	struct file *real = real_get(file);
	int err;

	if (!real)
		return alone(file, fl);
	err = own(file, real, cmd, fl);
	fput(real);
	return err;
}

static int test_own(struct file *file, struct file_lock *fl)
{
	struct file *real = real_get(file);
	int err;

	if (!real) {
		posix_test_lock(file, fl);
		return 0;
	}
	err = real_lock(real, F_GETLK, fl);
	fput(real);
	return err;
}

static bool is_own(const struct file *file)
{
	return !cache_mount_of(file_inode(file)->i_sb)->session;
}

static int set_or_unlock(struct file *file, int cmd, struct file_lock *fl)
{
	if (is_own(file))
		return lock_own(file, cmd, fl);
	return lock_is_unlock(fl) ? unlock(file, fl) : set(file, fl);
}

int lock_file(struct file *file, int cmd, struct file_lock *fl)
{
	switch (cmd) {
	case F_GETLK:
		return is_own(file) ? test_own(file, fl) : test(file, fl);
	case F_SETLK:
	case F_SETLKW:
		return set_or_unlock(file, cmd, fl);
	case F_CANCELLK:	/* nothing waits but in the file system that it is real in */
		return 0;
	}
	return -EINVAL;
}

int lock_flock(struct file *file, int cmd, struct file_lock *fl)
{
	return set_or_unlock(file, cmd, fl);
}
