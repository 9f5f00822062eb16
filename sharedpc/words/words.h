/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * words.h - the words of an owner, see include/sharedpc_words.h
 *
 *	owner	watch.c counts words up as its kernel reports changes
 *	client	cache/ keeps what a word was, and compares
 *
 * A `struct words` says where the words of one file system are: the tables of
 * its owner, how many bits of a hash count (at most as many as the tables have
 * words), and the salt that keeps file systems of one owner apart.
 */
#ifndef WORDS_H
#define WORDS_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/types.h>

struct words {
	u64 *names;
	u64 *attrs;
	u32 bits;
	u64 salt;
};

/* Our own words are ready to be counted.  Without room for any: no error. */
void words_init(void);

/*
 * The tables of @owner into @w, its salt and bits not.  0, or -EOPNOTSUPP: it
 * has no words, or what is there makes no sense.
 */
int words_of(u32 owner, struct words *w);

/* Which word is that of @name in directory @dir, of the file @ino. */
u32 words_name(const struct words *w, u64 dir, const void *name, u32 len);
u64 *words_attr(const struct words *w, u64 ino);

/*
 * What a word is.  To be read before what it vouches for is read or asked:
 * nothing after it may move up.  Pairs with words_count.
 */
static inline u64 words_read(const u64 *word)
{
	return smp_load_acquire(word);	/* pairs with words_count */
}

/*
 * Something has changed.  Full barrier: who sees the old word has asked before
 * the change was over.  Two kernels' CPUs look at it, so it must be locked even
 * on a single CPU: noreplace-smp.
 */
static inline void words_count(u64 *word)
{
	atomic64_inc_return((atomic64_t *)word);
}

/* A client was refused a frame; how often that was so far. */
void words_refused(void);
u64 words_full(u32 owner);

/* Count all our words up by @n, for tests: a wrap need not be waited for. */
void words_forward(u64 n);

#endif
