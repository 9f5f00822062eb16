// SPDX-License-Identifier: GPL-2.0-only
/*
 * watch.c - an owner listens to its own kernel, and counts words up
 *
 * By a group of fsnotify with a mark on the super block of each file system that
 * is served from, and by probe.h for what fsnotify would report at a price.  Both
 * call in the task that changes something, after the change and before the system
 * call returns, whoever it is: a proxy, a process of this image, nfsd.  What is
 * reported, and which words go up:
 *
 *	create, link, delete, rename		the name's; the directory's
 *	link, delete, rename, renamed over	the file's (links, ctime)
 *	xattrs, ACLs				the file's
 *	chmod, chown, utimes, truncate		the file's	(probe.h)
 *	open for writing			the file's	(probe.h)
 *
 * What is not: what is done to a file that is open for writing, by stores through
 * a mapping or by write().  It need not be: whoever is told of such a file is told
 * not to remember it (watch_look), and what was remembered before the open, the
 * open itself ends.  So a remembered answer is about a file that nobody can have
 * written to since.
 *
 * Nothing here waits, and nothing is allocated (but for what report.c has to tell of a
 * directory that is watched and has been removed): the caller holds locks of the file system.
 *
 * Locks: open_lock for the list; readers use RCU.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/posix_acl.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xattr.h>
#include "box/ctl.h"
#include "words/probe.h"
#include "words/report.h"
#include "words/watch.h"
#include "words/words.h"

#define NAME_EVENTS	(FS_CREATE | FS_DELETE | FS_MOVED_FROM | FS_MOVED_TO)
#define WATCH_EVENTS	(NAME_EVENTS | FS_ATTRIB)

struct watch {
	struct list_head node;		/* in watches */
	struct fsnotify_mark mark;
	struct super_block *sb;		/* to compare with; NULL: it has gone */
	struct words words;
	u32 users;			/* open_lock */
};

bool watch_counting = true;
module_param_named(count, watch_counting, bool, 0644);
MODULE_PARM_DESC(count, "count changes; off, clients see old names: for tests");

static uint few_bits;
module_param_named(word_bits, few_bits, uint, 0644);
MODULE_PARM_DESC(word_bits, "bits of a hash that count, for file systems watched from now on; 0: all");

static struct fsnotify_group *group;
static DECLARE_COMPLETION(group_gone);
static LIST_HEAD(watches);
/* Who opens and closes watches; nobody who makes a change waits for it. */
static DEFINE_MUTEX(open_lock);
static bool probing;			/* open_lock */
static DEFINE_PER_CPU(u64, changes);	/* counted */

static void count(u64 *word)
{
	words_count(word);
	this_cpu_inc(changes);
}

/*
 * Does an event say anything new of the file that it is about?  One that is made is new
 * itself, a link and what is unlinked have had an FS_ATTRIB, a directory has not.
 */
static bool is_news(u32 mask)
{
	return !(mask & (FS_CREATE | FS_DELETE)) ||
	       (mask & (FS_DELETE | FS_ISDIR)) == (FS_DELETE | FS_ISDIR);
}

static void count_event(const struct watch *w, u32 mask, const struct inode *inode,
			const struct inode *dir, const struct qstr *name)
{
	if (!READ_ONCE(watch_counting))
		return;
	if ((mask & NAME_EVENTS) && dir && name) {
		count(&w->words.names[words_name(&w->words, dir->i_ino, name->name,
						 name->len)]);
		count(words_attr(&w->words, dir->i_ino));
	}
	if (inode && is_news(mask))
		count(words_attr(&w->words, inode->i_ino));
}

static int watch_event(struct fsnotify_group *g, u32 mask, const void *data,
		       int type, struct inode *dir, const struct qstr *name,
		       u32 cookie, struct fsnotify_iter_info *iter)
{
	struct fsnotify_mark *mark = fsnotify_iter_mark(iter, FSNOTIFY_ITER_TYPE_SB);
	struct inode *inode = fsnotify_data_inode(data, type);

	if (!mark)
		return 0;
	count_event(container_of(mark, struct watch, mark), mask, inode, dir, name);
	if (inode && (mask & (FS_DELETE | FS_ISDIR)) == (FS_DELETE | FS_ISDIR))
		report_removed(inode);
	return 0;
}

/* The mark goes, maybe with its file system: nobody finds the watch any more. */
static void watch_freeing(struct fsnotify_mark *mark, struct fsnotify_group *g)
{
	struct watch *w = container_of(mark, struct watch, mark);

	WRITE_ONCE(w->sb, NULL);
}

static void watch_free(struct fsnotify_mark *mark)
{
	kfree(container_of(mark, struct watch, mark));
}

/* Nobody is in our handler any more, nor waits for a permission with our mark. */
static void watch_group_free(struct fsnotify_group *g)
{
	complete(&group_gone);
}

static const struct fsnotify_ops watch_ops = {
	.handle_event	= watch_event,
	.free_group_priv = watch_group_free,
	.freeing_mark	= watch_freeing,
	.free_mark	= watch_free,
};

/*
 * Where every change of a name is made by this kernel, through the VFS, with an
 * event.  Not so on a network's, a stacked or a made-up file system.
 */
static bool can_watch(const struct super_block *sb)
{
	switch (sb->s_magic) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
		return true;
	}
	return false;
}

static struct watch *watch_make(struct super_block *sb)
{
	struct watch *w = kzalloc(sizeof(*w), GFP_KERNEL);
	u32 bits = READ_ONCE(few_bits);
	int err;

	if (!w)
		return ERR_PTR(-ENOMEM);
	err = words_of(ctl_self, &w->words);
	if (err) {
		kfree(w);
		return ERR_PTR(err);
	}
	if (bits && bits < w->words.bits)
		w->words.bits = bits;
	w->words.salt = get_random_u64();
	w->sb = sb;
	w->users = 1;
	fsnotify_init_mark(&w->mark, group);
	w->mark.mask = WATCH_EVENTS;
	return w;
}

/* With open_lock or under RCU. */
static struct watch *watch_find(const struct super_block *sb)
{
	struct watch *w;

	list_for_each_entry_rcu(w, &watches, node, lockdep_is_held(&open_lock))
		if (READ_ONCE(w->sb) == sb)
			return w;
	return NULL;
}

void watch_count(u32 mask, const struct inode *inode, const struct inode *dir,
		 const struct qstr *name)
{
	const struct inode *any = inode ?: dir;
	const struct watch *w;

	if (!any || !(mask & WATCH_EVENTS))
		return;
	rcu_read_lock();
	w = watch_find(any->i_sb);
	if (w)
		count_event(w, mask, inode, dir, name);
	rcu_read_unlock();
}

static void watch_changed(const struct inode *inode)
{
	struct watch *w;

	rcu_read_lock();
	w = watch_find(inode->i_sb);
	if (w && READ_ONCE(watch_counting))
		count(words_attr(&w->words, inode->i_ino));
	rcu_read_unlock();
}

/* With open_lock.  From the first watch on, for good. */
static int watch_probe(void)
{
	int err;

	if (probing)
		return 0;
	err = probe_begin(watch_changed);
	if (err)
		pr_warn("clients will not remember names: ftrace: %d\n", err);
	probing = !err;
	return err ? -EOPNOTSUPP : 0;
}

/* With open_lock. */
static struct watch *watch_get(struct super_block *sb)
{
	struct watch *w = watch_find(sb);
	int err;

	if (w) {
		w->users++;
		return w;
	}
	err = watch_probe();
	if (err)
		return ERR_PTR(err);
	w = watch_make(sb);
	if (IS_ERR(w))
		return w;
	err = fsnotify_add_mark(&w->mark, sb, FSNOTIFY_OBJ_TYPE_SB, 0);
	if (err) {
		fsnotify_put_mark(&w->mark);
		return ERR_PTR(err);
	}
	list_add_rcu(&w->node, &watches);
	return w;
}

struct watch *watch_open(struct sharedpc_watch *want)
{
	struct file *file = fget_raw(want->fd);
	struct super_block *sb;
	struct watch *w;

	if (!file)
		return ERR_PTR(-EBADF);
	sb = file_inode(file)->i_sb;
	mutex_lock(&open_lock);
	w = can_watch(sb) ? watch_get(sb) : ERR_PTR(-EOPNOTSUPP);
	mutex_unlock(&open_lock);
	fput(file);
	if (IS_ERR(w))
		return w;
	want->bits = w->words.bits;
	want->salt = w->words.salt;
	return w;
}

void watch_close(struct watch *w)
{
	mutex_lock(&open_lock);
	if (!--w->users) {
		list_del_rcu(&w->node);
		synchronize_rcu();
		fsnotify_destroy_mark(&w->mark, group);
		fsnotify_put_mark(&w->mark);
	}
	mutex_unlock(&open_lock);
}

/* Names are more than bytes where case is folded: an empty directory can be set so. */
static bool names_are_bytes(const struct inode *dir)
{
	return !IS_ENCRYPTED(dir) && !sb_has_encoding(dir->i_sb);
}

static u64 name_word(const struct inode *dir, const char *name, u32 len)
{
	struct watch *w;
	u64 gen = 0;

	rcu_read_lock();
	w = watch_find(dir->i_sb);
	if (w && names_are_bytes(dir))
		gen = words_read(&w->words.names[words_name(&w->words, dir->i_ino,
							    name, len)]);
	rcu_read_unlock();
	return gen;
}

int watch_name(struct sharedpc_name *want)
{
	char name[NAME_MAX];
	struct file *dir;

	if (!want->len || want->len > NAME_MAX)
		return -EINVAL;
	if (copy_from_user(name, u64_to_user_ptr(want->name), want->len))
		return -EFAULT;
	dir = fget_raw(want->dir);
	if (!dir)
		return -EBADF;
	want->gen = name_word(file_inode(dir), name, want->len);
	fput(dir);
	return 0;
}

static u64 look_word(const struct inode *inode)
{
	struct watch *w;
	u64 gen = 0;

	rcu_read_lock();
	w = watch_find(inode->i_sb);
	if (w && !IS_ENCRYPTED(inode))
		gen = words_read(words_attr(&w->words, inode->i_ino));
	rcu_read_unlock();
	/*
	 * An open for writing counts itself before it counts the word up; not so one of
	 * a pipe or a device, which have times as well.
	 */
	if (special_file(inode->i_mode) && !S_ISSOCK(inode->i_mode))
		return 0;
	return inode_is_open_for_write(inode) ? 0 : gen;
}

static bool has_acl(struct inode *inode)
{
	struct posix_acl *acl;

	if (!IS_POSIXACL(inode) || S_ISLNK(inode->i_mode))
		return false;
	acl = get_inode_acl(inode, ACL_TYPE_ACCESS);
	if (IS_ERR(acl))
		return true;	/* who knows: let the owner be asked */
	posix_acl_release(acl);
	return acl;
}

static u32 look_flags(struct dentry *dentry, struct inode *inode)
{
	u32 flags = 0;

	if (vfs_listxattr(dentry, NULL, 0)) {
		flags |= SHAREDPC_LOOK_XATTR;
		if (has_acl(inode))
			flags |= SHAREDPC_LOOK_ACL;
	}
	if (S_ISDIR(inode->i_mode) && !names_are_bytes(inode))
		flags |= SHAREDPC_LOOK_NONAMES;
	return flags;
}

int watch_look(struct sharedpc_look *want, const struct cred *cred)
{
	struct file *file = fget_raw(want->fd);
	const struct cred *old;

	if (!file)
		return -EBADF;
	want->gen = look_word(file_inode(file));
	old = override_creds(cred);
	want->flags = look_flags(file_dentry(file), file_inode(file));
	revert_creds(old);
	fput(file);
	return 0;
}

u64 watch_changes(void)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(&changes, cpu));
	return sum;
}

int watch_init(void)
{
	group = fsnotify_alloc_group(&watch_ops, 0);
	return PTR_ERR_OR_ZERO(group);
}

/* All watches have been closed: each has an open device, which holds the module. */
void watch_exit(void)
{
	if (probing)
		probe_end();
	report_exit();
	fsnotify_put_group(group);
	wait_for_completion(&group_gone);
	synchronize_rcu_tasks();	/* nor at watch_group_free's very end */
}
