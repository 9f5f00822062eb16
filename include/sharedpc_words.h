/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sharedpc_words.h - words: what makes a remembered name or attribute true
 *
 * An owner's kernel counts up a word whenever something changes, before the
 * system call that changed it returns. A client keeps the word's value beside
 * what it remembers, read before it asked, and compares on every use: what it
 * remembers is true as long as the word is what it was. There is no message, no
 * lease and no state for a client.
 *
 *	names	one word per hash of (salt, directory's inode, name): the name
 *		is made, removed, or means another file
 *	attrs	one word per hash of (salt, inode): mode, owner, size, times,
 *		links, extended attributes; for a directory, what it lists
 *
 * Two that share a word are told of each other's changes: that costs a
 * question, and is never wrong. A word wraps after 2^64 changes; those who keep
 * fewer bits of it (2^41 in a dentry) would have to sleep through exactly so
 * many changes.
 *
 * Each image has its words, in ctl at sharedpc_header.words_off + id *
 * words_size. Only that image writes them. `full` is no word of a file: it
 * counts how often a client was refused a frame, and asks all to give up what
 * they only keep for later.
 *
 *	0		struct sharedpc_words
 *	4096		names: 2^bits of __u64
 *	4096 + 8 * 2^bits	attrs: as many
 *
 * Changelog
 *	revision 1	first
 */
#ifndef SHAREDPC_WORDS_H
#define SHAREDPC_WORDS_H

#include <linux/types.h>

#define SHAREDPC_WORDS_MAGIC	0x73647277	/* "wrds" */
#define SHAREDPC_WORDS_REVISION	1
#define SHAREDPC_WORDS_HEAD	4096u		/* bytes */
#define SHAREDPC_WORDS_BITS_MAX	22u		/* as many as a dentry's note has room for */
#define SHAREDPC_WORDS_BITS_MIN	15u		/* what the planner makes room for: */
#define SHAREDPC_WORDS_GRAIN	0x8000ull	/* a word for so many bytes of memory */

struct sharedpc_words {
	__u32 magic;		/* written last */
	__u32 revision;
	__u32 bits;		/* words in each table: 2^bits */
	__u32 reserved;
	__u64 full;		/* see above */
	__u64 changes;		/* counted in all, for people */
};

/* The bits for a box of @memory bytes: 15 up to 1 GiB, 22 above 64 GiB. */
static inline __u32 sharedpc_words_bits(__u64 memory)
{
	__u32 bits = SHAREDPC_WORDS_BITS_MIN;

	while (bits < SHAREDPC_WORDS_BITS_MAX &&
	       SHAREDPC_WORDS_GRAIN << bits < memory)
		bits++;
	return bits;
}

/* Bytes of one image's words on such a box. */
static inline __u64 sharedpc_words_size(__u64 memory)
{
	return SHAREDPC_WORDS_HEAD +
		(2 * sizeof(__u64) << sharedpc_words_bits(memory));
}

#endif
