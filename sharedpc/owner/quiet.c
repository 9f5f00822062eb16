// SPDX-License-Identifier: GPL-2.0-only
/*
 * quiet.c - what a proxy opens and closes for itself, and who watches does not hear
 *
 * A client's open(2) is one event, and the proxy opens the file twice: as the caller, which
 * is heard, and for its own use, which is the second half of the same.  fanotify opens the
 * files that it hands out in this way (FMODE_NONOTIFY), but lets them be silent for good:
 * with the proxy's descriptors the client writes, which is heard.
 */
#include <linux/cred.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fsnotify.h>
#include <linux/mount.h>
#include "owner/quiet.h"

#define REOPEN_FLAGS	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DIRECTORY)

static void set_mode(struct file *file, fmode_t mode)
{
	spin_lock(&file->f_lock);
	file->f_mode = (file->f_mode & ~FMODE_FSNOTIFY_MASK) | mode;
	spin_unlock(&file->f_lock);
}

/* What an open of a file in @sb sets that is to be heard: file_set_fsnotify_mode's. */
static fmode_t heard(struct super_block *sb)
{
	if (!fsnotify_sb_has_priority_watchers(sb, FSNOTIFY_PRIO_CONTENT))
		return FMODE_NONOTIFY_PERM;
	if (!fsnotify_sb_has_priority_watchers(sb, FSNOTIFY_PRIO_PRE_CONTENT))
		return FMODE_NONOTIFY | FMODE_NONOTIFY_PERM;
	return 0;
}

/* As namei.c's: dentry_open leaves it to its caller. */
static int may_open(const struct path *path, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	int err;

	if (flags & O_DIRECTORY && !S_ISDIR(inode->i_mode))
		return -ENOTDIR;
	if (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode))
		return -EINVAL;
	if (S_ISDIR(inode->i_mode) && (flags & O_ACCMODE) != O_RDONLY)
		return -EISDIR;
	err = inode_permission(mnt_idmap(path->mnt), inode, MAY_OPEN | ACC_MODE(flags) |
			       (flags & O_APPEND ? MAY_APPEND : 0));
	if (!err && IS_APPEND(inode) && (flags & O_ACCMODE) != O_RDONLY && !(flags & O_APPEND))
		err = -EPERM;
	return err;
}

/* The file of @path once more; the open is not heard. */
static struct file *reopen(const struct path *path, unsigned int flags)
{
	int err = may_open(path, flags);
	struct file *file;

	if (err)
		return ERR_PTR(err);
	file = dentry_open(path, flags | O_LARGEFILE | __FMODE_NONOTIFY, current_cred());
	if (IS_ERR(file))
		return file;
	file->f_flags &= ~__FMODE_NONOTIFY;
	set_mode(file, heard(path->dentry->d_sb));
	return file;
}

int quiet_reopen(const struct sharedpc_reopen *want)
{
	struct file *of, *file;
	int fd;

	if (want->flags & ~REOPEN_FLAGS || (want->flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	of = fget_raw(want->fd);
	if (!of)
		return -EBADF;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd >= 0) {
		file = reopen(&of->f_path, want->flags);
		if (IS_ERR(file)) {
			put_unused_fd(fd);
			fd = PTR_ERR(file);
		} else {
			fd_install(fd, file);
		}
	}
	fput(of);
	return fd;
}

int quiet_hush(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return -EBADF;
	set_mode(file, FMODE_NONOTIFY);
	fput(file);
	return 0;
}
