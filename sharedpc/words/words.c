// SPDX-License-Identifier: GPL-2.0-only
/*
 * words.c - the words of an owner, see words.h
 *
 * How many there are follows from the room that the plan gave them.  Another
 * image's header is a claim: it is copied, and the copy checked against the
 * room that we know of.
 *
 * Words start at 1 and survive the image's restarts: a value is never used
 * again while somebody may remember it.
 */
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/siphash.h>
#include "box/ctl.h"
#include "sharedpc_words.h"
#include "words/words.h"

static struct sharedpc_words *own;

/* The most bits that tables in @size bytes can have; 0: no room. */
static u32 bits_in(u64 size)
{
	if (size < SHAREDPC_WORDS_HEAD + 2 * PAGE_SIZE)
		return 0;
	return min_t(u32, ilog2((size - SHAREDPC_WORDS_HEAD) / (2 * sizeof(u64))),
		     SHAREDPC_WORDS_BITS_MAX);
}

static void tables(void *head, u32 bits, struct words *w)
{
	w->names = head + SHAREDPC_WORDS_HEAD;
	w->attrs = w->names + (1UL << bits);
	w->bits = bits;
}

void words_init(void)
{
	u64 size;
	struct sharedpc_words *head = ctl_words(ctl_self, &size);
	u32 bits = bits_in(size);
	struct words w;
	u64 i;

	if (!head || !bits)
		return;
	own = head;
	if (READ_ONCE(head->magic) == SHAREDPC_WORDS_MAGIC)
		return;
	tables(head, bits, &w);
	for (i = 0; i < 2UL << bits; i++)
		w.names[i] = 1;
	head->revision = SHAREDPC_WORDS_REVISION;
	head->bits = bits;
	/* Pairs with words_of. */
	smp_store_release(&head->magic, SHAREDPC_WORDS_MAGIC);
}

int words_of(u32 owner, struct words *w)
{
	u64 size;
	struct sharedpc_words *head = ctl_words(owner, &size);
	u32 bits;

	/* Pairs with words_init: who sees the magic sees all the rest. */
	if (!head || smp_load_acquire(&head->magic) != SHAREDPC_WORDS_MAGIC ||
	    READ_ONCE(head->revision) != SHAREDPC_WORDS_REVISION)
		return -EOPNOTSUPP;
	bits = READ_ONCE(head->bits);
	if (!bits || bits > bits_in(size))
		return -EOPNOTSUPP;
	tables(head, bits, w);
	return 0;
}

u32 words_name(const struct words *w, u64 dir, const void *name, u32 len)
{
	const hsiphash_key_t key = { { w->salt, dir } };

	return hsiphash(name, len, &key) >> (32 - w->bits);
}

u64 *words_attr(const struct words *w, u64 ino)
{
	return w->attrs + hash_64(ino ^ w->salt, w->bits);
}

void words_refused(void)
{
	if (own)
		words_count(&own->full);
}

u64 words_full(u32 owner)
{
	u64 size;
	struct sharedpc_words *head = ctl_words(owner, &size);

	return head ? READ_ONCE(head->full) : 0;
}

void words_forward(u64 n)
{
	struct words w;
	u64 i;

	if (!own || words_of(ctl_self, &w))
		return;
	for (i = 0; i < 2UL << w.bits; i++)
		atomic64_add(n, (atomic64_t *)&w.names[i]);
}
