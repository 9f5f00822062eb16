// SPDX-License-Identifier: GPL-2.0-only
/*
 * change.c - names: made, moved and removed
 *
 * The owner does it; FUSE has it done, or to remove something we do, since nothing comes
 * of that here.  What is made comes with an answer that is taken in as that of a look-up;
 * what is removed or moved is noted before the VFS changes its dentry.  The answer also
 * says how the directory is now: without that the next walk would have to ask.  All have
 * the parents locked.
 */
#include <linux/namei.h>
#include "cache/cache.h"

/* @err of an operation that made @d, begun in @turn. */
static int made(struct inode *dir, struct dentry *d, u64 turn, int err)
{
	heard_forget();
	if (!err)
		cache_learn(dir, turn);
	return err ?: entry_learn(dir, d, turn);
}

int cache_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d,
		 umode_t mode, bool excl)
{
	u64 turn = show_turn(dir);

	return made(dir, d, turn, cache_fuse_iops(dir)->create(idmap, dir, d, mode, excl));
}

int cache_mknod(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d,
		umode_t mode, dev_t dev)
{
	u64 turn = show_turn(dir);

	return made(dir, d, turn, cache_fuse_iops(dir)->mknod(idmap, dir, d, mode, dev));
}

int cache_mkdir(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d,
		umode_t mode)
{
	u64 turn = show_turn(dir);

	return made(dir, d, turn, cache_fuse_iops(dir)->mkdir(idmap, dir, d, mode));
}

int cache_symlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *d,
		  const char *text)
{
	u64 turn = show_turn(dir);

	return made(dir, d, turn, cache_fuse_iops(dir)->symlink(idmap, dir, d, text));
}

int cache_link(struct dentry *old, struct inode *dir, struct dentry *d)
{
	u64 turn = show_turn(dir);

	return made(dir, d, turn, cache_fuse_iops(dir)->link(old, dir, d));
}

static int remove_direct(struct inode *dir, struct dentry *d)
{
	u64 turn = show_turn(dir);
	struct sharedpc_tale tale;
	struct known said;
	int err = direct_remove(dir, d, &tale);

	if (err)
		return err;
	show_removed(dir, d_inode(d));
	if (tale.node)
		cache_said(dir, &tale, turn, &said);
	return 0;
}

static int removed(struct inode *dir, struct dentry *d,
		   int (*by_fuse)(struct inode *dir, struct dentry *d))
{
	struct entry_word before = entry_word(dir, &d->d_name);
	u64 turn = show_turn(dir);
	int err = remove_direct(dir, d);

	if (err == DIRECT_NOT)
		err = by_fuse(dir, d);
	heard_forget();
	if (!err) {
		entry_gone(dir, d, before);
		cache_learn(dir, turn);
	}
	return err;
}

int cache_unlink(struct inode *dir, struct dentry *d)
{
	return removed(dir, d, cache_fuse_iops(dir)->unlink);
}

int cache_rmdir(struct inode *dir, struct dentry *d)
{
	return removed(dir, d, cache_fuse_iops(dir)->rmdir);
}

int cache_rename(struct mnt_idmap *idmap, struct inode *olddir, struct dentry *old,
		 struct inode *newdir, struct dentry *new, unsigned int flags)
{
	u64 turn = show_turn(olddir);
	int err = cache_fuse_iops(olddir)->rename(idmap, olddir, old, newdir, new, flags);

	heard_forget();
	if (!err) {
		entry_moving(old, new);
		entry_moving(new, old);
		cache_learn(olddir, turn);
		cache_learn(newdir, turn);
	}
	return err;
}

/*
 * FUSE would look up by itself here, with a dentry that nobody has noted: do
 * that first.  What is there already is opened as any other file.
 */
int cache_atomic_open(struct inode *dir, struct dentry *d, struct file *file,
		      unsigned int flags, umode_t mode)
{
	struct dentry *found = NULL;
	u64 turn;
	int err;

	if (d_in_lookup(d)) {
		found = cache_lookup(dir, d, 0);
		if (IS_ERR(found))
			return PTR_ERR(found);
		d = found ?: d;
	}
	if (!(flags & O_CREAT) || d_really_is_positive(d))
		return finish_no_open(file, found);
	turn = show_turn(dir);
	err = cache_fuse_iops(dir)->atomic_open(dir, d, file, flags, mode);
	if (d_really_is_positive(d))
		err = made(dir, d, turn, err);
	if (!err && file->f_mode & FMODE_OPENED)
		open_created(file);
	dput(found);
	return err;
}

/* A file without a name, in no directory. */
int cache_tmpfile(struct mnt_idmap *idmap, struct inode *dir, struct file *file,
		  umode_t mode)
{
	u64 turn = show_turn(dir);
	int err = cache_fuse_iops(dir)->tmpfile(idmap, dir, file, mode);

	if (!err)
		err = made(dir, file->f_path.dentry, turn, 0);
	if (!err)
		open_created(file);
	return err;
}
