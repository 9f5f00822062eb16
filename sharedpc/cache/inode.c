// SPDX-License-Identifier: GPL-2.0-only
/*
 * inode.c - what is known of a file: attributes, a link's text
 *
 * Known is what the owner said, with what the file's word was before it looked.
 * It is true while the word is that.  A newer answer replaces an older one,
 * whichever arrives first; FUSE's own fields do not (an answer that crossed
 * with another is dropped there), so what is known is kept beside them, and those
 * that the VFS looks at by itself are set from it (show.c).
 *
 * FUSE makes an inode with its own tables; whoever gets to know one first gives
 * it ours: each dentry passes cache_lookup or cache_revalidate before anybody
 * uses what it names, or is found by a file handle (export.c).
 */
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/posix_acl.h>
#include <linux/slab.h>
#include "cache/cache.h"

/* FUSE's table for one kind of inode, and ours. */
struct kind {
	const struct inode_operations *fuse;
	struct inode_operations ours;
};

static DEFINE_MUTEX(kinds_lock);
static struct kind dirs, files, links;

static struct kind *kind_of(const struct inode *inode)
{
	if (S_ISDIR(inode->i_mode))
		return &dirs;
	return S_ISLNK(inode->i_mode) ? &links : &files;
}

const struct inode_operations *cache_fuse_iops(const struct inode *inode)
{
	return kind_of(inode)->fuse;
}

static void dirs_fill(struct inode_operations *op)
{
	op->lookup = cache_lookup;
	op->create = cache_create;
	op->mknod = cache_mknod;
	op->mkdir = cache_mkdir;
	op->symlink = cache_symlink;
	op->link = cache_link;
	op->unlink = cache_unlink;
	op->rmdir = cache_rmdir;
	op->rename = cache_rename;
	op->atomic_open = cache_atomic_open;
	op->tmpfile = cache_tmpfile;
}

/* With kinds_lock: our table is FUSE's but for what is ours. */
static void kind_fill(struct kind *k, const struct inode_operations *fuse)
{
	k->ours = *fuse;
	if (k == &dirs)
		dirs_fill(&k->ours);
	k->ours.getattr = cache_getattr;
	k->ours.setattr = cache_setattr;
	k->ours.listxattr = cache_listxattr;
	if (k != &links) {
		k->ours.fileattr_get = cache_fileattr_get;
		k->ours.fileattr_set = cache_fileattr_set;
		k->ours.permission = cache_permission;
		k->ours.get_acl = cache_get_acl;
		k->ours.get_inode_acl = cache_get_inode_acl;
	}
	k->fuse = fuse;
}

/* All inodes of a kind have one table; one that has another is left alone. */
static bool kind_takes(struct kind *k, const struct inode_operations *fuse)
{
	if (READ_ONCE(k->fuse) == fuse)
		return true;
	mutex_lock(&kinds_lock);
	if (!k->fuse)
		kind_fill(k, fuse);
	mutex_unlock(&kinds_lock);
	return k->fuse == fuse;
}

/* FUSE's node id, from the file handle that it makes. */
static u64 node_of(const struct cache_mount *m, struct inode *inode)
{
	u32 fh[3];
	int len = ARRAY_SIZE(fh);

	if (m->fuse_export_op->encode_fh(inode, fh, &len, NULL) < 0 ||
	    len != ARRAY_SIZE(fh))
		return 0;
	return (u64)fh[0] << 32 | fh[1];
}

static struct cache_inode *inode_make(struct inode *inode)
{
	struct cache_mount *m = cache_mount_of(inode->i_sb);
	struct cache_inode *ci = kzalloc(sizeof(*ci), GFP_KERNEL_ACCOUNT);

	if (!ci)
		return NULL;
	ci->node = node_of(m, inode);
	ci->ino = ci->node == 1 ? m->root_ino : inode->i_ino;
	ci->word = m->forget ? NULL : words_attr(&m->words, ci->ino);
	spin_lock_init(&ci->lock);
	INIT_LIST_HEAD(&ci->spare_node);
	return ci;
}

/* Give @inode our tables, unless it has them.  0 or -ENOMEM. */
int cache_adopt(struct inode *inode)
{
	const struct inode_operations *op = READ_ONCE(inode->i_op);
	struct kind *k = kind_of(inode);
	struct cache_inode *ci;

	if (op == &k->ours || !kind_takes(k, op))
		return 0;
	ci = inode_make(inode);
	if (!ci)
		return -ENOMEM;
	/* Two may come here: both go on, for neither may use it half done. */
	if (cmpxchg(&inode->i_private, NULL, ci))
		kfree(ci);
	open_wrap(inode);
	list_wrap(inode);
	/* Our operations find i_private: it comes first. */
	smp_store_release(&inode->i_op, &k->ours);
	return 0;
}

static void known_free(struct rcu_head *rcu)
{
	struct known *k = container_of(rcu, struct known, rcu);

	posix_acl_release(k->acl);
	kfree(k);
}

static void inode_free(struct rcu_head *rcu)
{
	struct cache_inode *ci = container_of(rcu, struct cache_inode, rcu);
	struct known *k = rcu_dereference_protected(ci->known, true);

	if (k)
		known_free(&k->rcu);
	kfree(ci->text);
	kfree(ci->handle);
	kfree(ci);
}

/* FUSE has evicted @inode.  Somebody in RCU walk may still look. */
void cache_evict(struct inode *inode)
{
	struct cache_inode *ci = cache_inode(inode);

	if (!ci)
		return;
	spare_drop(cache_mount_of(inode->i_sb), ci);
	WRITE_ONCE(inode->i_private, NULL);
	call_rcu(&ci->rcu, inode_free);
}

struct known *cache_known(const struct inode *inode)
{
	struct cache_inode *ci = cache_inode(inode);
	struct known *k;

	if (!ci || !ci->word || cache_useless(cache_mount_of(inode->i_sb)))
		return NULL;
	k = rcu_dereference(ci->known);
	return k && words_read(ci->word) == k->gen ? k : NULL;
}

static struct timespec64 tale_time(s64 sec, u32 nsec)
{
	return (struct timespec64){ .tv_sec = sec, .tv_nsec = min(nsec, NSEC_PER_SEC - 1) };
}

/* As FUSE fills it (fuse_fillattr), so that both ways look the same. */
static void known_fill(struct known *k, const struct inode *inode,
		       const struct sharedpc_tale *tale)
{
	k->gen = tale->gen;
	k->flags = tale->flags;
	k->acl = NULL;
	k->stat = (struct kstat){
		.dev = inode->i_sb->s_dev,
		.ino = tale->ino,
		.mode = (inode->i_mode & S_IFMT) | (tale->mode & 07777),
		.nlink = tale->nlink,
		.uid = make_kuid(&init_user_ns, tale->uid),
		.gid = make_kgid(&init_user_ns, tale->gid),
		.rdev = inode->i_rdev,
		.atime = tale_time(tale->atime, tale->atime_ns),
		.mtime = tale_time(tale->mtime, tale->mtime_ns),
		.ctime = tale_time(tale->ctime, tale->ctime_ns),
		.size = tale->size,
		.blocks = tale->blocks,
		.blksize = tale->blksize ? 1 << ilog2(tale->blksize) :
			   i_blocksize(inode),
		.btime = tale_time(tale->btime, tale->btime_ns),
		.attributes = tale->attributes,
		.attributes_mask = tale->attributes_mask,
	};
}

/* @k becomes what is known, unless something newer is. */
static void known_set(struct inode *inode, struct cache_inode *ci, struct known *k)
{
	struct known *old;

	spin_lock(&ci->lock);
	old = rcu_dereference_protected(ci->known, lockdep_is_held(&ci->lock));
	if (old && (s64)(k->gen - old->gen) < 0)
		swap(old, k);
	else
		rcu_assign_pointer(ci->known, k);
	spin_unlock(&ci->lock);
	if (old)
		call_rcu(&old->rcu, known_free);
}

/* It is open for writing: nothing of it is known. */
static void known_drop(struct cache_inode *ci)
{
	struct known *old;

	spin_lock(&ci->lock);
	old = rcu_replace_pointer(ci->known, NULL, lockdep_is_held(&ci->lock));
	spin_unlock(&ci->lock);
	if (old)
		call_rcu(&old->rcu, known_free);
}

void cache_learn_acl(struct inode *inode, u64 gen, struct posix_acl *acl)
{
	struct cache_inode *ci = cache_inode(inode);
	struct known *k;

	spin_lock(&ci->lock);
	k = rcu_dereference_protected(ci->known, lockdep_is_held(&ci->lock));
	if (k && k->gen == gen && !k->acl) {
		/* Complete before it shows: acl_may reads it under RCU. */
		smp_store_release(&k->acl, acl);
		acl = NULL;
	}
	spin_unlock(&ci->lock);
	posix_acl_release(acl);
}

/* The text of a symbolic link never changes. */
static void text_set(struct inode *inode, struct cache_inode *ci,
		     const struct sharedpc_tale *tale)
{
	char *text;

	if (!S_ISLNK(inode->i_mode) || READ_ONCE(ci->text))
		return;
	text = kmemdup_nul((const char *)(tale + 1), tale->text_len, GFP_KERNEL_ACCOUNT);
	if (!text)
		return;
	if (cmpxchg(&ci->text, NULL, text))
		kfree(text);
	else
		smp_store_release(&inode->i_link, text);	/* complete, for RCU walk */
}

/* Take @tale of @inode in. */
static void tale_take(struct inode *inode, struct cache_inode *ci,
		      const struct sharedpc_tale *tale)
{
	struct known *k;

	if ((inode->i_mode ^ tale->mode) & S_IFMT)
		return;
	if (tale->text_len)
		text_set(inode, ci, tale);
	if (!ci->word)
		return;
	if (!tale->gen) {
		known_drop(ci);
		return;
	}
	WRITE_ONCE(ci->names, S_ISDIR(inode->i_mode) &&
		   !(tale->flags & SHAREDPC_LOOK_NONAMES));
	k = kmalloc(sizeof(*k), GFP_KERNEL_ACCOUNT);
	if (!k)
		return;
	known_fill(k, inode, tale);
	known_set(inode, ci, k);
}

void cache_said(struct inode *inode, const struct sharedpc_tale *tale, u64 turn,
		struct known *said)
{
	known_fill(said, inode, tale);
	tale_take(inode, cache_inode(inode), tale);
	show_inode(inode, &said->stat, turn);
}

void cache_learn(struct inode *inode, u64 turn)
{
	struct cache_inode *ci = cache_inode(inode);
	struct sharedpc_tale *tale;
	struct known said;

	if (!ci)
		return;
	while ((tale = told_take(&cache_mount_of(inode->i_sb)->told, ci->node))) {
		if (!((tale->mode ^ inode->i_mode) & S_IFMT))
			cache_said(inode, tale, turn, &said);
		kfree(tale);
	}
	/* What FUSE has set may be older. */
	show_inode(inode, NULL, 0);
}

/* Copy what is known and true. */
static bool known_copy(const struct inode *inode, struct known *out)
{
	const struct known *k;

	rcu_read_lock();
	k = cache_known(inode);
	if (k) {
		*out = *k;
		out->acl = NULL;	/* not ours to hold */
	}
	rcu_read_unlock();
	return k;
}

/* Has the word of @inode not changed since @tale, as far as it is one to be remembered? */
static bool still_good(const struct inode *inode, const struct sharedpc_tale *tale)
{
	const struct cache_inode *ci = cache_inode(inode);

	return !ci->word || !tale->gen || words_read(ci->word) == tale->gen;
}

static int look_direct(struct inode *inode, struct known *out)
{
	u64 turn = show_turn(inode);
	struct sharedpc_tale tale;
	int err;

	if (!show_may_ask(inode))
		return DIRECT_NOT;
	if (heard_of(inode, &tale) && still_good(inode, &tale)) {
		known_fill(out, inode, &tale);
		return 0;
	}
	err = direct_getattr(inode, &tale);
	if (err)
		return err;
	forget_all_cached_acls(inode);	/* as FUSE does */
	cache_said(inode, &tale, turn, out);
	return 0;
}

/* Ask by FUSE: @out is what it said, @flags of it the worst if that is not told. */
static int look_fuse(struct inode *inode, struct known *out)
{
	struct cache_inode *ci = cache_inode(inode);
	struct path path = { .dentry = d_find_any_alias(inode) };
	u64 turn = show_turn(inode);
	struct sharedpc_tale *tale;
	struct known said;
	int err;

	if (!path.dentry)
		return -ESTALE;
	err = cache_fuse_iops(inode)->getattr(&nop_mnt_idmap, &path, &out->stat,
					      STATX_BASIC_STATS, AT_STATX_FORCE_SYNC);
	dput(path.dentry);
	if (err)
		return err;
	out->gen = 0;
	out->acl = NULL;
	out->flags = SHAREDPC_LOOK_XATTR | SHAREDPC_LOOK_ACL;
	tale = told_take(&cache_mount_of(inode->i_sb)->told, ci->node);
	if (!tale)
		return 0;
	out->flags = tale->flags;
	cache_said(inode, tale, turn, &said);
	kfree(tale);
	return 0;
}

int cache_look(struct inode *inode, struct known *known)
{
	int err;

	if (known_copy(inode, known))
		return 0;
	cache_learn(inode, 0);
	if (known_copy(inode, known))
		return 0;
	err = look_direct(inode, known);
	return err == DIRECT_NOT ? look_fuse(inode, known) : err;
}

static void stat_fill(struct kstat *stat, const struct kstat *from, u32 want)
{
	stat->dev = from->dev;
	stat->ino = from->ino;
	stat->mode = from->mode;
	stat->nlink = from->nlink;
	stat->uid = from->uid;
	stat->gid = from->gid;
	stat->rdev = from->rdev;
	stat->atime = from->atime;
	stat->mtime = from->mtime;
	stat->ctime = from->ctime;
	stat->size = from->size;
	stat->blocks = from->blocks;
	stat->blksize = from->blksize;
	show_fill_more(stat, &(struct said_more){
			.btime = from->btime, .attributes = from->attributes,
			.attributes_mask = from->attributes_mask,
		}, want);
}

static bool stat_known(const struct inode *inode, struct kstat *stat, u32 want)
{
	const struct known *k;

	rcu_read_lock();
	k = cache_known(inode);
	if (k)
		stat_fill(stat, &k->stat, want);
	rcu_read_unlock();
	return k;
}

/* Known, or told and not taken yet. */
static bool stat_now(struct inode *inode, struct kstat *stat, u32 want)
{
	if (stat_known(inode, stat, want))
		return true;
	cache_learn(inode, 0);
	return stat_known(inode, stat, want);
}

int cache_getattr(struct mnt_idmap *idmap, const struct path *path,
		  struct kstat *stat, u32 want, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	unsigned int sync = flags & AT_STATX_SYNC_TYPE;
	struct known said;
	u64 turn;
	int err;

	if (sync != AT_STATX_FORCE_SYNC && stat_now(inode, stat, want)) {
		cache_count(cache_mount_of(inode->i_sb), CACHE_ATTR_HIT);
		return 0;
	}
	if (sync == AT_STATX_DONT_SYNC) {
		err = cache_fuse_iops(inode)->getattr(idmap, path, stat, want, flags);
		if (!err)
			show_more(inode, stat, want);
		return err;
	}
	cache_count(cache_mount_of(inode->i_sb), CACHE_ATTR_ASK);
	err = look_direct(inode, &said);
	if (!err)
		stat_fill(stat, &said.stat, want);
	if (err != DIRECT_NOT)
		return err;
	turn = show_turn(inode);
	err = cache_fuse_iops(inode)->getattr(idmap, path, stat, want | STATX_BASIC_STATS,
					      flags | AT_STATX_FORCE_SYNC);
	cache_learn(inode, turn);
	if (!err)
		show_more(inode, stat, want);
	return err;
}

static int is_node(struct inode *inode, void *node)
{
	const struct cache_inode *ci = cache_inode(inode);

	return ci && ci->node == *(u64 *)node;
}

struct inode *cache_find_inode(struct super_block *sb, u64 node)
{
	return node ? ilookup5(sb, node, is_node, &node) : NULL;
}

int cache_setattr(struct mnt_idmap *idmap, struct dentry *d, struct iattr *attr)
{
	struct inode *inode = d_inode(d);
	int err;

	show_change_begin(inode);
	err = cache_fuse_iops(inode)->setattr(idmap, d, attr);
	show_change_end(inode);
	cache_learn(inode, show_turn(inode));
	return err;
}
