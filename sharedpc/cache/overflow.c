// SPDX-License-Identifier: GPL-2.0-only
/*
 * overflow.c - who watches something of a mount is told that he has missed some of it
 *
 * As when his own queue has overflown: by an event that each group of inotify and fanotify
 * has for that (IN_Q_OVERFLOW).  The kernel offers neither a way to queue it nor one to find
 * the groups, so the one function is found as kprobes find it, and the groups are seen from
 * within a call of fsnotify(): a mark of ours is on the super block meanwhile, and what we
 * raise for each inode that is watched is for that mark alone.  There the list of an inode's
 * marks can be read, and stays what it is.
 */
#include <linux/completion.h>
#include <linux/fsnotify_backend.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/static_call.h>
#include "box/ctl.h"
#include "box/trace.h"
#include "cache/cache.h"

typedef int (*merge_fn)(struct fsnotify_group *group, struct fsnotify_event *event);
typedef void (*insert_fn)(struct fsnotify_group *group, struct fsnotify_event *event);

static int no_insert(struct fsnotify_group *group, struct fsnotify_event *event,
		     merge_fn merge, insert_fn insert)
{
	return -ENOSYS;
}

DEFINE_STATIC_CALL(linux_insert, no_insert);
static_assert(__same_type(fsnotify_insert_event, no_insert));

static struct fsnotify_group *group;	/* ours */
static DECLARE_COMPLETION(group_gone);

static int overflow_event(struct fsnotify_group *g, u32 mask, const void *data, int type,
			  struct inode *dir, const struct qstr *name, u32 cookie,
			  struct fsnotify_iter_info *iter)
{
	struct inode *inode = fsnotify_data_inode(data, type);
	struct fsnotify_mark_connector *conn;
	struct fsnotify_mark *mark;

	if (!(mask & FS_Q_OVERFLOW) || !inode)
		return 0;
	/* fsnotify(), which has called us, reads it under its SRCU. */
	conn = rcu_dereference_raw(inode->i_fsnotify_marks);
	if (!conn)
		return 0;
	hlist_for_each_entry_srcu(mark, &conn->list, obj_list, true)
		if (mark->group->overflow_event)
			static_call(linux_insert)(mark->group, mark->group->overflow_event,
						  NULL, NULL);
	return 0;
}

static void overflow_free(struct fsnotify_mark *mark)
{
	kfree(mark);
}

/* Nobody is in our handler any more, nor waits for a permission with our mark. */
static void overflow_group_free(struct fsnotify_group *g)
{
	complete(&group_gone);
}

static const struct fsnotify_ops overflow_ops = {
	.handle_event	= overflow_event,
	.free_group_priv = overflow_group_free,
	.free_mark	= overflow_free,
};

void overflow_raise(struct super_block *sb)
{
	struct fsnotify_mark *mark = group ? kzalloc(sizeof(*mark), GFP_KERNEL) : NULL;
	struct inode *inode = NULL;
	u32 nr = 0;

	if (!mark)
		return;
	fsnotify_init_mark(mark, group);
	mark->mask = FS_Q_OVERFLOW;
	if (!fsnotify_add_mark(mark, sb, FSNOTIFY_OBJ_TYPE_SB, 0)) {
		while ((inode = watched_next(sb, inode))) {
			fsnotify(FS_Q_OVERFLOW, inode, FSNOTIFY_EVENT_INODE, NULL, NULL, inode, 0);
			nr++;
		}
		fsnotify_destroy_mark(mark, group);
	}
	fsnotify_put_mark(mark);
	if (nr)
		pr_warn_ratelimited("image %s: who watches %u of its files has missed something\n",
				    ctl_name(cache_mount_of(sb)->owner), nr);
}

int overflow_init(void)
{
	unsigned long addr;
	bool traced;
	int err = trace_address("fsnotify_insert_event", &addr, &traced);

	if (err) {
		pr_warn("who misses something is not told: kprobe: %d\n", err);
		return 0;
	}
	static_call_update(linux_insert, (typeof(&no_insert))addr);
	group = fsnotify_alloc_group(&overflow_ops, 0);
	err = PTR_ERR_OR_ZERO(group);
	if (err)
		group = NULL;
	return err;
}

void overflow_exit(void)
{
	if (!group)
		return;
	fsnotify_put_group(group);
	wait_for_completion(&group_gone);
	synchronize_rcu_tasks();	/* nor at overflow_group_free's very end */
}
