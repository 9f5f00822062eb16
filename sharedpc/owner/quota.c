// SPDX-License-Identifier: GPL-2.0-only
/*
 * quota.c - how many frames a client may hold
 *
 * What a client has granted is locked in this owner's part of the region for as long as
 * it likes.  So that
 * one cannot take it from the others, each has a share that is its own: of a quarter of
 * that part, which is divided among all images that there could be; and whoever has
 * his share gets more only from what nobody's share needs.  A server may have a limit
 * besides, of its file system's frames.
 *
 * What a client keeps (kept.c) it holds.  A frame that several clients hold counts for
 * each: that is on the safe side.  What is counted moves meanwhile, so the limits are exact to the few grants that are on the
 * way, for which there is a reserve.
 */
#include <linux/minmax.h>
#include "box/ctl.h"
#include "box/region.h"
#include "owner/server.h"

#define RESERVE_PART	50	/* of the region: left free for the owner's kernel */
#define RESERVE_MIN	512	/* frames */
#define SHARES_PART	4

static u64 reserve(void)
{
	return max_t(u64, region_pages_of(ctl_self) / RESERVE_PART, RESERVE_MIN);
}

u64 quota_share(void)
{
	return region_pages_of(ctl_self) / SHARES_PART / max_t(u32, ctl_nr_images - 1, 1);
}

static u64 held(u32 client)
{
	return server_granted(client) + kept_count(client);
}

/* What the shares of all clients but @client still lack. */
static u64 others_lack(u32 client)
{
	u64 share = quota_share(), lack = 0, has;
	u32 i;

	for (i = 0; i < ctl_nr_images; i++) {
		has = held(i);
		if (i != ctl_self && i != client && has < share)
			lack += share - has;
	}
	return lack;
}

u64 quota_room(const struct server *s)
{
	u64 keep = reserve(), free = region_free(), room = U64_MAX, has;
	u64 limit = READ_ONCE(s->limit), share = quota_share(), own, common;

	if (limit) {
		has = atomic64_read(&s->granted);
		room = limit > has ? limit - has : 0;
	}
	if (free <= keep)
		return 0;
	free -= keep;
	has = held(s->client);
	keep = others_lack(s->client);
	own = has < share ? min(free, share - has) : 0;
	common = free > keep ? free - keep : 0;
	return min(room, max(own, common));
}
