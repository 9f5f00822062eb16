/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * futex.h - a wake reaches who waits on another image for the same word of a file
 *
 * Linux finds who waits for a word in a hash table of its own, which knows this image's
 * tasks only.  So each task that waits in a shared mapping is on a list here as well,
 * under a name that the word has on all images, and in ctl there is a count of those of
 * each hash slot.  Who wakes looks at the others' counts, and sends WAKE to those that
 * are not zero: what stays within an image costs no message.
 *
 *	name.c		which word it is
 *	wait.c		who waits, and how a WAKE finds it
 *	wake.c		what of a wake goes to others, and what got lost on the way
 *	hook.c		where the kernel's own futex code comes to these
 *	robust.c	robust mutexes of an image that has died; dead.c: its memory
 *
 * The argument for no lost wake is that of kernel/futex/waitwake.c, (A) and (B), across
 * images: who waits raises the count before it reads the word again, who wakes has
 * written the word before it reads the count.
 *
 * More may be woken than was asked for, as anybody who waits for a futex has to expect.
 */
#ifndef FUTEX_H
#define FUTEX_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/sched.h>
#include "sharedpc_wire.h"

/* A word in a file, for all images. */
struct futex_name {
	u64 identity;		/* the file's, as its owner knows it */
	u64 pos;		/* in the file, bytes */
	u32 owner;		/* image, or FUTEX_ELSEWHERE */
};

/* What no other image knows: not a file's. */
#define FUTEX_ELSEWHERE	U32_MAX

struct futex_waiter {
	struct list_head node;
	struct futex_name name;
	struct task_struct *task;
	u32 bitset;
	u32 woken;		/* by another image, with these bits; 0: on the list */
};

struct futex_stat {
	atomic64_t waits;	/* in shared mappings of files */
	atomic64_t sent;	/* WAKEs */
	atomic64_t held;	/* of these, not put into the ring: too many at a time */
	atomic64_t got;
	atomic64_t woken;	/* by them */
	atomic64_t handed;	/* of these, to the next since that one was awake already */
	atomic64_t turns;	/* sent although enough were woken here */
	atomic64_t doubts;	/* times that all were woken, since one has got lost */
	atomic64_t again;	/* asked Linux again: the page was just being taken back */
};

extern struct futex_stat futex_stat;

/*
 * name.c: false: @uaddr is not in a shared mapping of a file, its name is FUTEX_ELSEWHERE.
 * Takes mmap_lock.
 */
bool futex_name(u32 __user *uaddr, struct futex_name *name);
u32 futex_slot(const struct futex_name *name);

/* wait.c: current is about to wait.  (A): the word has to be read after this. */
void futex_enter(struct futex_waiter *w, u32 bitset);
/*
 * It does not any more.  Another image has woken it, and that is why (@wanted): true.  Woken
 * and not @wanted, it goes to the next who waits for that word.
 */
bool futex_leave(struct futex_waiter *w, bool wanted);
void futex_wake_all(void);
/* Say again in ctl who waits. */
void futex_count_again(void);
void futex_wait_init(void);
/* From now on nobody stays. */
void futex_wait_end(void);

/* wake.c: @woken of this image were, of @nr: what of that is for others. */
void futex_forward(u32 __user *uaddr, u32 nr, u32 woken, u32 bitset);
/* One of @name that was is not needed here: for others. */
void futex_pass_on(const struct futex_name *name, u32 bitset);
/* All that wait, on all images. */
void futex_wake_everywhere(void);
/* WAKE @number of @image's has arrived.  False: once more.  If one is missing all are woken. */
bool futex_heard(u32 image, u64 number);
void futex_wake_init(void);

/* hook.c: 0; -ENOENT, -EOPNOTSUPP ...: this kernel's futex code is not as we know it. */
int futex_init(void);
void futex_exit(void);

/* For main.c.  Boot image: @id's CPUs are parked, its frames still its own. */
void futex_image_dead(u32 id);
/* WAKE, soft interrupt. */
void futex_woken(u32 image, const struct sharedpc_msg *msg);
void futex_tick(void);
void futex_came(u32 image);

#endif
