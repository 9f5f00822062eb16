// SPDX-License-Identifier: GPL-2.0-only
/*
 * wait.c - who waits on this image, and how another image's WAKE finds it
 *
 * Who waits is in Linux' hash table, from which a wake of this image takes it, and on a list
 * here.  A WAKE is received in a soft interrupt, where nothing can be asked of a process:
 * it takes the first of that name off our list and interrupts it, by the flag that Linux
 * has for work that a task should do (TIF_NOTIFY_SIGNAL).  The wait ends as if a signal had
 * come, and hook.c says that it was woken.
 *
 * Until it has run again it may be woken once more, by this image: then two wakes have
 * found one task, and one of them goes on to the next: here, or on another image, as that may
 * have begun to wait when the second one was due.
 */
#include <uapi/linux/futex.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "box/ctl.h"
#include "futex/futex.h"

struct bucket {
	spinlock_t lock;	/* bottom halves off */
	struct list_head waiters;	/* first come, first served */
	u32 count;		/* in futex_enter .. futex_leave; also in ctl */
};

/* The last one is for waits that concern no other image: it is not in ctl. */
static struct bucket buckets[SHAREDPC_FUTEX_SLOTS + 1];
#define ELSEWHERE	(&buckets[SHAREDPC_FUTEX_SLOTS])

static DEFINE_SPINLOCK(waiting_lock);	/* below a bucket's */
static u32 waiting;		/* in all but ELSEWHERE; also in ctl */
static bool ended;

struct futex_stat futex_stat;

static struct bucket *bucket_of(const struct futex_name *name)
{
	return name->owner == FUTEX_ELSEWHERE ? ELSEWHERE : &buckets[futex_slot(name)];
}

/* Under the bucket's lock: ctl has it, for the others. */
static void count_add(struct bucket *b, int one)
{
	struct sharedpc_futex *f = ctl_futex(ctl_self);

	b->count += one;
	if (b == ELSEWHERE)
		return;
	WRITE_ONCE(f->count[b - buckets], b->count);
	spin_lock(&waiting_lock);
	waiting += one;
	WRITE_ONCE(f->waiting, waiting);
	spin_unlock(&waiting_lock);
}

void futex_count_again(void)
{
	struct sharedpc_futex *f = ctl_futex(ctl_self);
	u32 i;

	for (i = 0; i < SHAREDPC_FUTEX_SLOTS; i++) {
		if (READ_ONCE(f->count[i]) == READ_ONCE(buckets[i].count))
			continue;
		spin_lock_bh(&buckets[i].lock);
		WRITE_ONCE(f->count[i], buckets[i].count);
		spin_unlock_bh(&buckets[i].lock);
	}
	spin_lock_bh(&waiting_lock);
	WRITE_ONCE(f->waiting, waiting);
	spin_unlock_bh(&waiting_lock);
}

/* Under its bucket's lock: it will not be gone. */
static void waiter_wake(struct futex_waiter *w, u32 bitset)
{
	struct wait_queue_entry e = { .private = w->task };

	list_del_init(&w->node);
	w->woken = bitset;
	set_tsk_thread_flag(w->task, TIF_NOTIFY_SIGNAL);
	default_wake_function(&e, TASK_INTERRUPTIBLE, 0, NULL);
}

static bool is_of(const struct futex_waiter *w, const struct futex_name *name)
{
	return w->name.identity == name->identity && w->name.pos == name->pos &&
	       w->name.owner == name->owner;
}

/* Under the bucket's lock: how many. */
static u32 wake_some(struct bucket *b, const struct futex_name *name, u32 nr, u32 bitset)
{
	struct futex_waiter *w, *next;
	u32 woken = 0;

	list_for_each_entry_safe(w, next, &b->waiters, node) {
		if (woken == nr)
			break;
		if (!is_of(w, name) || !(w->bitset & bitset))
			continue;
		waiter_wake(w, bitset);
		woken++;
	}
	return woken;
}

void futex_enter(struct futex_waiter *w, u32 bitset)
{
	struct bucket *b = bucket_of(&w->name);

	w->task = current;
	w->bitset = bitset;
	w->woken = 0;
	if (b != ELSEWHERE)
		atomic64_inc(&futex_stat.waits);
	spin_lock_bh(&b->lock);
	list_add_tail(&w->node, &b->waiters);
	count_add(b, 1);
	smp_mb();	/* pairs with futex_wait_end */
	if (READ_ONCE(ended))
		waiter_wake(w, FUTEX_BITSET_MATCH_ANY);
	spin_unlock_bh(&b->lock);
	smp_mb();	/* (A), pairs with futex_forward */
}

bool futex_leave(struct futex_waiter *w, bool wanted)
{
	struct bucket *b = bucket_of(&w->name);
	u32 bitset;

	spin_lock_bh(&b->lock);
	count_add(b, -1);
	list_del(&w->node);
	bitset = wanted ? 0 : w->woken;		/* of a wake that goes on */
	if (bitset && wake_some(b, &w->name, 1, bitset)) {
		atomic64_inc(&futex_stat.handed);
		bitset = 0;
	}
	spin_unlock_bh(&b->lock);
	if (bitset)
		futex_pass_on(&w->name, bitset);
	return w->woken && wanted;
}

void futex_woken(u32 image, const struct sharedpc_msg *msg)
{
	struct futex_name name = {
		.owner = msg->slot, .identity = msg->file, .pos = msg->pos,
	};
	u32 nr = min_t(u64, msg->count, U32_MAX);
	struct bucket *b;

	if (!futex_heard(image, msg->result) || name.owner >= ctl_nr_images)
		return;
	atomic64_inc(&futex_stat.got);
	b = bucket_of(&name);
	if (msg->flags & SHAREDPC_WAKE_ALL) {
		futex_wake_all();
		return;
	}
	spin_lock_bh(&b->lock);
	atomic64_add(wake_some(b, &name, nr, msg->data), &futex_stat.woken);
	spin_unlock_bh(&b->lock);
}

static void bucket_wake_all(struct bucket *b)
{
	struct futex_waiter *w, *next;

	if (!READ_ONCE(b->count))
		return;
	spin_lock_bh(&b->lock);
	list_for_each_entry_safe(w, next, &b->waiters, node)
		waiter_wake(w, FUTEX_BITSET_MATCH_ANY);
	spin_unlock_bh(&b->lock);
}

void futex_wake_all(void)
{
	u32 i;

	for (i = 0; i < SHAREDPC_FUTEX_SLOTS; i++)
		bucket_wake_all(&buckets[i]);
}

void futex_wait_init(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(buckets); i++) {
		spin_lock_init(&buckets[i].lock);
		INIT_LIST_HEAD(&buckets[i].waiters);
	}
}

void futex_wait_end(void)
{
	WRITE_ONCE(ended, true);
	smp_mb();	/* before the counts: who is not in them yet sees it */
	futex_wake_all();
	bucket_wake_all(ELSEWHERE);
}
