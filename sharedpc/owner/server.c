// SPDX-License-Identifier: GPL-2.0-only
/*
 * server.c - one server per client: from SERVE to the last close
 *
 * A server belongs to the open device file that said SERVE.  The listening
 * thread finds it by the client's id.  When the client dies, the server is
 * marked gone: NEXT says ENODEV and the proxy leaves.  When the proxy leaves
 * first, every open call is answered with EIO, everything that the client
 * holds is taken back, and its files are ended, before another proxy can say
 * SERVE.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/sched/mm.h>
#include "box/ctl.h"
#include "image/image.h"
#include "link/peer.h"
#include "owner/server.h"

static DEFINE_SPINLOCK(servers_lock);
static struct server *servers[SHAREDPC_IMAGES_MAX];

struct server *server_open(u32 client)
{
	struct server *s;

	if (client >= ctl_nr_images || client == ctl_self)
		return ERR_PTR(-EINVAL);
	if (!peer_up(client))
		return ERR_PTR(-ENOTCONN);
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return ERR_PTR(-ENOMEM);
	kref_init(&s->ref);
	s->client = client;
	s->epoch = peer_epoch(client);
	s->mm = current->mm;
	spin_lock_init(&s->lock);
	INIT_LIST_HEAD(&s->queued);
	init_waitqueue_head(&s->wait);
	INIT_LIST_HEAD(&s->revokes);
	/* Answers to an earlier server must not match. */
	s->revoke_serial = get_random_u32();
	mutex_init(&s->maps_lock);
	INIT_LIST_HEAD(&s->maps);
	mutex_init(&s->sizes_lock);
	xa_init(&s->sizes);

	spin_lock(&servers_lock);
	if (servers[client]) {
		spin_unlock(&servers_lock);
		kfree(s);
		return ERR_PTR(-EBUSY);
	}
	servers[client] = s;
	spin_unlock(&servers_lock);
	/* It may have gone before server_peer_went could find us. */
	if (!server_current(s)) {
		server_close(s);
		return ERR_PTR(-ENOTCONN);
	}
	return s;
}

bool server_current(const struct server *s)
{
	return peer_up(s->client) && peer_epoch(s->client) == s->epoch &&
	       s->epoch == image_life(s->client);
}

static void server_free(struct kref *ref)
{
	kfree(container_of(ref, struct server, ref));
}

void server_put(struct server *s)
{
	kref_put(&s->ref, server_free);
}

struct server *server_get(u32 client)
{
	struct server *s;

	spin_lock(&servers_lock);
	s = servers[client];
	if (s)
		kref_get(&s->ref);
	spin_unlock(&servers_lock);
	return s;
}

void server_close(struct server *s)
{
	request_fail_all(s);
	map_remove_all(s);
	/* A client that could not be stopped may look for ever. */
	if (!revoke_end(s))
		size_drop_all(s);
	spin_lock(&servers_lock);
	servers[s->client] = NULL;
	spin_unlock(&servers_lock);
	server_put(s);
}

void server_peer_went(u32 client)
{
	struct server *s = server_get(client);

	if (!s)
		return;
	WRITE_ONCE(s->gone, true);
	wake_up_all(&s->wait);
	server_put(s);
}

u64 server_granted(u32 client)
{
	struct server *s = server_get(client);
	u64 granted = 0;

	if (s) {
		granted = atomic64_read(&s->granted);
		server_put(s);
	}
	return granted;
}
