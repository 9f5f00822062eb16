/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cache.h - what the files of cache/ share, see mount.h
 *
 * Lock order: a mount's told.lock, spare_lock, statfs_lock and an inode's lock stand alone.
 * None is held while FUSE is called.
 */
#ifndef CACHE_H
#define CACHE_H

#include <linux/dcache.h>
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/semaphore.h>
#include <linux/spinlock.h>
#include <linux/stat.h>
#include <linux/statfs.h>
#include <linux/workqueue.h>
#include <linux/xattr.h>
#include "cache/mount.h"
#include "words/words.h"

#define TOLD_BITS	8
#define FUSE_ROOT	1		/* node id */
#define SPACE_CALLS	4		/* of a mount */

/* What ccfs told and nobody has taken: told.c. */
struct ccfs_fhandle;
struct ccfs_lock;
struct present;

struct told {
	spinlock_t lock;
	struct hlist_head files[1 << TOLD_BITS];	/* by node */
	struct hlist_head names[1 << TOLD_BITS];	/* by directory's node */
	struct list_head age;				/* the first is the oldest */
	u32 count;
};

struct cache_mount {
	struct super_block *sb;		/* NULL: it has been shut down; under mounts_lock */
	u32 owner;
	struct session *session;	/* NULL: we are the owner */
	u64 ask;			/* our name for its server; 0: FUSE alone asks */
	u32 generation;			/* of all nodes but the root */
	atomic64_t turns;		/* show.c */
	bool forget;			/* nothing is remembered */
	u32 squash;			/* SHAREDPC_ATTACH_SQUASH_* */
	bool dead;			/* nothing remembered is true any more */
	u64 root_ino;
	struct words words;
	struct list_head node;		/* in mounts */
	struct kref ref;		/* the super block, the device, RCU */
	struct rcu_head rcu;

	struct told told;

	spinlock_t spare_lock;		/* the four below */
	struct list_head spares;	/* cache_inode.spare_node, oldest first */
	u32 spare_count;
	struct list_head offers;	/* see spare.c */
	u32 offers_count;
	u64 full;			/* words_full() that we gave way to */
	bool shed;			/* all spares are to go */
	struct delayed_work tidy;

	struct semaphore space;		/* so many more allocations by space.c */

	struct mutex sync_lock;		/* one sync at a time */
	u32 sync_call;			/* .. the last, whose caller was killed; 0: none */

	struct cache_stat __percpu *stat;

	atomic64_t watch_serial;	/* watched.c */
	struct eventfd_ctx *bell;	/* rings for the first watch; NULL: it has */
	struct delayed_work watch_later;

	spinlock_t statfs_lock;		/* the three below */
	struct kstatfs statfs;
	unsigned long statfs_until;	/* jiffies */
	bool statfs_said;

	/* Tables of this super block: FUSE's, but for what is ours. */
	struct super_operations s_op;
	struct dentry_operations d_op;
	struct xattr_handler xattr;
	const struct xattr_handler *xattrs[2];
	struct export_operations export_op;
	const struct super_operations *fuse_s_op;
	const struct dentry_operations *fuse_d_op;
	const struct xattr_handler * const *fuse_xattrs;
	const struct export_operations *fuse_export_op;
};

/* What is known of a file.  Never changes (an ACL comes late), is replaced: inode.c. */
struct known {
	struct rcu_head rcu;
	u64 gen;			/* of its word */
	u32 flags;			/* SHAREDPC_LOOK_* */
	struct posix_acl *acl;		/* NULL: not fetched */
	struct kstat stat;
};

/* What was said last of a file, whether it still holds or not: show.c. */
struct said {
	u64 turn;
	bool valid;			/* there is something */
	bool sized;			/* its size, too */
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	loff_t size;
};

/* What was said last that FUSE does not hear: show.c. */
struct said_more {
	struct timespec64 btime;	/* 0: not known */
	u32 attributes;			/* statx(2)'s */
	u32 attributes_mask;
};

/* inode->i_private of a file of ours. */
struct cache_inode {
	struct rcu_head rcu;
	u64 node;			/* FUSE's node id */
	u64 ino;			/* the owner's */
	u64 *word;			/* of its attributes; NULL: nothing is remembered */
	bool names;			/* names in it may be remembered */
	const struct dentry *parent;	/* a directory's place when it was noted, or NULL: */
	u64 hash_len;			/* entry.c; the parent to compare with only */
	unsigned long moved;		/* jiffies when that was another place */
	u64 listed;			/* a directory's word when its listing was begun */
	spinlock_t lock;		/* changes of known and what shows it; listed, i_version; both below */
	u32 changing;			/* by so many here, now */
	struct said said;
	struct said_more more;		/* lock */
	struct known __rcu *known;
	char *text;			/* of a symbolic link: inode->i_link */
	struct ccfs_fhandle *handle;	/* NULL: not asked for yet */
	struct file *real;		/* lock, as below: see real.c */
	u32 real_opens;
	u32 told_mask;			/* lock, as below: what the owner knows is watched here */
	bool unwatched;			/* it knows that nothing is */
	u64 watch_serial;		/* of what it was told last */
	atomic_t opening;		/* so many will take what is offered: spare_trim */
	struct file *spare;		/* the mount's spare_lock, as both below */
	u64 spare_gen;
	struct list_head spare_node;
};

/* A name that was told. */
struct told_name {
	u64 gen;			/* 0: not to be remembered */
	u64 node;			/* what it names */
	u32 len;
	char name[NAME_MAX];
};

/* The mount of a super block that has our tables. */
static inline struct cache_mount *cache_mount_of(const struct super_block *sb)
{
	return container_of(sb->s_op, struct cache_mount, s_op);
}

/* Anything remembered is good for nothing? */
static inline bool cache_useless(const struct cache_mount *m)
{
	return m->forget || READ_ONCE(m->dead);
}

/* NULL: this inode is FUSE's alone. */
static inline struct cache_inode *cache_inode(const struct inode *inode)
{
	return READ_ONCE(inode->i_private);
}

/* mount.c */
void cache_put(struct cache_mount *m);		/* for kref_get(&m->ref) */
void cache_shed_all(void);
/* Has @sb our tables? */
bool cache_is_ours(const struct super_block *sb);
/* The mount's super block, for deactivate_super; NULL: it has gone, or goes. */
struct super_block *cache_hold(struct cache_mount *m);
/* The mount @ask of @owner's server, for cache_put, or NULL. */
struct cache_mount *cache_find_mount(u32 owner, u32 server, u64 ask);

/* told.c */
void told_init(struct told *t);
void told_clear(struct told *t);
int told_add(struct cache_mount *m, const struct sharedpc_tell *tell);
/* What was told last of @node; the caller frees it.  NULL: nothing. */
struct sharedpc_tale *told_take(struct told *t, u64 node);
/* A name in @dir: @name, or any if that is NULL.  False: none. */
bool told_take_name(struct told *t, u64 dir, const struct qstr *name,
		    struct told_name *out);

/* inode.c */
int cache_adopt(struct inode *inode);
void cache_evict(struct inode *inode);
/* The inode of @node, with a reference, if @sb has one, or NULL. */
struct inode *cache_find_inode(struct super_block *sb, u64 node);
/* Under RCU: what is known and true, or NULL. */
struct known *cache_known(const struct inode *inode);
/* Take what has been told of @inode, since @turn (0: some time). */
void cache_learn(struct inode *inode, u64 turn);
/* What the owner says now, or what is known and true.  0 or -errno. */
int cache_look(struct inode *inode, struct known *known);
/* The owner said @tale, to a question of @turn: take it in; @said is what it says. */
void cache_said(struct inode *inode, const struct sharedpc_tale *tale, u64 turn,
		struct known *said);
/* The ACL of @inode, as its word was @gen before it was fetched, goes along. */
void cache_learn_acl(struct inode *inode, u64 gen, struct posix_acl *acl);
int cache_getattr(struct mnt_idmap *idmap, const struct path *path,
		  struct kstat *stat, u32 want, unsigned int flags);
int cache_setattr(struct mnt_idmap *idmap, struct dentry *d, struct iattr *attr);
const struct inode_operations *cache_fuse_iops(const struct inode *inode);

/* show.c */
/* A turn for a question about @inode, or in its super block, before it is asked. */
u64 show_turn(const struct inode *inode);
/* May it be asked without FUSE?  Not while we change it, or its size. */
bool show_may_ask(const struct inode *inode);
/* The file will be changed here from now on: what was asked until now says nothing. */
void show_turn_over(struct inode *inode);
/* Around a change of its attributes. */
void show_change_begin(struct inode *inode);
void show_change_end(struct inode *inode);
/* Show what is known, or @stat, said in @turn, or what was said after that; @stat NULL: those. */
void show_inode(struct inode *inode, const struct kstat *stat, u64 turn);
/* Of what FUSE does not tell: what was said last of @inode, or @more, to @stat, if it is @want-ed. */
void show_more(struct inode *inode, struct kstat *stat, u32 want);
void show_fill_more(struct kstat *stat, const struct said_more *more, u32 want);
/* @inode has been removed from @dir. */
void show_removed(struct inode *dir, struct inode *inode);

/*
 * direct.c: 0; the owner's error, -EINTR; or DIRECT_NOT: FUSE is to ask.  @tale is what
 * the owner said of @inode.
 */
#define DIRECT_NOT	1
int direct_getattr(const struct inode *inode, struct sharedpc_tale *tale);
/* Does @name in @dir still mean @inode? */
int direct_revalidate(const struct inode *dir, const struct qstr *name,
		      const struct inode *inode, struct sharedpc_tale *tale);
int direct_access(const struct inode *inode, int mask);
/* Remove @d from @dir; @tale is what that is then, its node 0 if that could not be read. */
int direct_remove(const struct inode *dir, const struct dentry *d, struct sharedpc_tale *tale);

/* The handle of @inode; and the node of a handle, with a use that forget gives back. */
int direct_handle(const struct inode *inode, struct ccfs_fhandle *h);
int direct_present(const struct cache_mount *m, const struct ccfs_fhandle *h, u64 *node);
/* DIRECT_NOT: it has not been asked, and can be again, soon: after a pause, unless that says why not. */
int direct_pause(const struct cache_mount *m);
int direct_allocate(const struct inode *inode, int mode, loff_t pos, loff_t len);
int direct_sync(const struct cache_mount *m, u32 *call);
/* What of @inode is watched here: see struct ccfs_watch. */
int direct_watch(const struct inode *inode, u32 mask, u64 serial);
int direct_forget(const struct cache_mount *m, u64 node);

/*
 * What @lock says of @inode, which becomes the answer.  As often as one likes.  -EINTR: the
 * owner may still do it, while *@call is open.
 */
int direct_lock(const struct inode *inode, struct ccfs_lock *lock, u32 *call);

/* present.c */
/* Ask for the node of @handle.  -ENOMEM; -EINTR: the caller is being killed. */
struct present *present_begin(struct cache_mount *m, const struct ccfs_fhandle *handle);
/* 0, the owner's error, or DIRECT_NOT: the mount is dead. */
int present_node(const struct present *p, u64 *node);
/* FUSE has the node, or does not want it: the use of it goes back, some time. */
void present_end(struct present *p);
int present_init(void);
void present_exit(void);

/* heard.c */
/* The owner has said @tale of @inode, to the current task. */
void heard_note(const struct inode *inode, const struct sharedpc_tale *tale);
/* Has it in this system call, and nothing has been changed since?  Then *@tale is that. */
bool heard_of(const struct inode *inode, struct sharedpc_tale *tale);
/* The current task changes something. */
void heard_forget(void);
void heard_exit(void);

/* export.c */
void export_wrap(struct cache_mount *m, struct super_block *sb);

/* entry.c */
int cache_revalidate(struct dentry *d, unsigned int flags);
int cache_d_init(struct dentry *d);
struct dentry *cache_lookup(struct inode *dir, struct dentry *d, unsigned int flags);
/* The word of a name, and what it is; gen 0: not to be remembered. */
struct entry_word {
	u32 index;
	u64 gen;
};
struct entry_word entry_word(const struct inode *dir, const struct qstr *name);
/*
 * @d, whose parent is locked for changes, has just been made: take what was told
 * of its inode since @turn, and remember the name if that allows it.  0 or -ENOMEM.
 */
int entry_learn(struct inode *dir, struct dentry *d, u64 turn);
/* The same for each name in @dir that was told and is a dentry. */
void entry_learn_all(struct dentry *dir, u64 turn);
/* @d is about to become negative, by the one change since @before. */
void entry_gone(struct inode *dir, struct dentry *d, struct entry_word before);
/* @d is about to get the place of @to. */
void entry_moving(struct dentry *d, const struct dentry *to);

/* change.c */
int cache_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d,
		 umode_t mode, bool excl);
int cache_mknod(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d,
		umode_t mode, dev_t dev);
int cache_mkdir(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d,
		umode_t mode);
int cache_symlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d,
		  const char *text);
int cache_link(struct dentry *old, struct inode *dir, struct dentry *d);
int cache_unlink(struct inode *dir, struct dentry *d);
int cache_rmdir(struct inode *dir, struct dentry *d);
int cache_rename(struct mnt_idmap *idmap, struct inode *olddir, struct dentry *old,
		 struct inode *newdir, struct dentry *new, unsigned int flags);
int cache_atomic_open(struct inode *dir, struct dentry *d, struct file *file,
		      unsigned int flags, umode_t mode);
int cache_tmpfile(struct mnt_idmap *idmap, struct inode *dir, struct file *file,
		  umode_t mode);

/* acl.c */
int acl_may(const struct posix_acl *acl, const struct kstat *st, int mask);
/* Fetch it, unless it is known.  0 or -errno. */
int acl_fetch(struct inode *inode);
/* An inode operation. */
struct posix_acl *cache_get_inode_acl(struct inode *inode, int type, bool rcu);

/* permission.c */
int cache_permission(struct mnt_idmap *idmap, struct inode *inode, int mask);

/* spare.c */
void spare_init(struct cache_mount *m);
void spare_exit(struct cache_mount *m);
/* @file, whose reference goes along, is @node's: whoever opens it may keep it. */
void spare_offer(struct cache_mount *m, u64 node, struct file *file);
struct file *spare_take_offer(struct cache_mount *m, u64 node);
/* Give back offers for @ci that nobody is there to take. */
void spare_trim(struct cache_mount *m, struct cache_inode *ci);
/* Keep @file, whose reference goes along. */
void spare_add(struct cache_mount *m, struct cache_inode *ci, struct file *file);
/* The file that is kept, with a reference, or NULL. */
struct file *spare_get(struct cache_mount *m, struct cache_inode *ci);
void spare_drop(struct cache_mount *m, struct cache_inode *ci);
void spare_shed(struct cache_mount *m);

/* open.c */
int open_init(void);
void open_exit(void);
void open_wrap(struct inode *inode);
void open_created(struct file *file);

/* real.c */
/* FUSE has opened it, or (not @is_open) could not. */
void real_opened(struct cache_mount *m, struct cache_inode *ci, bool is_open);
void real_closed(struct cache_inode *ci);
/* The one behind @file, with a reference; NULL: it is not known. */
struct file *real_get(const struct file *file);
/* What @fl and @cmd (F_GETLK, too) say of it.  FILE_LOCK_DEFERRED: it waits. */
int real_lock(struct file *real, int cmd, struct file_lock *fl);
/* @owner closes @file: none of his locks stays. */
void real_flush(struct file *file, fl_owner_t owner);

/* lock.c: file operations */
int lock_file(struct file *file, int cmd, struct file_lock *fl);
int lock_flock(struct file *file, int cmd, struct file_lock *fl);

/* doubt.c */
int doubt_init(void);
void doubt_exit(void);

/* removed.c */
/* It has no name any more: none here either, so it goes unless somebody has it. */
void removed_inode(struct inode *inode);
int removed_init(void);
void removed_exit(void);

/* watched.c */
void watched_init(struct cache_mount *m);
void watched_exit(struct cache_mount *m);
/* What is watched of @inode, of CCFS_EVENT_ALL; 0: nothing. */
u32 watched_mask(const struct inode *inode);
/* The next inode from @inode on, whose reference goes (NULL: the first), that is watched. */
struct inode *watched_next(struct super_block *sb, struct inode *inode);
/* Something has arrived for @inode, which nobody watches: the owner need not tell. */
void watched_gone(struct inode *inode);
/* -ENOMEM. Without ftrace nothing is told, which is logged. */
int watching_begin(void);
void watching_end(void);

/* overflow.c */
/* Who watches something of @sb, which stays, has missed some of it. */
void overflow_raise(struct super_block *sb);
int overflow_init(void);
void overflow_exit(void);

/* statfs.c */
int cache_statfs(struct dentry *d, struct kstatfs *st);

/* space.c: an allocation that FUSE does not hand on */
bool space_is_ours(const struct file *file, int mode);
long space_allocate(struct file *file, int mode, loff_t pos, loff_t len);

/* flags.c: inode operations */
int cache_fileattr_get(struct dentry *d, struct fileattr *fa);
int cache_fileattr_set(struct mnt_idmap *idmap, struct dentry *d, struct fileattr *fa);

/* sync.c */
int cache_sync_fs(struct super_block *sb, int wait);

/* list.c */
void list_wrap(struct inode *inode);

/* xattr.c */
int cache_xattr_get(const struct xattr_handler *handler, struct dentry *d,
		    struct inode *inode, const char *name, void *value, size_t size);
ssize_t cache_listxattr(struct dentry *d, char *list, size_t size);
struct posix_acl *cache_get_acl(struct mnt_idmap *idmap, struct dentry *d, int type);

/* stat.c */
enum cache_count {
	CACHE_NAME_HIT, CACHE_NAME_ASK, CACHE_ATTR_HIT, CACHE_ATTR_ASK,
	CACHE_MAY_HIT, CACHE_MAY_ASK, CACHE_OPEN_HIT, CACHE_OPEN_ASK,
	CACHE_LIST_READ, CACHE_XATTR_HIT, CACHE_XATTR_ASK, CACHE_DIRECT,
	CACHE_WATCH, CACHE_EVENT,
	CACHE_COUNTS,
};

struct cache_stat {
	u64 n[CACHE_COUNTS];
};

/* Of all mounts that there have been; each has its own as well. */
DECLARE_PER_CPU(struct cache_stat, cache_stat);

static inline void cache_count(const struct cache_mount *m, enum cache_count what)
{
	this_cpu_inc(cache_stat.n[what]);
	this_cpu_inc(m->stat->n[what]);
}

/* A super block operation: /proc/self/mountstats. */
int cache_show_stats(struct seq_file *seq, struct dentry *root);

#endif
