/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mount.h - a FUSE mount of another image's files, whose names we remember
 *
 * FUSE is the file system.  This layer sits between the VFS and FUSE, on the
 * super blocks that ccfs attaches, by copies of FUSE's tables of operations:
 * what is remembered and true is answered here, everything else by FUSE, which
 * asks ccfs, which asks the owner.  Its contract:
 *
 *  - FUSE's time-outs are 0, so what this layer does not know is as right, and
 *    as slow, as without it;
 *  - where no inode and no open file has to come of it, the owner is asked without
 *    FUSE (direct.c);
 *  - ccfs tells (told.c) what the owner said, with the words' values, before
 *    FUSE hands that answer to whoever waits; here it is taken from there;
 *  - what is remembered is used while its word is what it was, and the mount is
 *    not dead: one load and one compare, also in RCU walk.
 *
 *	mount.c		attach and detach, the tables of a super block
 *	told.c		what ccfs told and nobody has taken yet
 *	inode.c		what is known of a file: attributes, link's text
 *	show.c		.. and what of that the VFS finds in the inode
 *	entry.c		names: revalidation and look-up
 *	change.c	names: made, moved and removed
 *	permission.c	who may; acl.c: when there is an ACL
 *	open.c		files that are opened for reading without a question
 *	spare.c		the backing files that are kept for that
 *	list.c		directories' contents
 *	xattr.c		extended attributes and ACLs that are not there
 *	statfs.c	how full the file system is, for a second
 *	sync.c		sync(2), which is the owner's to do
 *	space.c		fallocate(2), where FUSE refuses it
 *	flags.c		lsattr(1) and chattr(1)
 *	direct.c	what the owner is asked without FUSE
 *	heard.c		.. and has said in this system call
 *	export.c	file handles; present.c: their way back
 *	lock.c		locks, which the owner's kernel holds; whose.c: for whom;
 *			doubt.c: whether; real.c: of which file, if we are the owner
 *	removed.c	what others have removed, and nobody uses here
 *	watched.c	what is watched here (inotify), which the owner is told;
 *			raise.c: and what others do to it;
 *			overflow.c: or that some of that is not known
 *	stat.c		how often what was known
 *
 * What it assumes of FUSE in 6.12, and where that is checked:
 *
 *	dentry->d_time and inode->i_private are unused	a new dentry is noted by
 *			d_init; attach looks at the root
 *	getattr: AT_STATX_FORCE_SYNC asks, its answer is what it returns
 *	revalidate asks for a name whose time-out is 0
 *	a listing is kept while the directory's i_version stays
 *	encode_fh gives the node id			attach compares the root's
 *	an inode is hashed by its node id	attach looks for the root
 *	all FUSE inodes of a kind have one table	else they are left alone
 *
 * The others are 6.12's sources: Kbuild refuses another base.
 *
 * Nothing of this can be unloaded while a super block has our tables.
 */
#ifndef CACHE_MOUNT_H
#define CACHE_MOUNT_H

#include "sharedpc_ioctl.h"

struct cache_mount;
struct session;
struct sharedpc_msg;

/* ATTACH, TELL, BACKING, REAL, HEAR and RAISE of sharedpc_ioctl.h. */
struct cache_mount *cache_attach(const struct sharedpc_attach *want);
int cache_tell(struct cache_mount *m, const struct sharedpc_tell *tell);
int cache_backing(struct cache_mount *m, const struct sharedpc_backing *want);
int cache_real(struct cache_mount *m, const struct sharedpc_real *want);
int cache_hear(struct cache_mount *m, int fd);
int cache_raise(struct cache_mount *m, const struct sharedpc_raise *want);
/* It will be detached: who waits for the owner need not. */
void cache_leave(struct cache_mount *m);
/* ccfs is gone, or knows its owner dead: nothing remembered is used any more. */
void cache_detach(struct cache_mount *m);

/* The server that @s is with has ended. */
void cache_session_ended(const struct session *s);
/* @owner says that a lock is had which somebody waits for.  Soft interrupt. */
void cache_locked(u32 owner, const struct sharedpc_msg *msg);
/* @owner says that a node of ours has no name any more.  May be done later, or not at all. */
void cache_removed(u32 owner, const struct sharedpc_msg *msg);
/* Give up what is only kept for later: frames are short at @owner. */
void cache_shed(u32 owner);

int cache_init(void);
void cache_exit(void);

#endif
