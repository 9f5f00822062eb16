// SPDX-License-Identifier: GPL-2.0-only
/*
 * open.c - files that are opened for reading without a question
 *
 * A file that was opened here once has a backing file of sharedpc, which
 * outlives the open (spare.c): an open for reading of the same inode gets a
 * reader of it, without FUSE.  Whether the caller may was decided before
 * (permission.c); where the data is does not depend on the name.
 *
 * An open of this kind is no open of FUSE's.  What only FUSE can do for it (to
 * sync, to look for holes, to copy) is done by one of FUSE's, opened then.
 */
#include <linux/backing-file.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include "cache/cache.h"
#include "client/file.h"

static const struct cred *root;
static DEFINE_MUTEX(ops_lock);
static const struct file_operations *fuse_ops;
static struct file_operations ops;		/* a regular file's, before it is open */
static struct file_operations reader_ops;	/* of a file that was opened here */

/* private_data of such a file. */
struct reader {
	struct file *backing;
	struct mutex lock;		/* fuse */
	struct file *fuse;		/* the same file, opened by FUSE; NULL: not yet */
};

/*
 * This open is for FUSE to make, for a reader.  Without O_CREAT the flag means
 * nothing, and FUSE strips it before it asks (fuse_send_open).
 */
#define OPEN_BY_FUSE	O_EXCL

/*
 * As root: the right to read was there when the reader was opened.  Where root is
 * nobody for the owner as him who opened it: he may have lost that right since.
 */
static struct file *open_by_fuse(const struct file *reader)
{
	bool squash = cache_mount_of(file_inode(reader)->i_sb)->squash;
	const struct cred *cred = squash ? reader->f_cred : root;
	const struct cred *old = override_creds(cred);
	struct file *file = dentry_open(&reader->f_path, O_RDONLY | OPEN_BY_FUSE, cred);

	revert_creds(old);
	return file;
}

/* FUSE's open file of the same, made at the first need of it. */
static struct file *reader_fuse(struct file *file)
{
	struct reader *r = file->private_data;
	struct file *fuse;

	if (mutex_lock_killable(&r->lock))	/* who has it may ask the owner */
		return ERR_PTR(-EINTR);
	fuse = r->fuse;
	if (!fuse) {
		fuse = open_by_fuse(file);
		if (!IS_ERR(fuse))
			r->fuse = fuse;
	}
	mutex_unlock(&r->lock);
	return fuse;
}

static struct backing_file_ctx reader_ctx(struct file *file)
{
	struct reader *r = file->private_data;

	return (struct backing_file_ctx){
		.cred = r->backing->f_cred,
		.user_file = file,
	};
}

static ssize_t reader_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct reader *r = iocb->ki_filp->private_data;
	struct backing_file_ctx ctx = reader_ctx(iocb->ki_filp);

	if (!iov_iter_count(to))
		return 0;
	return backing_file_read_iter(r->backing, to, iocb, iocb->ki_flags, &ctx);
}

static ssize_t reader_splice_read(struct file *in, loff_t *pos, struct pipe_inode_info *pipe,
				  size_t len, unsigned int flags)
{
	struct reader *r = in->private_data;
	struct backing_file_ctx ctx = reader_ctx(in);

	return backing_file_splice_read(r->backing, pos, pipe, len, flags, &ctx);
}

static int reader_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct reader *r = file->private_data;
	struct backing_file_ctx ctx = reader_ctx(file);

	return backing_file_mmap(r->backing, vma, &ctx);
}

static loff_t reader_llseek(struct file *file, loff_t offset, int whence)
{
	struct reader *r = file->private_data;
	struct file *fuse;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek_size(file, offset, whence,
			file->f_mapping->host->i_sb->s_maxbytes,
			file_size(sharedpc_file(file_inode(r->backing))));
	fuse = reader_fuse(file);
	if (IS_ERR(fuse))
		return PTR_ERR(fuse);
	offset = vfs_llseek(fuse, offset, whence);
	return offset < 0 ? offset : vfs_setpos(file, offset, LLONG_MAX);
}

static int reader_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct file *fuse = reader_fuse(file);

	return IS_ERR(fuse) ? PTR_ERR(fuse) : vfs_fsync_range(fuse, start, end, datasync);
}

static long reader_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct file *fuse = reader_fuse(file);

	return IS_ERR(fuse) ? PTR_ERR(fuse) : vfs_ioctl(fuse, cmd, arg);
}

/* What FUSE's own cache of the file would read ahead goes to a FUSE file. */
static int reader_fadvise(struct file *file, loff_t offset, loff_t len, int advice)
{
	struct reader *r = file->private_data;

	return vfs_fadvise(r->backing, offset, len, advice);
}

static int reader_release(struct inode *inode, struct file *file)
{
	struct reader *r = file->private_data;

	if (r->fuse)
		fput(r->fuse);
	fput(r->backing);
	kfree(r);
	return 0;
}

/* A copy's source may be a reader; its target was opened for writing. */
static ssize_t open_copy_range(struct file *in, loff_t pos_in, struct file *out,
			       loff_t pos_out, size_t len, unsigned int flags)
{
	if (in->f_op == &reader_ops)
		in = reader_fuse(in);
	if (IS_ERR(in))
		return PTR_ERR(in);
	return fuse_ops->copy_file_range(in, pos_in, out, pos_out, len, flags);
}

static int reader_open(struct file *file, struct file *spare)
{
	struct reader *r = kmalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return -ENOMEM;
	r->backing = backing_file_open(file, file->f_flags, &spare->f_path, spare->f_cred);
	if (IS_ERR(r->backing)) {
		int err = PTR_ERR(r->backing);

		kfree(r);
		return err;
	}
	mutex_init(&r->lock);
	r->fuse = NULL;
	file->private_data = r;
	replace_fops(file, fops_get(&reader_ops));
	return 0;
}

/* May this open do without FUSE, for all that its flags say? */
static bool is_plain(const struct file *file)
{
	return !(file->f_mode & FMODE_WRITE) &&
	       !(file->f_flags & (O_TRUNC | O_DIRECT | OPEN_BY_FUSE));
}

/* What BACKING gave for this inode while FUSE was asked is kept, if that is @wanted. */
static void open_keep(struct cache_mount *m, struct cache_inode *ci, bool wanted)
{
	struct file *file = spare_take_offer(m, ci->node);

	if (!file)
		return;
	if (!wanted || cache_useless(m) || !ci->word)
		fput(file);
	else
		spare_add(m, ci, file);
}

/* FUSE has opened @file, or has not: what was offered with that is taken. */
static void open_took(struct cache_mount *m, struct cache_inode *ci, struct file *file,
		      bool is_open)
{
	if (m->session)
		open_keep(m, ci, is_open && !(file->f_mode & FMODE_WRITE));
	else
		real_opened(m, ci, is_open);
}

static int cache_open(struct inode *inode, struct file *file)
{
	struct cache_mount *m = cache_mount_of(inode->i_sb);
	struct cache_inode *ci = cache_inode(inode);
	struct file *spare = is_plain(file) ? spare_get(m, ci) : NULL;
	int err = -ENOENT;

	if (spare) {
		if (file_alive(sharedpc_file(file_inode(spare))))
			err = reader_open(file, spare);
		fput(spare);
	}
	if (!err) {
		cache_count(m, CACHE_OPEN_HIT);
		return 0;
	}
	cache_count(m, CACHE_OPEN_ASK);
	if (file->f_mode & FMODE_WRITE) {
		spare_drop(m, ci);
		show_turn_over(inode);
	}
	atomic_inc(&ci->opening);
	err = fuse_ops->open(inode, file);
	open_took(m, ci, file, !err);
	atomic_dec(&ci->opening);
	spare_trim(m, ci);
	return err;
}

static int open_flush(struct file *file, fl_owner_t owner)
{
	if (!cache_mount_of(file_inode(file)->i_sb)->session)
		real_flush(file, owner);
	return fuse_ops->flush(file, owner);
}

static int open_release(struct inode *inode, struct file *file)
{
	if (!cache_mount_of(inode->i_sb)->session)
		real_closed(cache_inode(inode));
	return fuse_ops->release(inode, file);
}

/*
 * FUSE has made and opened @file, whose inode had FUSE's operations then: all
 * open files of a mount have ours, since who copies between two compares.
 */
void open_created(struct file *file)
{
	struct inode *inode = file_inode(file);
	struct cache_inode *ci = cache_inode(inode);

	/* One that was known already has ours. */
	if (!ci || (file->f_op != fuse_ops && file->f_op != &ops))
		return;
	if (file->f_mode & FMODE_WRITE)
		show_turn_over(inode);
	if (file->f_op == fuse_ops)
		replace_fops(file, fops_get(&ops));
	open_took(cache_mount_of(inode->i_sb), ci, file, true);
}

/* FUSE would ask, and then look at the inode, where another answer may be shown by then. */
static loff_t open_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);
	struct known said;
	int err;

	if (whence != SEEK_END || !show_may_ask(inode))
		return fuse_ops->llseek(file, offset, whence);
	err = cache_look(inode, &said);
	if (err)
		return err;
	return generic_file_llseek_size(file, offset, whence, inode->i_sb->s_maxbytes,
					said.stat.size);
}

static long open_fallocate(struct file *file, int mode, loff_t pos, loff_t len)
{
	return space_is_ours(file, mode) ? space_allocate(file, mode, pos, len) :
		fuse_ops->fallocate(file, mode, pos, len);
}

/* What direct I/O has put into a mapping, or a debugger, the owner is to know of first. */
static int open_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct session *s = cache_mount_of(file_inode(file)->i_sb)->session;
	int err = s ? file_noted(s) : 0;

	return err ?: fuse_ops->fsync(file, start, end, datasync);
}

static void ops_fill(const struct file_operations *fuse)
{
	ops = *fuse;
	ops.owner = THIS_MODULE;
	ops.open = cache_open;
	ops.copy_file_range = open_copy_range;
	ops.llseek = open_llseek;
	ops.fallocate = open_fallocate;
	ops.fsync = open_fsync;
	/* Another kernel's open would not break it. */
	ops.setlease = simple_nosetlease;
	ops.poll = NULL;	/* as local files: always ready, and not for epoll */
	ops.flush = open_flush;
	ops.release = open_release;
	ops.lock = lock_file;
	ops.flock = lock_flock;
	reader_ops = (struct file_operations){
		.owner = THIS_MODULE,
		.llseek = reader_llseek,
		.read_iter = reader_read_iter,
		.mmap = reader_mmap,
		.release = reader_release,
		.fsync = reader_fsync,
		.get_unmapped_area = fuse->get_unmapped_area,
		.splice_read = reader_splice_read,
		.unlocked_ioctl = reader_ioctl,
		.fadvise = reader_fadvise,
		.lock = lock_file,
		.flock = lock_flock,
		.copy_file_range = open_copy_range,
		.setlease = simple_nosetlease,
	};
	fuse_ops = fuse;
}

void open_wrap(struct inode *inode)
{
	if (!S_ISREG(inode->i_mode))
		return;
	mutex_lock(&ops_lock);
	if (!fuse_ops)
		ops_fill(inode->i_fop);
	if (inode->i_fop == fuse_ops)
		WRITE_ONCE(inode->i_fop, &ops);
	mutex_unlock(&ops_lock);
}

int open_init(void)
{
	root = prepare_kernel_cred(&init_task);
	return root ? 0 : -ENOMEM;
}

void open_exit(void)
{
	put_cred(root);
}
