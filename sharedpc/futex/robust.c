// SPDX-License-Identifier: GPL-2.0-only
/*
 * robust.c - robust mutexes of an image that has died
 *
 * A thread that has robust mutexes has a list of those that it holds, and its kernel goes
 * through it when the thread dies.  If the kernel dies first the boot image does that:
 * its CPUs are parked for certain, what was in memory still is, and no frame that it had
 * has been given to anybody else, since owners wait for what we say next.
 *
 * It is the walk of handle_futex_death, in the memory of the dead (dead.h).  What is written is
 * one word in a frame that the image had, of a file that the thread could write, with
 * the number of the dead thread in it.  Who waits is woken in any case.
 *
 * A page that had been written back is not made dirty by that: if its owner drops it from
 * memory before somebody has taken the mutex over, the dead one has it again.
 *
 * Not found: what was swapped out (a thread's own list), a page that its owner had taken back
 * from that image altogether, and lists of 32-bit programs.
 */
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/threads.h>
#include <uapi/linux/futex.h>
#include "box/ctl.h"
#include "futex/dead.h"
#include "futex/futex.h"

static_assert(__same_type(((struct task_struct *)0)->robust_list,
			  struct robust_list_head __user *));

/* One at a time, and not of memory that may have to be waited for. */
static struct dead dead;
static DEFINE_MUTEX(dead_lock);

/* What is being looked through. */
struct search {
	struct dead *dead;
	u32 tid;	/* the thread's number, as it knows it itself */
	u32 words;	/* that had it, and now say so */
};

static void bury_word(struct search *s, u64 addr)
{
	u32 *word = dead_user_word(s->dead, addr), old;

	if (!word)
		return;
	old = READ_ONCE(*word);
	while ((old & FUTEX_TID_MASK) == s->tid)
		if (try_cmpxchg(word, &old, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED)) {
			s->words++;
			return;
		}
}

static void bury_list(struct search *s, u64 head)
{
	struct dead *d = s->dead;
	u64 entry = dead_user_read(d, head + offsetof(struct robust_list_head, list));
	u64 offset = dead_user_read(d, head + offsetof(struct robust_list_head, futex_offset));
	u64 pending = dead_user_read(d, head +
				     offsetof(struct robust_list_head, list_op_pending));
	u32 i;

	/* Bit 0: with priority inheritance. */
	for (i = 0; i < ROBUST_LIST_LIMIT && entry && (entry & ~1ULL) != head; i++) {
		bury_word(s, (entry & ~1ULL) + offset);
		entry = dead_user_read(d, entry & ~1ULL);
		cond_resched();
	}
	if (pending)
		bury_word(s, (pending & ~1ULL) + offset);
}

/* The number by which the thread of @pid, a struct pid, knows itself. */
static u32 tid_of(struct dead *d, u64 pid)
{
	const struct sharedpc_tasks *t = &d->tasks;
	u64 at = pid + t->pid_level;
	u32 level = dead_read(d, round_down(at, 8)) >> 8 * (at % 8);

	if (level > MAX_PID_NS_LEVEL)
		return 0;
	return dead_read(d, pid + t->pid_numbers + level * t->pid_number_size);
}

static void bury_thread(struct search *s, u64 task)
{
	const struct sharedpc_tasks *t = &s->dead->tasks;
	u64 robust = dead_read(s->dead, task + t->task_robust);
	u64 pid = dead_read(s->dead, task + t->task_pid);

	s->dead->mm = dead_read(s->dead, task + t->task_mm);
	if (!robust || !pid || !s->dead->mm)
		return;
	s->tid = tid_of(s->dead, pid);
	if (s->tid)
		bury_list(s, robust);
}

static void bury_process(struct search *s, u64 leader)
{
	const struct sharedpc_tasks *t = &s->dead->tasks;
	u64 head = dead_read(s->dead, leader + t->task_signal) + t->signal_threads;
	u64 node = dead_read(s->dead, head);

	while (node && node != head && s->dead->reads) {
		bury_thread(s, node - t->task_thread);
		node = dead_read(s->dead, node);
		cond_resched();
	}
}

static void bury_all(struct search *s)
{
	const struct sharedpc_tasks *t = &s->dead->tasks;
	u64 head = t->init_task + t->task_next, node = dead_read(s->dead, head);

	while (node && node != head && s->dead->reads) {
		bury_process(s, node - t->task_next);
		node = dead_read(s->dead, node);
		cond_resched();
	}
	if (!s->dead->reads)
		pr_warn("image %s has too much to look for its robust mutexes\n",
			ctl_name(s->dead->id));
	if (s->words)
		pr_info("image %s held %u robust mutexes\n", ctl_name(s->dead->id), s->words);
}

void futex_image_dead(u32 id)
{
	struct search s = { .dead = &dead };
	unsigned int flags;
	int err;

	mutex_lock(&dead_lock);
	flags = memalloc_noreclaim_save();
	err = dead_open(&dead, id);
	if (!err) {
		bury_all(&s);
		dead_close(&dead);
	}
	memalloc_noreclaim_restore(flags);
	mutex_unlock(&dead_lock);
	/* -ESRCH: it died before it had any. */
	if (err == -ENOMEM)
		pr_warn("image %s: no memory to look for its robust mutexes\n", ctl_name(id));
	futex_wake_everywhere();
}
