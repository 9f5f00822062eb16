// SPDX-License-Identifier: GPL-2.0-only
/*
 * locking.c - what a client asks for: a lock, to let go of it, whose it is
 */
#include <linux/file.h>
#include <linux/threads.h>
#include "owner/holder.h"

static int set(struct held *h, const struct ccfs_lock *l)
{
	struct wait *w = l->wait ? wait_find(h, l->wait) : NULL;

	if (w)
		return FILE_LOCK_DEFERRED;
	return l->wait ? wait_begin(h, l) : held_set(h, l);
}

static int lock_set(struct server *s, struct file *file, u64 mount, struct ccfs_lock *l)
{
	struct held *h = held_find(s, file_inode(file), mount, l);
	int err;

	if (!h && l->type == F_UNLCK) {
		l->state = CCFS_LOCK_DONE;
		return 0;
	}
	/* Like an unlock is what gives up a right to write. */
	if (holder_full(s->client, l->type == F_UNLCK ||
			(h && l->type == F_RDLCK && !l->wait)))
		return -ENOLCK;
	if (!h)
		h = held_make(s, file, mount, l);
	if (IS_ERR(h))
		return PTR_ERR(h);
	err = set(h, l);
	held_tidy(h);
	l->state = err == -EAGAIN ? CCFS_LOCK_BUSY :
		   err == FILE_LOCK_DEFERRED ? CCFS_LOCK_WAITS : CCFS_LOCK_DONE;
	return err == -EAGAIN || err == FILE_LOCK_DEFERRED ? 0 : err;
}

static int lock_cancel(struct server *s, struct file *file, u64 mount, struct ccfs_lock *l)
{
	struct held *h = held_find(s, file_inode(file), mount, l);
	struct wait *w = h ? wait_find(h, l->wait) : NULL;

	bool has;

	/* One that is not there may have the lock, or was to ask again. */
	has = w ? wait_end(w) : h && held_has(h, l);
	l->state = has ? CCFS_LOCK_DONE : CCFS_LOCK_CANCELLED;
	if (h)
		held_tidy(h);
	return 0;
}

static int lock_test(struct server *s, struct file *file, struct ccfs_lock *l)
{
	struct file_lock fl;
	struct holder *h = holder_get(s, l->owner);
	int err;

	if (!h)
		return -ENOLCK;
	locks_init_lock(&fl);
	fl.c.flc_type = l->type;
	fl.c.flc_flags = FL_POSIX | (l->kind == CCFS_LOCK_OFD ? FL_OFDLCK : 0);
	fl.c.flc_owner = h;
	fl.c.flc_file = file;
	fl.fl_start = l->first;
	fl.fl_end = l->last;
	err = vfs_test_lock(file, &fl);
	l->type = fl.c.flc_type;
	if (!err && l->type != F_UNLCK) {
		l->first = fl.fl_start;
		l->last = fl.fl_end;
		l->pid = fl.c.flc_pid;
		l->kind = fl.c.flc_flags & FL_OFDLCK ? CCFS_LOCK_OFD : CCFS_LOCK_POSIX;
	}
	locks_release_private(&fl);
	holder_put(h);
	return err;
}

static bool lock_valid(const struct server *s, const struct file *file,
		       const struct ccfs_lock *l)
{
	const struct inode *inode = file_inode(file);

	if (inode->i_sb != s->sb || (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode)))
		return false;
	if (!l->owner || l->reserved || l->last > S64_MAX || l->first > l->last ||
	    l->pid > PID_MAX_LIMIT)
		return false;
	if (l->type != F_RDLCK && l->type != F_WRLCK && l->type != F_UNLCK)
		return false;
	switch (l->kind) {
	case CCFS_LOCK_POSIX:
	case CCFS_LOCK_OFD:
		return true;
	case CCFS_LOCK_FLOCK:
		return !l->first && l->last == S64_MAX && l->what != CCFS_LOCK_TEST;
	}
	return false;
}

static int lock_do(struct server *s, struct file *file, u64 mount, struct ccfs_lock *l)
{
	switch (l->what) {
	case CCFS_LOCK_TEST:
		return lock_test(s, file, l);
	case CCFS_LOCK_SET:
		return lock_set(s, file, mount, l);
	case CCFS_LOCK_CANCEL:
		return lock_cancel(s, file, mount, l);
	}
	return -EINVAL;
}

/* To let go of what is held it takes no right, and the file may not be open any more. */
static bool by_path(const struct ccfs_lock *l)
{
	return l->what == CCFS_LOCK_CANCEL ||
	       (l->what == CCFS_LOCK_SET && l->type == F_UNLCK);
}

int locking_serve(struct server *s, struct sharedpc_lock *call)
{
	struct file *file = by_path(&call->lock) ? fget_raw(call->fd) : fget(call->fd);
	int err = -EINVAL;

	if (!file)
		return -EBADF;
	if (!call->reserved && lock_valid(s, file, &call->lock)) {
		mutex_lock(&s->locks_lock);
		err = lock_do(s, file, call->mount, &call->lock);
		mutex_unlock(&s->locks_lock);
	}
	fput(file);
	return err;
}

/* All locks of @h go, and its waits. */
static void held_end(struct held *h)
{
	const struct ccfs_lock all = {
		.type = F_UNLCK, .last = S64_MAX,
	};
	struct wait *w, *next;

	list_for_each_entry_safe(w, next, &h->waits, node)
		wait_end(w);
	held_set(h, &all);
	hlist_del(&h->node);
	held_put(h);
}

static void held_end_all(struct server *s, const u64 *mount)
{
	struct hlist_node *next;
	struct held *h;
	u32 i;

	mutex_lock(&s->locks_lock);
	for (i = 0; i < ARRAY_SIZE(s->held); i++)
		hlist_for_each_entry_safe(h, next, &s->held[i], node)
			if (!mount || h->mount == *mount)
				held_end(h);
	mutex_unlock(&s->locks_lock);
}

void locking_mount_ended(struct server *s, u64 mount)
{
	held_end_all(s, &mount);
}

void locking_drop_all(struct server *s)
{
	held_end_all(s, NULL);
}
