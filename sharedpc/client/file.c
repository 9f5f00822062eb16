// SPDX-License-Identifier: GPL-2.0-only
/*
 * file.c - a client's backing files
 *
 * Each file of an owner that is open or mapped on this image is one inode of
 * a pseudo file system, found by its session and id.  ccfs asks for it
 * (BACKING) and gives it to FUSE, which from then on sends read, write and
 * mmap here: io.c and fault.c.
 *
 * Life.  The inode lives while ccfs, FUSE's open files or any VMA hold it:
 * longer than the FUSE file, since close() does not end a mapping.  When it
 * goes it gives all its opens back to the proxy with one CLOSE, from a work
 * item, because eviction must not wait for another image.  A session has a few of
 * those at once, so that a server that hangs does not keep others' closes waiting.
 */
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/io.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "client/bounce.h"
#include "client/call.h"
#include "box/ctl.h"
#include "client/file.h"
#include "client/frames.h"
#include "link/peer.h"
#include "link/point.h"
#include "client/pinned.h"
#include "sharedpc_limits.h"

#define FILE_MAGIC	0x73706366	/* "spcf" */
#define ENDS		HZ	/* for word of a server's end that refuses calls already */

struct closing {
	struct llist_node node;
	u64 id;
	u32 opens;
	void *size_page;
};

struct file_stat file_stat;
void (*file_session_ended)(const struct session *s);

static struct kmem_cache *cache;
static struct vfsmount *mnt;
static struct workqueue_struct *closings;
static DECLARE_WAIT_QUEUE_HEAD(noted);	/* for session.late */

static int key_test(struct inode *inode, void *key)
{
	const struct sharedpc_file *f = sharedpc_file(inode), *want = key;

	return f->id == want->id && f->session == want->session;
}

static int key_set(struct inode *inode, void *key)
{
	struct sharedpc_file *f = sharedpc_file(inode), *want = key;

	f->id = want->id;
	f->identity = want->identity;
	f->session = want->session;
	f->size_page = want->size_page;
	f->size = want->size;
	return 0;
}

static unsigned long key_hash(const struct sharedpc_file *key)
{
	return hash_64(key->id + (unsigned long)key->session, 32);
}

static void late_over(struct session *s)
{
	if (atomic_dec_and_test(&s->late))
		wake_up_all(&noted);
}

int file_noted(struct session *s)
{
	long left = wait_event_killable_timeout(noted, !atomic_read(&s->late),
						LIMIT_CALL_S * HZ);

	if (left > 0)
		return 0;
	return left ? -EINTR : -EIO;
}

/* Have frames_late run in @delay jiffies.  Under any lock. */
void file_late(struct sharedpc_file *f, unsigned long delay)
{
	if (test_and_set_bit(0, &f->late_queued))
		return;
	atomic_inc(&f->session->late);
	if (igrab(&f->inode)) {
		queue_delayed_work(closings, &f->late, delay);
	} else {	/* it is being evicted: see frames_drop */
		clear_bit(0, &f->late_queued);
		late_over(f->session);
	}
}

static void late_work(struct work_struct *work)
{
	struct sharedpc_file *f = container_of(to_delayed_work(work),
					       struct sharedpc_file, late);
	int err;

	clear_bit(0, &f->late_queued);
	/* Before looking: what comes later queues again. */
	smp_mb__after_atomic();
	mutex_lock(&f->late_lock);
	err = frames_late(&f->inode);
	mutex_unlock(&f->late_lock);
	if (err)
		file_late(f, HZ);
	late_over(f->session);
	iput(&f->inode);
}

/* Under any lock, a page table's too. */
static bool file_dirty_folio(struct address_space *mapping, struct folio *folio)
{
	if (frames_dirtied(mapping->host, folio->index)) {
		atomic64_inc(&file_stat.late);
		file_late(sharedpc_file(mapping->host), 0);
	}
	return noop_dirty_folio(mapping, folio);
}

static struct inode *file_alloc(struct super_block *sb)
{
	struct sharedpc_file *f = alloc_inode_sb(sb, cache, GFP_KERNEL);

	if (!f)
		return NULL;
	f->closing = kzalloc(sizeof(*f->closing), GFP_KERNEL);
	if (!f->closing) {
		kmem_cache_free(cache, f);
		return NULL;
	}
	xa_init(&f->frames);
	atomic64_set(&f->held, 0);
	atomic_set(&f->opens, 0);
	f->size_page = NULL;
	f->session = NULL;
	mutex_init(&f->late_lock);
	INIT_DELAYED_WORK(&f->late, late_work);
	f->late_queued = 0;
	return &f->inode;
}

static void file_free(struct inode *inode)
{
	kfree(sharedpc_file(inode)->closing);
	kmem_cache_free(cache, sharedpc_file(inode));
}

static void file_close(struct session *s, struct closing *c)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_OP_CLOSE,
		.file = c->id,
		.count = c->opens,
	};

	memunmap(c->size_page);
	/* A server that ends refuses calls before we hear of its end. */
	if (msg.count && call_run(s, &msg, NULL) &&
	    !wait_event_timeout(s->wait, !session_alive(s), ENDS))
		pr_warn("file %llx of image %s could not be closed\n", c->id,
			ctl_name(s->owner));
	kfree(c);
}

static void closer_work(struct work_struct *work)
{
	struct session *s = container_of(work, struct closer, work)->session;
	struct llist_node *all = llist_del_all(&s->closings);
	struct closing *c, *next;

	llist_for_each_entry_safe(c, next, all, node)
		file_close(s, c);
	session_put(s);
}

/* Have @c closed, with the file's reference to its session. */
static void closing_add(struct session *s, struct closing *c)
{
	struct closer *closer;

	llist_add(&c->node, &s->closings);
	closer = &s->closer[(u32)atomic_inc_return(&s->closed) % SESSION_CLOSERS];
	/* The reference goes along; one that waits already has one of its own. */
	if (!queue_work(closings, &closer->work))
		session_put(s);
}

static void file_evict(struct inode *inode)
{
	struct sharedpc_file *f = sharedpc_file(inode);
	struct closing *c = f->closing;

	if (frames_drop(inode)) {
		pr_err_ratelimited("image %s: file %llx stays open, I/O uses it\n",
				   ctl_name(f->session->owner), f->id);
		atomic_set(&f->opens, 0);
		pinned_lose(f->session->owner);
	}
	clear_inode(inode);
	if (!f->size_page)
		return;		/* not one of ours: the root */
	atomic64_dec(&file_stat.files);
	c->opens = READ_ONCE(f->session->ended) ? 0 : atomic_read(&f->opens);
	c->id = f->id;
	c->size_page = f->size_page;
	f->closing = NULL;
	closing_add(f->session, c);
}

static const struct super_operations file_super_ops = {
	.alloc_inode	= file_alloc,
	.free_inode	= file_free,
	.drop_inode	= generic_delete_inode,
	.evict_inode	= file_evict,
	.statfs		= simple_statfs,
};

/* Frames have no write-back here: what is stored is stored at the owner. */
static const struct address_space_operations file_aops = {
	.dirty_folio	= file_dirty_folio,
};

static int file_fs_init(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, FILE_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &file_super_ops;
	return 0;
}

/* No owner: the kernel's own mount of it would keep the module for ever. */
static struct file_system_type file_fs = {
	.name			= "sharedpc",
	.init_fs_context	= file_fs_init,
	.kill_sb		= kill_anon_super,
};

static void file_setup(struct inode *inode)
{
	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFREG | 0600;
	inode->i_fop = &io_ops;
	inode->i_mapping->a_ops = &file_aops;
	/* The frames are not this kernel's to reclaim. */
	mapping_set_unevictable(inode->i_mapping);
	simple_inode_init_ts(inode);
	atomic64_inc(&file_stat.files);
}

/*
 * The inode of a file, made if it is not there, with a reference; @session's goes
 * along if it is made.  Nothing sleeps between its entry into the hash and
 * unlock_new_inode, nor (file_evict) for long while it leaves: the listening thread
 * may wait for either.
 */
static struct inode *file_get(const struct sharedpc_backing *want,
			      struct session **session)
{
	struct sharedpc_file key = {
		.id = want->file, .identity = want->identity, .session = *session,
	};
	struct inode *inode;

	inode = ilookup5(mnt->mnt_sb, key_hash(&key), key_test, &key);
	if (inode)
		return inode;
	key.size_page = memremap(want->size_phys & PAGE_MASK, PAGE_SIZE, MEMREMAP_WB);
	if (!key.size_page)
		return ERR_PTR(-ENOMEM);
	key.size = key.size_page + offset_in_page(want->size_phys);
	inode = iget5_locked(mnt->mnt_sb, key_hash(&key), key_test, key_set, &key);
	if (inode && inode->i_state & I_NEW) {
		*session = NULL;
		file_setup(inode);
		unlock_new_inode(inode);
		return inode;
	}
	memunmap(key.size_page);
	return inode ?: ERR_PTR(-ENOMEM);
}

/* An open of the file that @want names: with the descriptor's reference. */
static struct file *file_make(const struct sharedpc_backing *want)
{
	struct session *s = session_get(want->owner, want->epoch, want->server);
	struct inode *inode;
	struct file *file;

	if (IS_ERR(s))
		return ERR_CAST(s);
	inode = file_get(want, &s);
	if (s)
		session_put(s);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	/* Pairs with file_ended: it finds this inode, or we see that it was there. */
	smp_mb();
	if (READ_ONCE(sharedpc_file(inode)->session->ended))
		file = ERR_PTR(-ESTALE);
	else
		file = alloc_file_pseudo(inode, mnt, "sharedpc", O_RDWR, &io_ops);
	if (IS_ERR(file))
		iput(inode);
	else	/* fput() gives back what only an open by path has taken */
		__module_get(THIS_MODULE);
	return file;
}

int file_backing(const struct sharedpc_backing *want, struct file **keep)
{
	struct file *file;
	int fd;

	/* Of an owner's memory we read this alone. */
	if (want->size_phys % 8 || !ctl_is_ram(want->owner, want->size_phys))
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = file_make(want);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	/* From here on the open is ours to give back. */
	atomic_inc(&sharedpc_file(file_inode(file))->opens);
	if (keep)
		*keep = get_file(file);
	fd_install(fd, file);
	return fd;
}

bool file_alive(const struct sharedpc_file *f)
{
	return session_alive(f->session);
}

/* Nothing is mapped of the files of @owner's sessions that have ended. */
static void file_zap_ended(u32 owner)
{
	struct super_block *sb = mnt->mnt_sb;
	struct inode *inode, *last = NULL;
	struct session *s;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		if (!S_ISREG(inode->i_mode) || !igrab(inode))
			continue;
		s = sharedpc_file(inode)->session;
		spin_unlock(&sb->s_inode_list_lock);
		iput(last);
		if (s->owner == owner && READ_ONCE(s->ended))
			frames_revoke(inode, 0, 1ULL << 52, false);
		last = inode;
		spin_lock(&sb->s_inode_list_lock);
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(last);
}

/*
 * Sessions of @owner's have ended: access to their files is SIGBUS or EIO,
 * whatever comes.  When this returns nobody looks at the owner's inodes of theirs
 * any more.
 */
static void file_ended(u32 owner)
{
	smp_mb();	/* pairs with file_make */
	synchronize_rcu_expedited();	/* whoever is in file_size */
	file_zap_ended(owner);
}

static void ended(struct session *s)
{
	if (file_session_ended)
		file_session_ended(s);
	call_session_ended(s);
	bounce_wake();
	session_put(s);
}

void file_peer_went(u32 owner)
{
	struct session *s;

	while ((s = session_end_any(owner)))
		ended(s);
	file_ended(owner);
	pinned_forget(owner);
}

static void file_server_ended(u32 owner, u32 server)
{
	struct session *s = session_end(owner, server);

	if (!s)
		return;		/* nor has it files */
	ended(s);
	file_ended(owner);
}

/* The file that @msg names, with a reference, or NULL. */
static struct inode *file_find(u32 owner, const struct sharedpc_msg *msg)
{
	struct sharedpc_file key = {
		.id = msg->file,
		.session = session_find(owner, msg->server),
	};
	struct inode *inode;

	if (!key.session)
		return NULL;
	inode = ilookup5(mnt->mnt_sb, key_hash(&key), key_test, &key);
	session_put(key.session);
	return inode;
}

/* The listening thread: an owner wants frames back. */
void file_revoke(u32 owner, const struct sharedpc_msg *msg)
{
	struct sharedpc_msg done = {
		.type = SHAREDPC_MSG_REVOKED,
		.slot = msg->slot,
		.file = msg->file,
		.server = msg->server,
		.result = msg->result,
	};
	struct inode *inode = NULL;

	atomic64_inc(&file_stat.revokes);
	if (msg->flags & SHAREDPC_REVOKE_END) {
		file_server_ended(owner, msg->server);
		goto done;
	}
	point_pass(POINT_REVOKING);
	/* One that is being evicted has no user left: nothing to take back. */
	inode = file_find(owner, msg);
	if (inode && msg->count && msg->pos + msg->count > msg->pos)
		done.error = frames_revoke(inode, msg->pos, msg->count,
					   msg->flags & SHAREDPC_REVOKE_WRITE);
	/* Nobody knows which frame is held: the next try would find nothing, and say so. */
	if (done.error)
		pinned_lose(owner);
	if (!(msg->flags & SHAREDPC_REVOKE_WRITE))
		done.error = pinned_tell(owner, msg, &done) ?: done.error;
	/* No room for all that is to be said: at the next try. */
	if (done.error == -EAGAIN)
		goto out;
	point_pass(done.count ? POINT_KEPT : POINT_REVOKED);
done:
	/* If there is no room for it we are asked again; other owners wait for this thread. */
	peer_send_wait(owner, &done);
out:
	iput(inode);	/* maybe the last one: after the answer */
}

u64 file_held(void)
{
	struct super_block *sb = mnt->mnt_sb;
	struct inode *inode;
	u64 held = 0;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list)
		if (S_ISREG(inode->i_mode))
			held += atomic64_read(&sharedpc_file(inode)->held);
	spin_unlock(&sb->s_inode_list_lock);
	return held;
}

void file_show(struct seq_file *m)
{
	struct super_block *sb = mnt->mnt_sb;
	const struct sharedpc_file *f;
	struct inode *inode;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		f = sharedpc_file(inode);
		if (f->size_page)	/* not the root */
			seq_printf(m, "owner %u server %u file %llx identity %llx opens %d held %lld\n",
				   f->session->owner, f->session->server, f->id, f->identity,
				   atomic_read(&f->opens), atomic64_read(&f->held));
	}
	spin_unlock(&sb->s_inode_list_lock);
}

static void file_init_once(void *f)
{
	inode_init_once(&((struct sharedpc_file *)f)->inode);
}

int file_init(void)
{
	int err = -ENOMEM;

	session_init(closer_work, ended);
	cache = kmem_cache_create("sharedpc_file", sizeof(struct sharedpc_file), 0,
				  SLAB_ACCOUNT | SLAB_RECLAIM_ACCOUNT, file_init_once);
	if (!cache)
		return err;
	closings = alloc_workqueue("sharedpc-close", WQ_MEM_RECLAIM | WQ_UNBOUND,
				   WQ_MAX_ACTIVE);
	if (!closings)
		goto destroy_cache;
	mnt = kern_mount(&file_fs);
	if (!IS_ERR(mnt))
		return 0;
	err = PTR_ERR(mnt);
	destroy_workqueue(closings);
destroy_cache:
	kmem_cache_destroy(cache);
	return err;
}

void file_flush(void)
{
	flush_workqueue(closings);
}

void file_exit(void)
{
	kern_unmount(mnt);
	destroy_workqueue(closings);
	session_exit();
	rcu_barrier();
	kmem_cache_destroy(cache);
}
