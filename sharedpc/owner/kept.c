// SPDX-License-Identifier: GPL-2.0-only
/*
 * kept.c - frames that a client gave back in name only: the owner's side
 *
 * The client says KEPT for a page that I/O of its own still holds (pinned.c),
 * as part of its answer to a REVOKE.  The page gets a reference then, which
 * goes with RELEASED or when the client's CPUs have stopped for certain.
 * Meanwhile it may leave its file, but nobody else gets it.
 *
 * Which page it is says the grant that is being revoked, not the client.  By which name
 * it is kept the client says, so that a message that comes twice or late means nothing.
 *
 * What a client still holds that could be made to give nothing back is kept as well,
 * until it has stopped: no message of its counts for that.
 */
#include <linux/mm.h>
#include <linux/xarray.h>
#include "box/ctl.h"
#include "link/peer.h"
#include "owner/server.h"

static struct xarray kept[SHAREDPC_IMAGES_MAX];		/* pfn -> name, a value */
static struct xarray stuck[SHAREDPC_IMAGES_MAX];	/* pfn -> epoch, a value */
static atomic64_t count[SHAREDPC_IMAGES_MAX];		/* of both */

void kept_init(void)
{
	u32 i;

	for (i = 0; i < SHAREDPC_IMAGES_MAX; i++) {
		xa_init_flags(&kept[i], XA_FLAGS_LOCK_BH);
		xa_init_flags(&stuck[i], XA_FLAGS_LOCK_BH);
	}
}

static void *name_value(u64 name)
{
	return xa_mk_value(name & LONG_MAX);
}

/* Note @page, which is granted to @client and stays so meanwhile.  0 or -errno. */
static int keep(struct xarray *xa, u32 client, struct page *page, u64 name)
{
	unsigned long pfn = page_to_pfn(page);
	void *old;

	xa_lock_bh(xa);
	/* There already: by another name from now on. */
	old = __xa_store(xa, pfn, name_value(name), GFP_ATOMIC | __GFP_NOWARN);
	if (!old) {
		get_page(page);
		atomic64_inc(&count[client]);
	}
	xa_unlock_bh(xa);
	return xa_err(old);
}

void kept_stuck(u32 client, u32 epoch, struct page *page)
{
	int err = keep(&stuck[client], client, page, epoch);

	if (!err)
		return;
	get_page(page);		/* with that it is safe for ever */
	atomic64_inc(&count[client]);
	pr_err_ratelimited("image %s keeps frame %#lx, which is lost: %d\n",
			   ctl_name(client), page_to_pfn(page), err);
}

void kept_add(const struct server *s, u64 name, struct page *page)
{
	if (keep(&kept[s->client], s->client, page, name))
		kept_stuck(s->client, s->epoch, page);	/* until it has stopped */
}

static void kept_put(u32 client, unsigned long pfn)
{
	atomic64_dec(&count[client]);
	put_page(pfn_to_page(pfn));
}

/* Soft interrupt. */
void kept_released(u32 client, const struct sharedpc_msg *msg)
{
	struct sharedpc_msg freed = {
		.type = SHAREDPC_MSG_FREED, .pos = msg->pos, .data = msg->data,
	};
	unsigned long pfn = PHYS_PFN(msg->data);
	bool found;

	xa_lock_bh(&kept[client]);
	found = xa_load(&kept[client], pfn) == name_value(msg->pos);
	if (found)
		__xa_erase(&kept[client], pfn);
	xa_unlock_bh(&kept[client]);
	if (found)
		kept_put(client, pfn);
	/* If it does not get there it is asked for again. */
	peer_send(client, &freed, NULL, 0);
}

static void drop(struct xarray *xa, u32 client, u64 most)
{
	unsigned long pfn;
	void *entry;

	xa_for_each(xa, pfn, entry)
		if (xa_to_value(entry) <= most && xa_erase_bh(xa, pfn))
			kept_put(client, pfn);
}

void kept_unstick(u32 client, u32 epoch)
{
	drop(&stuck[client], client, epoch);
}

/* No CPU of @client runs, nor will before this is over. */
void kept_drop(u32 client)
{
	drop(&kept[client], client, U64_MAX);
	drop(&stuck[client], client, U64_MAX);
}

u64 kept_count(u32 client)
{
	return atomic64_read(&count[client]);
}
