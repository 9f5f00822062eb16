/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * whose.h - what a process, or an open file, that has locks is called at the owner
 */
#ifndef WHOSE_H
#define WHOSE_H

#include <linux/filelock.h>

/*
 * The name of whom @fl is of, with a use of it, made if he has none.  Never 0, nor anybody
 * else's.  0: no memory.
 */
u64 whose_get(const struct file_lock *fl);
/* His name, with a use of it, or 0: he has no lock anywhere. */
u64 whose_find(const struct file_lock *fl);
void whose_put(const struct file_lock *fl);

/* Of somebody who has a name: how often it has not been known what the owner has of his. */
void whose_doubt(const struct file_lock *fl);
u32 whose_doubts(const struct file_lock *fl);

bool whose_same(const struct file_lock *a, const struct file_lock *b);
/* One that nobody has. */
u64 whose_new(void);

/* @fl takes the use of the name over, and each copy that the kernel makes has one. */
void whose_mark(struct file_lock *fl);

void whose_init(void);

#endif
