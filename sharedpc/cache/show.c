// SPDX-License-Identifier: GPL-2.0-only
/*
 * show.c - what of a file's attributes the VFS finds in its inode
 *
 * The VFS looks at some by itself: who owns a file, may it be run as somebody else, is a
 * directory sticky (fs.protected_symlinks and the like, and who may delete; FUSE drops
 * that bit, and leaves all of it to the owner), how long is what is copied, is it there to
 * be linked.  FUSE sets them from the answers that it gets, but of two that crossed from
 * one only, whichever, and knows nothing of those that it has not asked for: so they are
 * set again after each.
 *
 * What is known and true is shown.  Else, what was said last: answers are in the order in
 * which their questions were begun, each with a turn of its own, FUSE's as well as ours.
 * How long a file is that is open for writing here FUSE knows best; what was asked before
 * a change that is made here says nothing of it.
 */
#include <linux/fs.h>
#include <linux/iversion.h>
#include "cache/cache.h"

u64 show_turn(const struct inode *inode)
{
	return atomic64_inc_return(&cache_mount_of(inode->i_sb)->turns);
}

bool show_may_ask(const struct inode *inode)
{
	const struct cache_inode *ci = cache_inode(inode);

	return ci && !READ_ONCE(ci->changing) &&
	       !(S_ISREG(inode->i_mode) && inode_is_open_for_write(inode));
}

/* What was asked until now says nothing; and @by changes more are under way. */
static void turn_over(struct inode *inode, int by)
{
	struct cache_inode *ci = cache_inode(inode);

	heard_forget();
	if (!ci)
		return;
	spin_lock(&ci->lock);
	WRITE_ONCE(ci->changing, ci->changing + by);
	ci->said = (struct said){ .turn = show_turn(inode) };
	spin_unlock(&ci->lock);
}

void show_turn_over(struct inode *inode)
{
	turn_over(inode, 0);
}

void show_change_begin(struct inode *inode)
{
	turn_over(inode, 1);
}

void show_change_end(struct inode *inode)
{
	turn_over(inode, -1);
}

/* With the lock: what @stat says was said of it in @turn. */
static void said_set(struct inode *inode, struct cache_inode *ci, const struct kstat *stat,
		     u64 turn)
{
	if (turn <= ci->said.turn)
		return;
	ci->said = (struct said){
		.turn = turn, .valid = true, .sized = show_may_ask(inode),
		.mode = stat->mode, .uid = stat->uid, .gid = stat->gid, .size = stat->size,
	};
	ci->more = (struct said_more){
		.btime = stat->btime, .attributes = stat->attributes,
		.attributes_mask = stat->attributes_mask,
	};
}

/* With the lock: FUSE remembers that nothing is to be taken away where it saw no set-id bit. */
static void mode_show(struct inode *inode, umode_t mode, kuid_t uid, kgid_t gid)
{
	if (mode & (S_ISUID | S_ISGID) && IS_NOSEC(inode))
		inode_set_flags(inode, 0, S_NOSEC);
	WRITE_ONCE(inode->i_mode, mode);
	inode->i_uid = uid;
	inode->i_gid = gid;
}

/* With the lock. */
static void known_show(struct inode *inode, const struct kstat *stat)
{
	mode_show(inode, stat->mode, stat->uid, stat->gid);
	if (!inode->i_nlink && stat->nlink)
		set_nlink(inode, stat->nlink);
	if (S_ISREG(inode->i_mode))
		i_size_write(inode, stat->size);
}

static void said_show(struct inode *inode, const struct said *said)
{
	mode_show(inode, said->mode, said->uid, said->gid);
	if (S_ISREG(inode->i_mode) && said->sized && !inode_is_open_for_write(inode))
		i_size_write(inode, said->size);
}

void show_inode(struct inode *inode, const struct kstat *stat, u64 turn)
{
	struct cache_inode *ci = cache_inode(inode);
	const struct known *k;

	rcu_read_lock();
	/* As known_set has it: nobody shows what has been replaced. */
	spin_lock(&ci->lock);
	if (stat)
		said_set(inode, ci, stat, turn);
	k = cache_known(inode);
	if (k)
		known_show(inode, &k->stat);
	else if (ci->said.valid && !ci->changing)
		said_show(inode, &ci->said);
	spin_unlock(&ci->lock);
	rcu_read_unlock();
}

void show_removed(struct inode *dir, struct inode *inode)
{
	struct cache_inode *ci = cache_inode(inode);
	u32 links;

	inode_maybe_inc_iversion(dir, false);	/* what is remembered of listings is old */
	spin_lock(&ci->lock);
	links = READ_ONCE(inode->i_nlink);	/* FUSE sets it under a lock of its own */
	if (S_ISDIR(inode->i_mode))
		clear_nlink(inode);
	else if (links)
		set_nlink(inode, links - 1);
	spin_unlock(&ci->lock);
}

void show_fill_more(struct kstat *stat, const struct said_more *more, u32 want)
{
	stat->attributes |= more->attributes;
	stat->attributes_mask |= more->attributes_mask;
	if (!(want & STATX_BTIME) || (!more->btime.tv_sec && !more->btime.tv_nsec))
		return;
	stat->btime = more->btime;
	stat->result_mask |= STATX_BTIME;
}

void show_more(struct inode *inode, struct kstat *stat, u32 want)
{
	struct cache_inode *ci = cache_inode(inode);
	struct said_more more;

	if (!ci)
		return;
	spin_lock(&ci->lock);
	more = ci->more;
	spin_unlock(&ci->lock);
	show_fill_more(stat, &more, want);
}
