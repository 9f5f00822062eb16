// SPDX-License-Identifier: GPL-2.0-only
/*
 * real.c - on a mount of this image's own files: the file behind one that is open
 *
 * Locks are the real file's, as others see that, too.  ccfs says which one it is before it
 * answers FUSE (REAL), and it is kept as long as any open of the inode is.
 */
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include "cache/cache.h"

int cache_real(struct cache_mount *m, const struct sharedpc_real *want)
{
	struct file *file;

	if (m->session || want->reserved)
		return -EINVAL;
	file = fget(want->fd);
	if (!file)
		return -EBADF;
	spare_offer(m, want->node, file);
	return 0;
}

void real_opened(struct cache_mount *m, struct cache_inode *ci, bool is_open)
{
	struct file *file = spare_take_offer(m, ci->node);

	spin_lock(&ci->lock);
	ci->real_opens += is_open;
	if (is_open && !ci->real)
		swap(ci->real, file);
	spin_unlock(&ci->lock);
	if (file)
		fput(file);
}

void real_closed(struct cache_inode *ci)
{
	struct file *file = NULL;

	spin_lock(&ci->lock);
	if (!--ci->real_opens)
		swap(ci->real, file);
	spin_unlock(&ci->lock);
	if (file)
		fput(file);
}

struct file *real_get(const struct file *file)
{
	struct cache_inode *ci = cache_inode(file_inode(file));
	struct file *real;

	if (!ci)
		return NULL;
	spin_lock(&ci->lock);
	real = ci->real ? get_file(ci->real) : NULL;
	spin_unlock(&ci->lock);
	return real;
}

/* By the file system's own locks, if it has such: the VFS' calls want fl's file. */
int real_lock(struct file *real, int cmd, struct file_lock *fl)
{
	if (fl->c.flc_flags & FL_FLOCK)
		return locks_lock_inode_wait(file_inode(real), fl);
	if (real->f_op->lock)
		return real->f_op->lock(real, cmd, fl);
	if (cmd != F_GETLK)
		return posix_lock_file(real, fl, NULL);
	posix_test_lock(real, fl);
	return 0;
}

void real_flush(struct file *file, fl_owner_t owner)
{
	struct file *real = real_get(file);

	if (!real)
		return;
	/* As it is with any file: also those that he has by another name of it. */
	locks_remove_posix(real, owner);
	fput(real);
}
