// SPDX-License-Identifier: GPL-2.0-only
/*
 * present.c - a file handle that is presented to the owner
 *
 * The answer is a node with a use of it, which has to be given back when FUSE has found
 * the node by itself and has one of its own: also if whoever presented the handle has been
 * killed meanwhile, and however long the owner takes.  So work of this module's asks, and
 * gives the use back.
 */
#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "cache/cache.h"
#include "ccfs_proto.h"

#define AGAIN		(HZ / 50)	/* when there was no slot, or no buffer */
#define PATIENCE	(10 * HZ)	/* with that, for an answer */

struct present {
	struct delayed_work work;
	struct cache_mount *m;
	struct ccfs_fhandle handle;
	struct completion asked;	/* all three below are set */
	bool answered;
	int err;
	u64 node;
	unsigned long until;		/* jiffies: patience */
	atomic_t done;			/* who has asked, and who has presented it */
};

static struct workqueue_struct *works;
static atomic_t presents;
static DECLARE_WAIT_QUEUE_HEAD(none);

static void present_free(struct present *p)
{
	cache_put(p->m);
	kfree(p);
	if (atomic_dec_and_test(&presents))
		wake_up(&none);
}

/* Whoever is the second of the two to be done with @p has the rest done. */
void present_end(struct present *p)
{
	if (atomic_inc_return(&p->done) == 2)
		queue_delayed_work(works, &p->work, 0);
}

static void ask(struct present *p)
{
	p->err = direct_present(p->m, &p->handle, &p->node);
	if (p->err == DIRECT_NOT && !READ_ONCE(p->m->dead)) {
		if (time_before(jiffies, p->until)) {
			queue_delayed_work(works, &p->work, AGAIN);
			return;
		}
		p->err = -ENOMEM;
	}
	p->answered = true;
	complete(&p->asked);
	present_end(p);
}

/* The use that came with the answer goes back, unless it goes with the mount. */
static void give_back(struct present *p)
{
	if (!p->err && p->node != FUSE_ROOT && !READ_ONCE(p->m->dead) &&
	    direct_forget(p->m, p->node) == DIRECT_NOT)
		queue_delayed_work(works, &p->work, AGAIN);
	else
		present_free(p);
}

static void present_work(struct work_struct *work)
{
	struct present *p = container_of(to_delayed_work(work), struct present, work);

	if (p->answered)
		give_back(p);
	else
		ask(p);
}

struct present *present_begin(struct cache_mount *m, const struct ccfs_fhandle *handle)
{
	struct present *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);

	if (!p)
		return ERR_PTR(-ENOMEM);
	kref_get(&m->ref);
	atomic_inc(&presents);
	p->m = m;
	p->handle = *handle;
	p->until = jiffies + PATIENCE;
	init_completion(&p->asked);
	INIT_DELAYED_WORK(&p->work, present_work);
	queue_delayed_work(works, &p->work, 0);
	if (!wait_for_completion_killable(&p->asked))
		return p;
	present_end(p);
	return ERR_PTR(-EINTR);
}

int present_node(const struct present *p, u64 *node)
{
	*node = p->node;
	return p->err;
}

int present_init(void)
{
	works = alloc_workqueue("sharedpc-present", WQ_UNBOUND, 0);
	return works ? 0 : -ENOMEM;
}

void present_exit(void)
{
	wait_event(none, !atomic_read(&presents));
	destroy_workqueue(works);
}
