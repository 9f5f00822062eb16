// SPDX-License-Identifier: GPL-2.0-only
/*
 * sync.c - sync(2) and syncfs(2): the owner writes its file system back
 *
 * FUSE does not ask for that.  What we have stored is in the owner's pages, and it is told of
 * what it does not know of (file_noted), so all there is to do is done there.  One at a time
 * for a mount: who waits for a disk has one of the slots for names.
 *
 * The caller holds s_umount, for reading, as he does while a local disk is slow: what waits
 * for it is umount and remount, which say EBUSY or wait as well; who waits here can be killed.
 */
#include <linux/fs.h>
#include <linux/mutex.h>
#include "cache/cache.h"
#include "client/call.h"
#include "client/file.h"

static int sync_ask(struct cache_mount *m)
{
	int err = 0;

	/* One that nobody waits for any more is at the owner still. */
	while (!err && m->sync_call && call_open(m->session, m->sync_call))
		err = direct_pause(m);
	if (err)
		return err;
	m->sync_call = 0;
	/* Until there is room for it: who is told of an error takes his data for lost. */
	for (;;) {
		err = direct_sync(m, &m->sync_call);
		if (err != DIRECT_NOT)
			return err;
		err = direct_pause(m);
		if (err)
			return err;
	}
}

int cache_sync_fs(struct super_block *sb, int wait)
{
	struct cache_mount *m = cache_mount_of(sb);
	int err;

	/* No root: this is umount, which need not wait for what others' disks do. */
	if (!wait || !sb->s_root || !m->session || !m->ask)
		return 0;
	if (mutex_lock_killable(&m->sync_lock))
		return -EINTR;
	err = file_noted(m->session) ?: sync_ask(m);
	mutex_unlock(&m->sync_lock);
	return err;
}
