// SPDX-License-Identifier: GPL-2.0-only
/*
 * statfs.c - how full a file system is, up to a second old
 *
 * No word says that, since space comes and goes without an event.  But who walks
 * a tree (find, by fts) asks for the kind of file system each time it begins,
 * which never changes: so what was said is used again for a second.
 */
#include <linux/jiffies.h>
#include <linux/kdev_t.h>
#include <linux/statfs.h>
#include "cache/cache.h"

static bool statfs_known(struct cache_mount *m, struct kstatfs *st)
{
	bool known;

	spin_lock(&m->statfs_lock);
	known = m->statfs_said && time_before(jiffies, m->statfs_until);
	if (known)
		*st = m->statfs;
	spin_unlock(&m->statfs_lock);
	return known;
}

int cache_statfs(struct dentry *d, struct kstatfs *st)
{
	struct cache_mount *m = cache_mount_of(d->d_sb);
	unsigned long asked = jiffies;
	int err;

	if (!cache_useless(m) && statfs_known(m, st))
		return 0;
	err = m->fuse_s_op->statfs(d, st);
	if (err)
		return err;
	/* Of this mount: FUSE has none, and fanotify wants one. */
	st->f_fsid = u64_to_fsid(huge_encode_dev(d->d_sb->s_dev));
	spin_lock(&m->statfs_lock);
	m->statfs = *st;
	m->statfs_until = asked + HZ;
	m->statfs_said = true;
	spin_unlock(&m->statfs_lock);
	return 0;
}
