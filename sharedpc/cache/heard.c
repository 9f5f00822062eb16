// SPDX-License-Identifier: GPL-2.0-only
/*
 * heard.c - what the owner has said in this system call
 *
 * A name that is asked about brings the attributes of what it means.  Who asks for those
 * next, in the same system call, need not be told again: what was said is from after the
 * call began, and more nobody can want.  So a stat of what may not be remembered is one
 * message for each component and none beside.
 *
 * A task has one entry at most, of what it has heard last.  It goes before the task is in
 * user space again, and what is in it when the task changes something.  Only the task itself
 * looks into it; one whose slot another one has gets none.
 */
#include <linux/cleanup.h>
#include <linux/hash.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include "cache/cache.h"

#define SLOT_BITS	6

struct heard {
	struct callback_head over;
	struct rcu_head rcu;
	const struct task_struct *task;
	const struct super_block *sb;
	u64 node;			/* 0: nothing */
	struct sharedpc_tale tale;
};

static struct heard *slots[1 << SLOT_BITS];
static atomic_t entries;
static DECLARE_WAIT_QUEUE_HEAD(none);

static struct heard **slot_of(const struct task_struct *task)
{
	return &slots[hash_ptr(task, SLOT_BITS)];
}

/* The current task's entry, or NULL.  Under RCU. */
static struct heard *mine(void)
{
	struct heard *h = READ_ONCE(*slot_of(current));

	return h && h->task == current ? h : NULL;
}

/* The system call ends, or the task. */
static void heard_over(struct callback_head *over)
{
	struct heard *h = container_of(over, struct heard, over);

	WRITE_ONCE(*slot_of(current), NULL);
	guard(rcu)();	/* see heard_exit */
	kfree_rcu(h, rcu);
	if (atomic_dec_and_test(&entries))
		wake_up(&none);
}

/* The current task's entry, made if there is none; NULL: it gets none. */
static struct heard *entry(void)
{
	struct heard *h;

	scoped_guard(rcu)
		h = mine();
	if (h)	/* it goes when we do */
		return h;
	/* These never come to user space. */
	if (current->flags & (PF_KTHREAD | PF_USER_WORKER | PF_IO_WORKER) ||
	    READ_ONCE(*slot_of(current)))
		return NULL;
	h = kzalloc(sizeof(*h), GFP_KERNEL_ACCOUNT);
	if (!h)
		return NULL;
	h->task = current;
	init_task_work(&h->over, heard_over);
	/* It is complete when it shows; and it goes when the task's work is run. */
	if (cmpxchg_release(slot_of(current), NULL, h)) {
		kfree(h);
		return NULL;
	}
	atomic_inc(&entries);
	if (!task_work_add(current, &h->over, TWA_RESUME))
		return h;
	/* It is being killed. */
	WRITE_ONCE(*slot_of(current), NULL);
	atomic_dec(&entries);
	kfree_rcu(h, rcu);
	return NULL;
}

void heard_note(const struct inode *inode, const struct sharedpc_tale *tale)
{
	struct heard *h = entry();

	if (!h)
		return;
	h->sb = inode->i_sb;
	h->node = tale->node;
	h->tale = *tale;
}

bool heard_of(const struct inode *inode, struct sharedpc_tale *tale)
{
	const struct heard *h;

	guard(rcu)();
	h = mine();
	if (!h || h->sb != inode->i_sb || h->node != cache_inode(inode)->node)
		return false;
	*tale = h->tale;
	return true;
}

void heard_forget(void)
{
	struct heard *h;

	guard(rcu)();
	h = mine();
	if (h)
		h->node = 0;
}

void heard_exit(void)
{
	/* System calls that have come by a mount of ours, which are all over before long. */
	wait_event(none, !atomic_read(&entries));
	synchronize_rcu();
	/* Nobody is at heard_over's very end any more. */
	synchronize_rcu_tasks();
}
