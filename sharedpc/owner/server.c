// SPDX-License-Identifier: GPL-2.0-only
/*
 * server.c - a server of one client and file system: from SERVE to the last close
 *
 * A server belongs to the open device file that said SERVE.  What the client says
 * finds it by its number.  When the client dies, the server is
 * marked gone: NEXT says ENODEV and the proxy leaves.  When the proxy leaves
 * first, every open call is answered with EIO, everything that the client
 * holds of it is taken back, and its files are ended, before another proxy can say
 * SERVE for that client and file system: a page is known to a client by one server
 * at a time.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/sched/mm.h>
#include "box/ctl.h"
#include "image/lives.h"
#include "link/peer.h"
#include "owner/server.h"

/* By number.  None comes or goes but with open_lock. */
static DEFINE_XARRAY_FLAGS(servers, XA_FLAGS_LOCK_BH | XA_FLAGS_ALLOC1);
static DEFINE_MUTEX(open_lock);
static u32 last;
static atomic64_t granted[SHAREDPC_IMAGES_MAX];

static struct server *server_make(u32 client, const struct super_block *sb)
{
	struct server *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	kref_init(&s->ref);
	s->client = client;
	s->epoch = peer_epoch(client);
	s->sb = sb;
	s->dev = sb->s_dev;
	s->mm = current->mm;
	spin_lock_init(&s->lock);
	INIT_LIST_HEAD(&s->names.list);
	init_waitqueue_head(&s->names.wait);
	INIT_LIST_HEAD(&s->data.list);
	init_waitqueue_head(&s->data.wait);
	INIT_LIST_HEAD(&s->revokes);
	/* Answers to an earlier server must not match. */
	s->revoke_serial = get_random_u32();
	mutex_init(&s->maps_lock);
	INIT_LIST_HEAD(&s->maps);
	mutex_init(&s->sizes_lock);
	xa_init(&s->sizes);
	mutex_init(&s->locks_lock);
	return s;
}

/* With open_lock. */
static struct server *server_add(u32 client, const struct super_block *sb, u32 *number)
{
	unsigned long n;
	struct server *s;
	int err;

	xa_for_each(&servers, n, s) {
		if (s->client == client && s->sb == sb) {
			*number = n;
			return ERR_PTR(-EBUSY);
		}
	}
	s = server_make(client, sb);
	if (!s)
		return ERR_PTR(-ENOMEM);
	err = xa_alloc_cyclic_bh(&servers, &s->number, s, xa_limit_31b, &last, GFP_KERNEL);
	if (err < 0) {
		kfree(s);
		return ERR_PTR(err);
	}
	*number = s->number;
	return s;
}

/* Files that are another image's: their frames are not ours to give. */
static bool is_ccfs(const struct super_block *sb)
{
	return sb->s_subtype && !strcmp(sb->s_subtype, "ccfs");
}

struct server *server_open(struct sharedpc_serve *want)
{
	struct file *file;
	struct server *s;

	if (want->client >= ctl_nr_images || want->client == ctl_self || want->reserved)
		return ERR_PTR(-EINVAL);
	if (!ctl_is_owner(ctl_self))
		return ERR_PTR(-ENODEV);
	/* In which life it is says the boot image, not the client. */
	if (!peer_up(want->client) || lives_learn(want->client))
		return ERR_PTR(-ENOTCONN);
	file = fget_raw(want->fd);
	if (!file)
		return ERR_PTR(-EBADF);
	if (is_ccfs(file_inode(file)->i_sb)) {
		fput(file);
		return ERR_PTR(-EOPNOTSUPP);
	}
	mutex_lock(&open_lock);
	s = server_add(want->client, file_inode(file)->i_sb, &want->server);
	mutex_unlock(&open_lock);
	fput(file);
	/* Somebody there has just asked for this: it is silent no more. */
	if (!IS_ERR(s))
		revoke_believe(want->client);
	/* It may have gone before server_peer_went could find us. */
	if (!IS_ERR(s) && !server_current(s)) {
		server_close(s);
		return ERR_PTR(-ENOTCONN);
	}
	return s;
}

bool server_current(const struct server *s)
{
	return peer_up(s->client) && peer_epoch(s->client) == s->epoch &&
	       s->epoch == lives_now(s->client);
}

int server_removed(const struct server *s, const struct sharedpc_removed *removed)
{
	const struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_REMOVED, .server = s->number, .file = removed->mount,
		.pos = removed->node,
	};

	return server_current(s) ? peer_send(s->client, &msg, NULL, 0) : -ENOTCONN;
}

static void server_free(struct kref *ref)
{
	kfree(container_of(ref, struct server, ref));
}

void server_put(struct server *s)
{
	kref_put(&s->ref, server_free);
}

struct server *server_get(u32 client, u32 number)
{
	struct server *s;

	xa_lock_bh(&servers);
	s = xa_load(&servers, number);
	if (s && s->client == client)
		kref_get(&s->ref);
	else
		s = NULL;
	xa_unlock_bh(&servers);
	return s;
}

struct server *server_next(u32 *number)
{
	unsigned long n = *number;
	struct server *s;

	xa_lock_bh(&servers);
	s = xa_find(&servers, &n, U32_MAX, XA_PRESENT);
	if (s)
		kref_get(&s->ref);
	xa_unlock_bh(&servers);
	*number = n;
	return s;
}

void server_close(struct server *s)
{
	request_fail_all(s);
	map_remove_all(s);
	/* A client that could not be stopped may look for ever. */
	if (!revoke_end(s))
		size_drop_all(s);
	/* Others may have them when it can store nothing more. */
	locking_drop_all(s);
	mutex_lock(&open_lock);
	xa_erase_bh(&servers, s->number);
	mutex_unlock(&open_lock);
	server_put(s);
}

void server_peer_went(u32 client)
{
	unsigned long n;
	struct server *s;

	xa_lock_bh(&servers);
	xa_for_each(&servers, n, s) {
		if (s->client != client)
			continue;
		WRITE_ONCE(s->gone, true);
		request_wake(s);
	}
	xa_unlock_bh(&servers);
}

void server_granted_add(struct server *s, int frames)
{
	atomic64_add(frames, &s->granted);
	atomic64_add(frames, &granted[s->client]);
}

u64 server_granted(u32 client)
{
	return atomic64_read(&granted[client]);
}
