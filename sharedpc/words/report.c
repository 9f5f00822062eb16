// SPDX-License-Identifier: GPL-2.0-only
/*
 * report.c - what happens to files that a client watches, see report.h
 *
 * A mark is what inotify would have put on the file if the client's program ran here, so
 * fsnotify finds the same events for it.  What the client does itself its own VFS reports:
 * by names its proxy does it, which is known by its mm, through the owner's own mount whoever
 * writes does, with a file that was opened in the mount that is served from.
 *
 * The queue is as long as inotify's.  What finds no room is counted as lost, and the client
 * is told so in its place.
 *
 * That a file has no name any more is an event of its own: what holds it here is the proxy,
 * so FS_DELETE_SELF would come too late, when the client has forgotten it.
 *
 * Before a report is queued what it reports is counted (watch.c), so that who acts on it at
 * the client finds nothing remembered.
 *
 * A mark's mask cannot be changed from here: another mark takes its place, which is put there
 * before the first goes.  What happens in between is reported twice, one right behind the
 * other, and queued once.
 *
 * Locks: marks_lock, then fsnotify's; queue_lock and all_lock stand alone.
 */
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/fsnotify_backend.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>
#include "words/report.h"
#include "words/watch.h"

/* All that a mark can want. FS_RENAME would need both directories. */
#define WANTED		(CCFS_EVENT_ALL & ~FS_DELETE_SELF)

static_assert((ALL_FSNOTIFY_EVENTS & CCFS_EVENT_ALL) == CCFS_EVENT_ALL);
static_assert(CCFS_EVENT_ON_CHILD == FS_EVENT_ON_CHILD && CCFS_EVENT_ISDIR == FS_ISDIR &&
	      CCFS_EVENT_OVERFLOW == FS_Q_OVERFLOW);

static bool reporting = true;
module_param_named(report, reporting, bool, 0644);
MODULE_PARM_DESC(report, "tell clients what happens to what they watch; off, they miss it: for tests");

static uint queue_max = 16384;	/* fs.inotify.max_queued_events */
module_param_named(report_queue, queue_max, uint, 0644);
MODULE_PARM_DESC(report_queue, "events of a mount that may wait");

static uint marks_max = 1 << 20;
module_param_named(report_marks, marks_max, uint, 0644);
MODULE_PARM_DESC(report_marks, "files of a mount that may be watched at a time: each stays in memory");

struct reports {
	struct fsnotify_group *group;
	const struct mm_struct *mm;	/* the proxy's, to compare with only, as is mnt */
	const struct vfsmount *mnt;
	struct list_head node;		/* in all */

	struct mutex marks_lock;
	struct xarray marks;		/* by node */
	u32 nr;				/* .. how many, marks_lock */

	spinlock_t queue_lock;		/* all below */
	struct list_head queue;		/* oldest first */
	u32 queued;
	bool lost;			/* .. some, behind the last of them */
	wait_queue_head_t wait;		/* for one */
};

struct report_mark {
	struct fsnotify_mark mark;
	struct reports *reports;
	u64 node;
	u64 serial;			/* marks_lock: of who put it there */
	bool removed;			/* has been said */
};

struct report {
	struct list_head list;
	struct ccfs_event event;
	char name[];
};

static DEFINE_SPINLOCK(all_lock);
static LIST_HEAD(all);			/* readers are in all_readers */
DEFINE_STATIC_SRCU(all_readers);

static refcount_t groups = REFCOUNT_INIT(1);	/* and the module */
static DECLARE_COMPLETION(none);

static bool is_same(const struct report *a, const struct report *b)
{
	return !memcmp(&a->event, &b->event, sizeof(a->event)) &&
	       !memcmp(a->name, b->name, a->event.len);
}

/* Takes @one over; NULL: there was no memory for it. */
static void queue_add(struct reports *r, struct report *one)
{
	struct report *last;

	spin_lock(&r->queue_lock);
	last = list_last_entry(&r->queue, struct report, list);
	if (!one || r->lost || r->queued >= READ_ONCE(queue_max)) {
		r->lost = true;
	} else if (!r->queued || !is_same(one, last)) {
		list_add_tail(&one->list, &r->queue);
		r->queued++;
		one = NULL;
	}
	spin_unlock(&r->queue_lock);
	kfree(one);
	wake_up_interruptible(&r->wait);
}

/* As inotify has its events allocated. */
static void report(struct reports *r, const struct ccfs_event *event, const struct qstr *name)
{
	u32 len = event->dir ? name->len : 0;
	struct report *one;

	if (!READ_ONCE(reporting))
		return;
	one = kmalloc(struct_size(one, name, len), GFP_KERNEL | __GFP_RETRY_MAYFAIL);
	if (one) {
		one->event = *event;
		one->event.len = len;
		if (len)
			memcpy(one->name, name->name, len);
	}
	queue_add(r, one);
}

/* A client's own doing? */
static bool is_own(const struct reports *r, const struct path *path)
{
	return current->mm == r->mm || (path && path->mnt == r->mnt);
}

static struct report_mark *wants(struct fsnotify_mark *mark, u32 mask)
{
	if (!mark || !(READ_ONCE(mark->mask) & mask & ALL_FSNOTIFY_EVENTS))
		return NULL;
	return container_of(mark, struct report_mark, mark);
}

static void removed(struct report_mark *m)
{
	const struct ccfs_event event = { .node = m->node, .flags = CCFS_EVENT_REMOVED };

	if (!xchg(&m->removed, true))
		report(m->reports, &event, NULL);
}

static void removed_from(struct reports *r, struct inode *inode)
{
	struct fsnotify_mark *mark;

	if (current->mm == r->mm)
		return;
	mark = fsnotify_find_inode_mark(inode, r->group);
	if (!mark)
		return;
	removed(container_of(mark, struct report_mark, mark));
	fsnotify_put_mark(mark);
}

void report_removed(struct inode *inode)
{
	struct reports *r;
	int idx;

	if (!READ_ONCE(inode->i_fsnotify_marks))
		return;
	idx = srcu_read_lock(&all_readers);
	list_for_each_entry_srcu(r, &all, node, srcu_read_lock_held(&all_readers))
		removed_from(r, inode);
	srcu_read_unlock(&all_readers, idx);
}

static int report_event(struct fsnotify_group *g, u32 mask, const void *data, int type,
			struct inode *dir, const struct qstr *name, u32 cookie,
			struct fsnotify_iter_info *iter)
{
	bool in_dir = mask & ALL_FSNOTIFY_DIRENT_EVENTS;
	struct report_mark *own = wants(fsnotify_iter_inode_mark(iter), mask);
	struct report_mark *above = wants(fsnotify_iter_parent_mark(iter), mask);
	struct inode *inode = fsnotify_data_inode(data, type);
	struct ccfs_event event = { 0 };
	struct reports *r;

	if (in_dir) {
		above = own;
		own = NULL;
	}
	if ((!own && !above) || (above && !name))
		return 0;
	r = own ? own->reports : above->reports;
	if (is_own(r, fsnotify_data_path(data, type)))
		return 0;
	watch_count(mask, inode, dir, name);
	/* In the order in which who watches here would hear it. */
	if (inode && (mask & (FS_DELETE | FS_ISDIR)) == (FS_DELETE | FS_ISDIR))
		removed_from(r, inode);
	event.mask = mask & (CCFS_EVENT_ALL | FS_ISDIR);
	event.cookie = cookie;
	event.dir = above ? above->node : 0;
	event.node = own ? own->node : 0;
	report(r, &event, name);
	if (own && mask & FS_ATTRIB && inode && !inode->i_nlink)
		removed(own);
	return 0;
}

static void report_free(struct fsnotify_mark *mark)
{
	kfree(container_of(mark, struct report_mark, mark));
}

static void groups_put(void)
{
	if (refcount_dec_and_test(&groups))
		complete(&none);
}

/*
 * Nobody is in our handler any more, nor has a mark of ours.  That may be long after
 * report_close(): who waits for fanotify's permission has one meanwhile.
 */
static void reports_free(struct fsnotify_group *group)
{
	struct reports *r = group->private;
	struct report *one, *next;

	list_for_each_entry_safe(one, next, &r->queue, list)
		kfree(one);
	kfree(r);
	groups_put();
}

static const struct fsnotify_ops report_ops = {
	.handle_event	= report_event,
	.free_group_priv = reports_free,
	.free_mark	= report_free,
};

struct reports *report_open(int fd)
{
	struct file *file = fget_raw(fd);
	struct reports *r;

	if (!file)
		return ERR_PTR(-EBADF);
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r) {
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	r->mnt = file->f_path.mnt;
	fput(file);
	r->group = fsnotify_alloc_group(&report_ops, FSNOTIFY_GROUP_DUPS);
	if (IS_ERR(r->group)) {
		kfree(r);
		return ERR_PTR(-ENOMEM);
	}
	r->group->private = r;
	refcount_inc(&groups);
	r->mm = current->mm;
	mutex_init(&r->marks_lock);
	xa_init(&r->marks);
	spin_lock_init(&r->queue_lock);
	INIT_LIST_HEAD(&r->queue);
	init_waitqueue_head(&r->wait);
	spin_lock(&all_lock);
	list_add_rcu(&r->node, &all);
	spin_unlock(&all_lock);
	return r;
}

static void mark_drop(struct reports *r, struct report_mark *m)
{
	fsnotify_destroy_mark(&m->mark, r->group);
	fsnotify_put_mark(&m->mark);
}

void report_close(struct reports *r)
{
	struct report_mark *m;
	unsigned long node;

	spin_lock(&all_lock);
	list_del_rcu(&r->node);
	spin_unlock(&all_lock);
	synchronize_srcu(&all_readers);
	xa_for_each(&r->marks, node, m)
		mark_drop(r, m);
	xa_destroy(&r->marks);
	fsnotify_put_group(r->group);	/* each mark has one, too */
}

void report_exit(void)
{
	groups_put();
	wait_for_completion(&none);
	synchronize_rcu_tasks();	/* nor at reports_free's very end */
}

/* With marks_lock: a mark for @want, in the place of @old, which may be NULL. */
static int mark_add(struct reports *r, const struct sharedpc_report *want, u32 mask,
		    struct report_mark *old)
{
	struct report_mark *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	struct file *file;
	int err;

	if (!m)
		return -ENOMEM;
	fsnotify_init_mark(&m->mark, r->group);
	m->mark.mask = mask;
	m->reports = r;
	m->node = want->node;
	m->serial = want->serial;
	file = fget_raw(want->fd);
	err = file ? fsnotify_add_inode_mark(&m->mark, file_inode(file), 0) : -EBADF;
	if (!err) {
		err = xa_err(xa_store(&r->marks, want->node, m, GFP_KERNEL_ACCOUNT));
		if (err)
			fsnotify_destroy_mark(&m->mark, r->group);
	}
	if (err)
		fsnotify_put_mark(&m->mark);
	else if (old)
		mark_drop(r, old);
	if (file)
		fput(file);
	return err;
}

/* With marks_lock. */
static int mark_set(struct reports *r, const struct sharedpc_report *want)
{
	u32 mask = (want->mask & (WANTED | FS_EVENT_ON_CHILD)) | FS_ATTRIB;
	struct report_mark *m = xa_load(&r->marks, want->node);
	int err;

	if (m && want->serial <= m->serial)
		return 0;
	if (want->mask && !m && r->nr >= READ_ONCE(marks_max))
		return -ENOSPC;
	if (want->mask && (!m || m->mark.mask != mask)) {
		err = mark_add(r, want, mask, m);
		r->nr += !err && !m;
		return err;
	}
	if (!m)
		return 0;
	m->serial = want->serial;
	if (!want->mask) {
		r->nr--;
		xa_erase(&r->marks, want->node);
		mark_drop(r, m);
	}
	return 0;
}

int report_want(struct reports *r, const struct sharedpc_report *want)
{
	int err;

	if (!want->node || !want->serial || want->mask & ~(CCFS_EVENT_ALL | FS_EVENT_ON_CHILD))
		return -EINVAL;
	if (current->mm != r->mm)
		return -EPERM;
	mutex_lock(&r->marks_lock);
	err = mark_set(r, want);
	mutex_unlock(&r->marks_lock);
	return err;
}

static const struct ccfs_event lost = { .mask = FS_Q_OVERFLOW };

/* The oldest, if it has room: taken out; NULL, and *@over: some were lost here. */
static struct report *queue_next(struct reports *r, u32 room, bool *over)
{
	struct report *one;

	*over = false;
	spin_lock(&r->queue_lock);
	one = list_first_entry_or_null(&r->queue, struct report, list);
	if (one && sizeof(one->event) + one->event.len > room) {
		one = NULL;
	} else if (one) {
		list_del(&one->list);
		r->queued--;
	} else if (r->lost && room >= sizeof(lost)) {
		r->lost = false;
		*over = true;
	}
	spin_unlock(&r->queue_lock);
	return one;
}

int report_take(struct reports *r, struct sharedpc_events *events)
{
	void __user *to = u64_to_user_ptr(events->events);
	struct report *one;
	bool over, bad = false;
	u32 n;

	events->bytes = 0;
	do {
		one = queue_next(r, events->room - events->bytes, &over);
		if (over) {
			n = sizeof(lost);
			bad = copy_to_user(to + events->bytes, &lost, n);
		} else if (one) {
			n = sizeof(one->event) + one->event.len;
			bad = copy_to_user(to + events->bytes, &one->event, sizeof(one->event)) ||
			      copy_to_user(to + events->bytes + sizeof(one->event), one->name,
					   one->event.len);
		} else {
			break;
		}
		kfree(one);
		events->bytes += n;
	} while (!bad);
	return bad ? -EFAULT : 0;
}

__poll_t report_poll(struct reports *r, struct file *file, poll_table *wait)
{
	poll_wait(file, &r->wait, wait);
	return READ_ONCE(r->queued) || READ_ONCE(r->lost) ? EPOLLIN | EPOLLRDNORM : 0;
}
