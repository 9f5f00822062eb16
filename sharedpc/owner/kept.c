// SPDX-License-Identifier: GPL-2.0-only
/*
 * kept.c - frames that a client gave back in name only: the owner's side
 *
 * The client says KEPT for a page that I/O of its own still holds (pinned.c),
 * as part of its answer to a REVOKE.  The page gets a reference then, which
 * goes with RELEASED or when the client's CPUs have stopped for certain.
 * Meanwhile it may leave its file, but nobody else gets it.
 *
 * Which page it is says the grant that is being revoked, not the client.
 */
#include <linux/mm.h>
#include <linux/xarray.h>
#include "box/ctl.h"
#include "owner/server.h"

static struct xarray kept[SHAREDPC_IMAGES_MAX];		/* pfn -> page */
static atomic64_t count[SHAREDPC_IMAGES_MAX];

void kept_init(void)
{
	u32 i;

	for (i = 0; i < SHAREDPC_IMAGES_MAX; i++)
		xa_init_flags(&kept[i], XA_FLAGS_LOCK_BH);
}

/* @page is granted to @client and stays so meanwhile.  Does not sleep. */
void kept_add(u32 client, struct page *page)
{
	unsigned long pfn = page_to_pfn(page);
	int err = 0;

	xa_lock_bh(&kept[client]);
	if (!xa_load(&kept[client], pfn)) {
		get_page(page);
		atomic64_inc(&count[client]);
		err = xa_err(__xa_store(&kept[client], pfn, page,
					GFP_ATOMIC | __GFP_NOWARN));
	}
	xa_unlock_bh(&kept[client]);
	if (err)	/* with the reference it is safe for ever */
		pr_err_ratelimited("image %s keeps frame %#lx, which is lost: %d\n",
				   ctl_name(client), pfn, err);
}

static void kept_put(u32 client, struct page *page)
{
	atomic64_dec(&count[client]);
	put_page(page);
}

/* The listening thread. */
void kept_released(u32 client, const struct sharedpc_msg *msg)
{
	struct page *page = xa_erase_bh(&kept[client], PHYS_PFN(msg->pos));

	if (page)
		kept_put(client, page);
}

/* No CPU of @client runs. */
void kept_drop(u32 client)
{
	struct page *page;
	unsigned long pfn;

	xa_for_each(&kept[client], pfn, page)
		if (xa_erase_bh(&kept[client], pfn))
			kept_put(client, page);
}

u64 kept_count(u32 client)
{
	return atomic64_read(&count[client]);
}
