// SPDX-License-Identifier: GPL-2.0-only
/*
 * mount.c - attach and detach, the tables of a super block
 *
 * A mount is attached between mount(2) and FUSE's INIT: FUSE has one inode, the
 * root, whose dentry nobody revalidates.  From then on every dentry gets our
 * operations when it is made, and every inode when it is found.
 *
 * A cache_mount lives as long as its super block, since the tables are in it,
 * and as long as ccfs has it attached; whoever walks in RCU may see it a little
 * longer.  The module is held by the super block.
 */
#include <linux/eventfd.h>
#include <linux/exportfs.h>
#include <linux/file.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "box/ctl.h"
#include "cache/cache.h"
#include "client/file.h"
#include "link/peer.h"

static DEFINE_MUTEX(attach_lock);
/* For the listening thread, which may wait for nobody: a spin lock. */
static DEFINE_SPINLOCK(mounts_lock);
static LIST_HEAD(mounts);

static void mount_free(struct rcu_head *rcu)
{
	struct cache_mount *m = container_of(rcu, struct cache_mount, rcu);

	told_clear(&m->told);
	if (m->session)
		session_put(m->session);
	if (m->bell)	/* HEAR came after the end */
		eventfd_ctx_put(m->bell);
	free_percpu(m->stat);
	kfree(m);
}

static void mount_release(struct kref *ref)
{
	call_rcu(&container_of(ref, struct cache_mount, ref)->rcu, mount_free);
}

void cache_put(struct cache_mount *m)
{
	kref_put(&m->ref, mount_release);
}

static void mount_list(struct cache_mount *m)
{
	spin_lock(&mounts_lock);
	list_add(&m->node, &mounts);
	spin_unlock(&mounts_lock);
}

static void mount_unlist(struct cache_mount *m)
{
	spin_lock(&mounts_lock);
	list_del(&m->node);
	m->sb = NULL;
	spin_unlock(&mounts_lock);
}

struct super_block *cache_hold(struct cache_mount *m)
{
	struct super_block *sb;

	spin_lock(&mounts_lock);
	sb = m->sb;
	if (sb && !atomic_inc_not_zero(&sb->s_active))
		sb = NULL;
	spin_unlock(&mounts_lock);
	return sb;
}

struct cache_mount *cache_find_mount(u32 owner, u32 server, u64 ask)
{
	struct cache_mount *m, *found = NULL;

	spin_lock(&mounts_lock);
	list_for_each_entry(m, &mounts, node) {
		if (!m->session || m->owner != owner || m->session->server != server ||
		    m->ask != ask || READ_ONCE(m->dead))
			continue;
		kref_get(&m->ref);	/* the list has one: put_super, or the device */
		found = m;
		break;
	}
	spin_unlock(&mounts_lock);
	return found;
}

static void cache_evict_inode(struct inode *inode)
{
	cache_mount_of(inode->i_sb)->fuse_s_op->evict_inode(inode);
	cache_evict(inode);
}

/* The super block goes: no inode is left.  FUSE has no put_super of its own. */
static void cache_put_super(struct super_block *sb)
{
	struct cache_mount *m = cache_mount_of(sb);

	mount_unlist(m);
	watched_exit(m);
	WRITE_ONCE(m->dead, true);
	spare_exit(m);
	cache_put(m);
	module_put(THIS_MODULE);
}

/* For mount(8): which kind of mount this is. */
static int cache_show_options(struct seq_file *seq, struct dentry *root)
{
	struct cache_mount *m = cache_mount_of(root->d_sb);
	int err = m->fuse_s_op->show_options ? m->fuse_s_op->show_options(seq, root) : 0;

	seq_puts(seq, m->forget ? ",names=asked" : ",names=remembered");
	return err;
}

bool cache_is_ours(const struct super_block *sb)
{
	return READ_ONCE(sb->s_op)->put_super == cache_put_super;
}

/* Is this the FUSE that we know? */
static bool fuse_is_known(struct super_block *sb)
{
	struct inode *root = d_inode(sb->s_root);
	const struct inode_operations *op = root->i_op;
	u32 fh[3];
	int len = ARRAY_SIZE(fh);

	if (!sb->s_op->evict_inode || !sb->s_op->statfs || sb->s_op->put_super ||
	    !sb->s_d_op || !sb->s_d_op->d_revalidate || sb->s_d_op->d_init ||
	    !sb->s_xattr || !sb->s_xattr[0] || !sb->s_xattr[0]->prefix ||
	    *sb->s_xattr[0]->prefix || sb->s_xattr[1] || root->i_private ||
	    !root->i_fop->iterate_shared || sb->s_user_ns != &init_user_ns)
		return false;
	if (!op->lookup || !op->create || !op->mknod || !op->mkdir || !op->symlink ||
	    !op->link || !op->unlink || !op->rmdir || !op->rename ||
	    !op->atomic_open || !op->tmpfile || !op->getattr || !op->setattr || !op->listxattr ||
	    !op->permission || !op->get_acl || !op->fileattr_get || !op->fileattr_set)
		return false;
	return sb->s_export_op && sb->s_export_op->encode_fh &&
	       sb->s_export_op->fh_to_dentry && sb->s_export_op->fh_to_parent &&
	       sb->s_export_op->get_parent &&
	       sb->s_export_op->encode_fh(root, fh, &len, NULL) == FILEID_INO64_GEN &&
	       len == ARRAY_SIZE(fh) && !fh[0] && fh[1] == FUSE_ROOT;
}

/* Who looks up from here on finds our tables. */
static void tables_put_in(struct cache_mount *m, struct super_block *sb)
{
	m->fuse_s_op = sb->s_op;
	m->fuse_d_op = sb->s_d_op;
	m->fuse_xattrs = sb->s_xattr;
	m->s_op = *sb->s_op;
	m->s_op.evict_inode = cache_evict_inode;
	m->s_op.put_super = cache_put_super;
	m->s_op.show_options = cache_show_options;
	m->s_op.statfs = cache_statfs;
	m->s_op.sync_fs = cache_sync_fs;
	m->s_op.show_stats = cache_show_stats;
	m->d_op = *sb->s_d_op;
	m->d_op.d_revalidate = cache_revalidate;
	m->d_op.d_init = cache_d_init;
	m->xattr = *sb->s_xattr[0];
	m->xattr.get = cache_xattr_get;
	m->xattrs[0] = &m->xattr;
	export_wrap(m, sb);
	sb->s_op = &m->s_op;
	sb->s_d_op = &m->d_op;
	sb->s_xattr = m->xattrs;
}

/* The server that @want names, while it lives. */
static int mount_session(struct cache_mount *m, const struct sharedpc_attach *want)
{
	struct session *s;

	if (m->owner == ctl_self)
		return 0;
	s = session_get(want->owner, want->epoch, want->server);
	if (IS_ERR(s))
		return PTR_ERR(s);
	m->session = s;
	return 0;
}

/* What @want says of the words that make what is remembered true. */
static int mount_words(struct cache_mount *m, const struct sharedpc_attach *want)
{
	int err;

	if (m->forget)
		return 0;
	err = words_of(want->owner, &m->words);
	if (!err && (!want->bits || want->bits > m->words.bits))
		err = -EINVAL;
	m->words.bits = want->bits;
	m->words.salt = want->salt;
	return err;
}

static struct cache_mount *mount_make(const struct sharedpc_attach *want)
{
	struct cache_mount *m = kzalloc(sizeof(*m), GFP_KERNEL);
	int err = -ENOMEM;

	if (!m)
		return ERR_PTR(err);
	m->owner = want->owner;
	m->root_ino = want->root_ino;
	m->forget = want->flags & SHAREDPC_ATTACH_FORGET;
	m->squash = want->flags & ~SHAREDPC_ATTACH_FORGET;
	m->ask = want->mount;
	m->generation = want->generation;
	m->stat = alloc_percpu(struct cache_stat);
	if (m->stat)
		err = mount_words(m, want);
	if (!err)
		err = mount_session(m, want);
	if (err) {
		free_percpu(m->stat);
		kfree(m);
		return ERR_PTR(err);
	}
	kref_init(&m->ref);
	spin_lock_init(&m->statfs_lock);
	sema_init(&m->space, SPACE_CALLS);
	mutex_init(&m->sync_lock);
	told_init(&m->told);
	spare_init(m);
	watched_init(m);
	return m;
}

/* With attach_lock. */
static int mount_attach(struct cache_mount *m, struct super_block *sb)
{
	int err;

	if (cache_is_ours(sb))
		return -EBUSY;
	if (sb->s_magic != FUSE_SUPER_MAGIC || !fuse_is_known(sb))
		return -EOPNOTSUPP;
	/* The end comes before this look, or cache_session_ended finds us. */
	mount_list(m);
	err = m->session && !session_alive(m->session) ? -ESTALE : 0;
	if (err)
		goto unlist;
	tables_put_in(m, sb);
	err = cache_adopt(d_inode(sb->s_root));
	if (err)
		goto take_out;
	spin_lock(&mounts_lock);
	m->sb = sb;
	spin_unlock(&mounts_lock);
	__module_get(THIS_MODULE);
	kref_get(&m->ref);	/* the super block's, beside the device's */
	return 0;

take_out:
	sb->s_op = m->fuse_s_op;
	sb->s_d_op = m->fuse_d_op;
	sb->s_xattr = m->fuse_xattrs;
	sb->s_export_op = m->fuse_export_op;
unlist:
	mount_unlist(m);
	return err;
}

struct cache_mount *cache_attach(const struct sharedpc_attach *want)
{
	struct cache_mount *m;
	struct file *root;
	int err;

	if (want->owner >= ctl_nr_images || want->flags & ~SHAREDPC_ATTACH_ALL ||
	    want->reserved)
		return ERR_PTR(-EINVAL);
	root = fget_raw(want->root);
	if (!root)
		return ERR_PTR(-EBADF);
	m = mount_make(want);
	if (IS_ERR(m))
		goto put;
	mutex_lock(&attach_lock);
	err = mount_attach(m, file_inode(root)->i_sb);
	mutex_unlock(&attach_lock);
	if (err) {
		if (err == -EOPNOTSUPP)
			pr_notice("this is not the FUSE that names can be remembered of\n");
		spare_exit(m);
		cache_put(m);
		m = ERR_PTR(err);
	}
put:
	fput(root);
	return m;
}

int cache_tell(struct cache_mount *m, const struct sharedpc_tell *tell)
{
	return told_add(m, tell);
}

int cache_backing(struct cache_mount *m, const struct sharedpc_backing *want)
{
	struct file *file = NULL;
	int fd = file_backing(want, want->flags & SHAREDPC_BACKING_KEEP ? &file : NULL);

	if (fd >= 0 && file)
		spare_offer(m, want->node, file);
	return fd;
}

void cache_leave(struct cache_mount *m)
{
	WRITE_ONCE(m->dead, true);
}

void cache_detach(struct cache_mount *m)
{
	struct super_block *sb = cache_hold(m);

	WRITE_ONCE(m->dead, true);
	spare_shed(m);
	if (sb) {
		overflow_raise(sb);
		deactivate_super(sb);
	}
	cache_put(m);
}

void cache_session_ended(const struct session *s)
{
	struct cache_mount *m;

	spin_lock(&mounts_lock);
	list_for_each_entry(m, &mounts, node)
		if (m->session == s)
			WRITE_ONCE(m->dead, true);
	spin_unlock(&mounts_lock);
}

/* The files are put by work of each mount: the caller holds what it holds. */
static void shed(bool all, u32 owner)
{
	struct cache_mount *m;

	spin_lock(&mounts_lock);
	list_for_each_entry(m, &mounts, node) {
		if (!all && m->owner != owner)
			continue;
		WRITE_ONCE(m->shed, true);
		mod_delayed_work(system_wq, &m->tidy, 0);
	}
	spin_unlock(&mounts_lock);
}

void cache_shed(u32 owner)
{
	shed(false, owner);
}

void cache_shed_all(void)
{
	shed(true, 0);
}

int cache_init(void)
{
	int err = present_init();

	if (err)
		return err;
	err = open_init();
	if (err)
		goto exit_present;
	err = doubt_init();
	if (err)
		goto exit_open;
	err = overflow_init();
	if (err)
		goto exit_doubt;
	err = removed_init();
	if (err)
		goto exit_overflow;
	err = watching_begin();
	if (!err)
		return 0;
	removed_exit();
exit_overflow:
	overflow_exit();
exit_doubt:
	doubt_exit();
exit_open:
	open_exit();
exit_present:
	present_exit();
	return err;
}

/* No super block has our tables: each would hold the module. */
void cache_exit(void)
{
	watching_end();
	removed_exit();
	overflow_exit();
	doubt_exit();
	present_exit();
	heard_exit();
	rcu_barrier();
	open_exit();
}
