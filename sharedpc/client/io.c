// SPDX-License-Identifier: GPL-2.0-only
/*
 * io.c - read, write, mmap, fsync and holes of a client's backing file
 *
 * read() copies from the frames, so that it sees what mmap sees.  write()
 * hands its bytes to the proxy through bounce buffers in the control area:
 * the owner's file system does the rest (size, append, times, suid bits,
 * quota), in the same page cache.  One write() of up to
 * SHAREDPC_WRITE_MAX bytes is one write at the owner if it is an appending one and there
 * are so many buffers within a second (bounce.c), so O_APPEND is atomic up to that.
 *
 * O_DIRECT is accepted and means nothing here.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include "client/bounce.h"
#include "client/call.h"
#include "box/ctl.h"
#include "client/file.h"
#include "client/frames.h"

#define READ_AHEAD	SHAREDPC_FAULT_MAX	/* pages asked for at once */
#define FILL_TRIES	64	/* the user's pages went while they were copied */

static int io_open(struct inode *inode, struct file *file)
{
	file->f_mode |= FMODE_CAN_ODIRECT;
	return 0;
}

/*
 * Copy from one page of the file.  Bytes copied; 0: the end of the file, or
 * (*again) the frame is not here or the user's page is not.
 */
static size_t read_page(struct sharedpc_file *f, loff_t pos, struct iov_iter *to,
			bool *again)
{
	struct folio *folio = frames_get(&f->inode, pos >> PAGE_SHIFT, false, true);
	size_t off = offset_in_page(pos), len = PAGE_SIZE - off, done = 0;
	u64 size = file_size(f);

	*again = !folio;
	if (!folio)
		return 0;
	if (pos < size) {
		len = min_t(u64, len, size - pos);
		/* The user's page may be of this file: no fault under the lock. */
		pagefault_disable();
		done = copy_page_to_iter(folio_page(folio, 0), off, len, to);
		pagefault_enable();
		*again = done < min(len, iov_iter_count(to) + done);
	}
	folio_unlock(folio);
	folio_put(folio);
	return done;
}

/* The frame is missing, or the user's page: get both. */
static int read_prepare(struct sharedpc_file *f, loff_t pos, struct iov_iter *to)
{
	size_t want = min_t(size_t, iov_iter_count(to), PAGE_SIZE);
	struct folio *folio;
	u64 pages;
	int err;

	if (fault_in_iov_iter_writeable(to, want) == want)
		return -EFAULT;
	folio = frames_get(&f->inode, pos >> PAGE_SHIFT, false, true);
	if (folio) {
		folio_unlock(folio);
		folio_put(folio);
		return 0;
	}
	pages = DIV_ROUND_UP_ULL(offset_in_page(pos) + iov_iter_count(to), PAGE_SIZE);
	err = frames_fetch(&f->inode, pos >> PAGE_SHIFT,
			   min_t(u64, pages, READ_AHEAD), SHAREDPC_CALL_AROUND);
	/* EFAULT is what the owner says of a page that it cannot read. */
	return err == -EFAULT ? -EIO : err;
}

static ssize_t io_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct sharedpc_file *f = sharedpc_file(file_inode(iocb->ki_filp));
	ssize_t total = 0;
	size_t done;
	bool again;
	int err = 0;

	while (iov_iter_count(to)) {
		if (!file_alive(f)) {
			err = -EIO;
			break;
		}
		if (iocb->ki_pos >= file_size(f)) {
			if (!file_alive(f))	/* then that was no size */
				err = -EIO;
			break;
		}
		done = read_page(f, iocb->ki_pos, to, &again);
		iocb->ki_pos += done;
		total += done;
		if (fatal_signal_pending(current))
			err = -EINTR;
		else if (again)
			err = read_prepare(f, iocb->ki_pos, to);
		/* A page that was truncated away meanwhile is no error. */
		if (err == -EIO && file_alive(f) && iocb->ki_pos >= file_size(f))
			err = 0;
		if (err)
			break;
		cond_resched();
	}
	return total ?: err;
}

/*
 * Fill bounce buffers from @from: bytes, with *@data of where they begin, or -errno.
 * No fault is taken while we have them: the user's memory may be as far away as he
 * likes.
 */
static ssize_t write_fill(struct session *session, struct iov_iter *from, size_t len,
			  bool whole, u64 *data)
{
	size_t room, copied;
	int first, tries;
	u32 nr, need;

	for (tries = 0; tries < FILL_TRIES; tries++) {
		if (fault_in_iov_iter_readable(from, len) == len)
			return -EFAULT;
		first = bounce_get(session, len, whole, &nr);
		if (first < 0)
			return first;
		room = min_t(size_t, len, nr * SHAREDPC_BOUNCE_SIZE);
		pagefault_disable();
		copied = copy_from_iter(ctl_bounce(ctl_self, first), room, from);
		pagefault_enable();
		/* Cut short by a page that went again? */
		if (copied && (copied == room || !whole)) {
			need = DIV_ROUND_UP(copied, SHAREDPC_BOUNCE_SIZE);
			bounce_put(session, first + need, nr - need);
			*data = (u64)first * SHAREDPC_BOUNCE_SIZE;
			return copied;
		}
		bounce_put(session, first, nr);
		iov_iter_revert(from, copied);
		/* ... or by one that is not there: what comes before it counts. */
		if (tries >= FILL_TRIES / 2 && copied)
			len = copied;
		cond_resched();
	}
	return -EFAULT;
}

/* One piece of a write: bytes that the owner took, or -errno. */
static ssize_t write_piece(struct kiocb *iocb, struct iov_iter *from)
{
	struct sharedpc_file *f = sharedpc_file(file_inode(iocb->ki_filp));
	size_t len = min_t(size_t, iov_iter_count(from), SHAREDPC_WRITE_MAX);
	struct sharedpc_msg msg = {
		.type = SHAREDPC_OP_WRITE,
		.file = f->id,
		.pos = iocb->ki_pos,
		.uid = from_kuid(&init_user_ns, current_real_cred()->fsuid),
		.gid = from_kgid(&init_user_ns, current_real_cred()->fsgid),
	};
	ssize_t copied;
	int err;

	if (iocb->ki_flags & IOCB_APPEND)
		msg.flags |= SHAREDPC_CALL_APPEND;
	if (iocb->ki_flags & IOCB_DSYNC)
		msg.flags |= SHAREDPC_CALL_DSYNC;
	copied = write_fill(f->session, from, len, iocb->ki_flags & IOCB_APPEND,
			    &msg.data);
	if (copied < 0)
		return copied;
	msg.count = copied;
	/* The buffers are the call's from here on. */
	err = call_run(f->session, &msg, NULL);
	if (err)
		return err;
	if (msg.result > copied || (s64)msg.pos < 0)
		return -EIO;
	iov_iter_revert(from, copied - msg.result);
	iocb->ki_pos = msg.pos;
	return msg.result;
}

static ssize_t io_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct sharedpc_file *f = sharedpc_file(file_inode(iocb->ki_filp));
	u64 limit = rlimit(RLIMIT_FSIZE);
	ssize_t total = 0, done = 0;
	u64 at = iocb->ki_flags & IOCB_APPEND ? file_size(f) : iocb->ki_pos;

	if (!iov_iter_count(from))
		return 0;
	if (limit != RLIM_INFINITY) {
		if (at >= limit) {
			send_sig(SIGXFSZ, current, 0);
			return -EFBIG;
		}
		iov_iter_truncate(from, limit - at);
	}
	while (iov_iter_count(from)) {
		done = file_alive(f) ? write_piece(iocb, from) : -EIO;
		if (done <= 0)
			break;
		total += done;
	}
	return total ?: done;
}

static int io_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct sharedpc_file *f = sharedpc_file(file_inode(file));
	struct sharedpc_msg msg = {
		.type = SHAREDPC_OP_FSYNC,
		.flags = datasync ? SHAREDPC_CALL_DATASYNC : 0,
		.file = f->id,
	};
	int err;

	/* Whoever runs it already is waited for; each call has its time limit. */
	err = mutex_lock_killable(&f->late_lock);
	if (err)
		return err;
	err = frames_late(file_inode(file));
	mutex_unlock(&f->late_lock);
	if (err) {
		file_late(f, HZ);
		return err;
	}
	return file_alive(f) ? call_run(f->session, &msg, NULL) : -EIO;
}

/* madvise(2)'s MADV_REMOVE, of a mapping: whole pages.  All else goes to FUSE's file. */
static long io_fallocate(struct file *file, int mode, loff_t pos, loff_t len)
{
	struct sharedpc_file *f = sharedpc_file(file_inode(file));
	struct sharedpc_msg msg = {
		.type = SHAREDPC_OP_PUNCH,
		.file = f->id,
		.pos = pos,
		.count = len >> PAGE_SHIFT,
		.uid = from_kuid(&init_user_ns, current_real_cred()->fsuid),
		.gid = from_kgid(&init_user_ns, current_real_cred()->fsgid),
	};

	if (mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE) ||
	    offset_in_page(pos) || offset_in_page(len) || msg.count > U32_MAX)
		return -EOPNOTSUPP;
	return file_alive(f) ? call_run(f->session, &msg, NULL) : -EIO;
}

static int io_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* Pages are put in one by one by fault_around: see vm_insert_page. */
	vm_flags_set(vma, VM_MIXEDMAP);
	vma->vm_ops = &fault_ops;
	return 0;
}

static loff_t io_llseek(struct file *file, loff_t offset, int whence)
{
	struct sharedpc_file *f = sharedpc_file(file_inode(file));

	return generic_file_llseek_size(file, offset, whence, MAX_LFS_FILESIZE,
					file_size(f));
}

const struct file_operations io_ops = {
	.owner		= THIS_MODULE,
	.open		= io_open,
	.llseek		= io_llseek,
	.read_iter	= io_read,
	.write_iter	= io_write,
	.fsync		= io_fsync,
	.fallocate	= io_fallocate,
	.mmap		= io_mmap,
	.splice_read	= copy_splice_read,
	.splice_write	= iter_file_splice_write,
};
