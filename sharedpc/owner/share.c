// SPDX-License-Identifier: GPL-2.0-only
/*
 * share.c - the maps of one file, by all its clients
 *
 * When something happens to pages of a file the owner's kernel goes from one proxy's
 * memory map to the next, and calls each one's notifier, which waits for its client. So the
 * first one that is called takes the pages back from all clients, at once, and waits for
 * all together: the others then have nothing left to wait for.
 *
 * That is ahead of what the kernel has decided, and binds nobody: what a client is
 * granted again in between is taken back when the kernel comes to its map.
 */
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include "owner/server.h"

#define SHARES_BITS	10
#define OTHERS_MAX	(2 * SHAREDPC_IMAGES_MAX)	/* maps: one for each client, or two */

static bool revoke_together = true;
module_param(revoke_together, bool, 0644);
MODULE_PARM_DESC(revoke_together, "owner: take pages back from all clients at once");

struct share {
	struct hlist_node node;
	const struct inode *inode;	/* its maps hold files of it open */
	struct list_head maps;
	u32 nr;				/* of them */
};

static DEFINE_SPINLOCK(lock);		/* all below, and what is in shares */
static struct hlist_head shares[1 << SHARES_BITS];

static struct share *share_find(const struct inode *inode)
{
	struct share *share;

	hlist_for_each_entry(share, &shares[hash_ptr(inode, SHARES_BITS)], node)
		if (share->inode == inode)
			return share;
	return NULL;
}

void share_join(struct map *m, const struct inode *inode)
{
	struct share *new = kzalloc(sizeof(*new), GFP_KERNEL), *share;

	/* As good without: its client is asked when the kernel comes to it. */
	if (!new)
		return;
	new->inode = inode;
	INIT_LIST_HEAD(&new->maps);
	spin_lock(&lock);
	share = share_find(inode);
	if (!share) {
		share = new;
		new = NULL;
		hlist_add_head(&share->node, &shares[hash_ptr(inode, SHARES_BITS)]);
	}
	list_add(&m->in_share, &share->maps);
	share->nr++;
	m->share = share;
	spin_unlock(&lock);
	kfree(new);
}

void share_leave(struct map *m)
{
	struct share *share = m->share, *last = NULL;

	if (!share)
		return;
	spin_lock(&lock);
	list_del(&m->in_share);
	if (!--share->nr) {
		hlist_del(&share->node);
		last = share;
	}
	m->share = NULL;
	spin_unlock(&lock);
	kfree(last);
}

/* Those of the file but the one that is called: what is being taken back of them ahead. */
struct others {
	struct meanwhile w;
	struct map *map[OTHERS_MAX];	/* with references; NULL: it is over */
	u32 nr;
};

static void others_find(struct others *others, const struct map *m, u64 first, u64 last)
{
	struct map *o;

	spin_lock(&lock);
	if (m->share && m->share->nr > 1) {
		list_for_each_entry(o, &m->share->maps, in_share) {
			if (o == m || others->nr == OTHERS_MAX || last < o->index ||
			    first >= o->index + o->pages)
				continue;
			kref_get(&o->ref);
			others->map[others->nr++] = o;
		}
	}
	spin_unlock(&lock);
}

static void other_end(struct others *others, u32 i)
{
	struct map *o = others->map[i];

	others->map[i] = NULL;
	revoke_ahead_end(o, &others->w);
	map_put(o);
}

/* Who has answered is not kept from new frames by who has not. */
static void others_look(struct meanwhile *w)
{
	struct others *others = container_of(w, struct others, w);
	u32 i;

	for (i = 0; i < others->nr; i++)
		if (others->map[i] && revoke_ahead_ready(others->map[i]))
			other_end(others, i);
}

static void others_begin(struct others *others, u64 first, u64 last, bool write)
{
	struct map *o;
	u32 i;

	for (i = 0; i < others->nr; i++) {
		o = others->map[i];
		if (revoke_ahead(o, max(first, o->index), min(last, o->index + o->pages - 1),
				 write))
			continue;
		map_put(o);
		others->map[i] = NULL;
	}
}

void share_revoke(struct map *m, u64 first, u64 last, bool write)
{
	struct others others = { .w.run = others_look };
	bool done = true;
	u32 i;

	if (READ_ONCE(revoke_together))
		others_find(&others, m, first, last);
	others_begin(&others, first, last, write);
	/* Not to be waited for here: who takes of us may wait for what we take of others. */
	if (write)
		done = revoke_write(m, first, last, &others.w, false);
	else
		revoke_all(m, first, last, &others.w);
	others_look(&others.w);
	for (i = 0; i < others.nr; i++)
		if (others.map[i])
			other_end(&others, i);
	if (!done)
		revoke_write(m, first, last, NULL, true);
}
