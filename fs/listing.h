/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * listing.h - the rest of an answer to READDIR, until FUSE asks for it
 *
 * FUSE reads a directory in pieces of 4 KiB, some 25 entries. The owner is
 * asked for far more, with all that is known of each entry, and what is left
 * after the first piece is kept here for the next ones.
 *
 *	listing_serve	fill a piece from what is kept
 *	listing_begin	the owner is about to be asked
 *	listing_take	its answer: fill a piece, keep the rest
 *	listing_cancel	there is none
 *
 * A reader that begins after a directory has changed must never see what was
 * read before. FUSE does not say which reader asks; but each begins at offset
 * 0, and that always asks the owner. So all listings of the directory that were
 * asked for earlier go when somebody begins: those that are kept, and those on
 * their way, which serve those who asked and are not kept. What is there for
 * later offsets was then asked for after any reader who is still reading began.
 *
 * What FUSE gets with a name stays in memory, asked for or not. So of a listing that is long
 * for this image's memory only the beginning comes with nodes, and the rest as bare names.
 *
 * An entry with a node is one use of it. FUSE gets it once; to whoever reads the
 * same entry again it comes as a bare name. What FUSE has not got when a listing
 * goes is given back to the owner.
 */
#ifndef CCFS_LISTING_H
#define CCFS_LISTING_H

#include <pthread.h>
#include <stdint.h>

#include "fs/attach.h"
#include "msg.h"

#define LISTINGS	16	/* of a mount, kept or on their way */
#define LISTING_MS	5000	/* for that long */

struct ccfs;
struct fuse_req;
struct listing;

struct listings {
	pthread_mutex_t lock;		/* all below */
	pthread_cond_t some;		/* there are listings */
	uint64_t last;			/* serial number */
	size_t plus_max;		/* entries of a listing, about, before the rest is bare */
	struct listing *table[LISTINGS];
};

/* What FUSE gets at one time. */
struct piece {
	struct fuse_req *req;
	uint64_t dir;
	bool plus;			/* READDIRPLUS; without, nothing is kept */
	bool kept;			/* filled from what was asked for earlier */
	bool bare;			/* names alone: the directory has changed since */
	char *buf;
	size_t size;			/* of it */
	size_t len;			/* filled */
	struct ccfs_forget *given;	/* nodes in it */
	size_t ngiven;
	struct tales tales;
};

/* 0 or -ENOMEM. */
int piece_init(struct piece *p, struct fuse_req *req, uint64_t dir, bool plus,
	       size_t size);
/* Answer with it: tales first. Without the request its nodes are given back. */
void piece_reply(struct piece *p, struct ccfs *fs);
void piece_free(struct piece *p);

void listings_init(struct listings *ls);
/* Start the thread that drops what is old, detached. 0 or -errno. */
int listings_start(struct ccfs *fs);
/* Drop what is older than LISTING_MS at time @now_ms. */
void listings_expire(struct ccfs *fs, int64_t now_ms);

/*
 * This image has changed @dir, and FUSE does not know yet: what is kept of it
 * has no nodes any more, since FUSE would move its dentries back to where they
 * were, and take off what is mounted there.
 */
void listings_changed(struct ccfs *fs, uint64_t dir);

/* True: @p is filled with what follows @offset (nothing, at the end). */
bool listing_serve(struct ccfs *fs, uint64_t offset, struct piece *p);
/* What is to come for @p, from @offset on; NULL: no memory. */
struct listing *listing_begin(struct ccfs *fs, uint64_t offset,
			      const struct piece *p);
/* Is it to come with nodes? */
bool listing_plus(const struct ccfs *fs, const struct listing *l);
/* @m, whose memory goes along, is the answer. 0, -EPROTO or -ENOMEM. */
int listing_take(struct ccfs *fs, struct listing *l, struct msg *m,
		 struct piece *p);
void listing_cancel(struct ccfs *fs, struct listing *l);

#endif
