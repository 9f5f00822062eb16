// SPDX-License-Identifier: GPL-2.0-only
/*
 * grant.c - vtop: from pages of the proxy's mapping to frames of the client
 *
 * In the proxy's own task, so that its memory policy and its rights count:
 *
 *	1. note the notifier's sequence
 *	2. fault the pages in (hmm_range_fault), for writing where asked
 *	3. all in the region?  If not the proxy migrates them and comes back; and
 *	   may the client have so many more?
 *	4. under the grants' lock: sequence unchanged?  Then nothing was taken
 *	   away since 1: record the grant and put the answer on the ring
 *	5. else again
 *
 * An invalidation takes the same lock to move the sequence and sends REVOKE
 * after that, so the answer of step 4 is on the ring before the REVOKE that
 * takes it back.
 */
#include <linux/delay.h>
#include <linux/hmm.h>
#include <linux/mm.h>
#include "link/peer.h"
#include "link/point.h"
#include "box/ctl.h"
#include "box/region.h"
#include "owner/server.h"
#include "sharedpc_limits.h"

#define TRIES	LIMIT_GRANT_TRIES	/* of steps 1 to 4 */

struct grant {
	struct server *server;
	struct map *map;
	struct sharedpc_msg call;
	u64 index;
	u32 count;
	u64 foreign;
	unsigned long pfn[SHAREDPC_FAULT_MAX];		/* hmm's */
	u64 frame[SHAREDPC_FAULT_MAX];			/* the answer's */
};

/* Pages that the call is about, as opposed to those around. */
static bool page_needed(const struct grant *g, u64 index)
{
	if (g->call.flags & SHAREDPC_CALL_AROUND)
		return index == g->call.pos;
	return index >= g->call.pos && index < g->call.pos + g->call.count;
}

static int grant_fault(struct grant *g, unsigned long *seq)
{
	unsigned long addr = g->map->addr + (g->index - g->map->index) * PAGE_SIZE;
	struct hmm_range range = {
		.notifier = &g->map->mni,
		.start = addr,
		.end = addr + g->count * PAGE_SIZE,
		.hmm_pfns = g->pfn,
		.pfn_flags_mask = HMM_PFN_REQ_FAULT | HMM_PFN_REQ_WRITE,
	};
	int err;
	u32 i;

	for (i = 0; i < g->count; i++) {
		g->pfn[i] = HMM_PFN_REQ_FAULT;
		if (g->call.flags & SHAREDPC_CALL_WRITE && page_needed(g, g->index + i))
			g->pfn[i] |= HMM_PFN_REQ_WRITE;
	}
	*seq = mmu_interval_read_begin(&g->map->mni);
	range.notifier_seq = *seq;
	mmap_read_lock(current->mm);
	err = hmm_range_fault(&range);
	mmap_read_unlock(current->mm);
	return err;
}

static int grant_check(struct grant *g)
{
	u32 i;

	g->foreign = 0;
	for (i = 0; i < g->count; i++) {
		if (!(g->pfn[i] & HMM_PFN_VALID))
			return -EFAULT;
		/* Another owner's: through an overlay over what was mounted from there. */
		if (is_zone_device_page(hmm_pfn_to_page(g->pfn[i])))
			return -EFAULT;
		if (!region_has(ctl_self, page_to_pfn(hmm_pfn_to_page(g->pfn[i]))))
			g->foreign |= 1ULL << i;
	}
	if (g->foreign)
		atomic64_add(hweight64(g->foreign), &g->server->foreign);
	return g->foreign ? -EXDEV : 0;
}

/* Frames that the client does not hold yet, by this file. */
static u32 grant_new(struct grant *g)
{
	unsigned long index = g->index;
	u32 had = 0;
	void *entry;

	xa_for_each_range(&g->map->grants, index, entry, g->index,
			  g->index + g->count - 1)
		had++;
	return g->count - had;
}

static int grant_room(struct grant *g)
{
	u32 more = grant_new(g);

	return !more || more <= quota_room(g->server) ? 0 : -ENOSPC;
}

/* Memory for the records, before the lock. */
static int grant_reserve(struct grant *g)
{
	u32 i;
	int err;

	for (i = 0; i < g->count; i++) {
		err = xa_reserve_bh(&g->map->grants, g->index + i, GFP_KERNEL);
		if (err)
			return err;
	}
	return 0;
}

/* Note that page @index is granted.  False: there is no memory for that. */
static bool grant_note(struct grant *g, struct page *page, u64 index)
{
	struct xarray *grants = &g->map->grants;
	void *entry = xa_mk_value(page_to_pfn(page));

	/* A page that was replaced was revoked first. */
	if (xa_load(grants, index))
		return true;
	/* What was there when memory was reserved may have been taken back ahead since. */
	if (xa_err(__xa_store(grants, index, entry, GFP_ATOMIC | __GFP_NOWARN)))
		return false;
	get_page(page);
	server_granted_add(g->server, 1);
	return true;
}

/*
 * Under xa_lock, sequence checked: the pages cannot go away now.  One that cannot be noted
 * could never be taken back: it is not given, and will be asked for again.
 */
static void grant_record(struct grant *g)
{
	struct xarray *grants = &g->map->grants;
	u32 i;

	for (i = 0; i < g->count; i++) {
		struct page *page = hmm_pfn_to_page(g->pfn[i]);
		u64 index = g->index + i;

		g->frame[i] = 0;
		if (!grant_note(g, page, index))
			continue;
		g->frame[i] = PFN_PHYS(page_to_pfn(page));
		if (g->pfn[i] & HMM_PFN_WRITE) {
			g->frame[i] |= SHAREDPC_FRAME_WRITE;
			__xa_set_mark(grants, index, GRANT_WRITE);
			__xa_set_mark(grants, index, GRANT_DIRTY);
		}
	}
}

static int grant_publish(struct grant *g, unsigned long seq)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_FRAMES,
		.slot = g->call.slot,
		.file = g->call.file,
		.server = g->server->number,
		.pos = g->index,
		.count = g->count,
	};
	/* What is said if these get lost. */
	const struct sharedpc_msg again = {
		.type = SHAREDPC_MSG_DONE, .slot = msg.slot, .file = msg.file,
		.server = msg.server, .error = -EAGAIN,
	};
	int err = -EBUSY;

	err = grant_reserve(g);
	if (err)
		return err;
	xa_lock_bh(&g->map->grants);
	if (g->map->dead) {
		err = -ENOENT;
	} else if (READ_ONCE(g->server->gone) || !server_current(g->server)) {
		err = -ENOTCONN;
	} else if (mmu_interval_read_retry(&g->map->mni, seq)) {
		err = -EBUSY;
	} else if (revoke_blocks(g->map, g->index, g->count)) {
		err = -EINPROGRESS;
	} else {
		/*
		 * Ours no more before the answer is out: the client may use
		 * the slot again as soon as it has it.
		 */
		err = request_finish(g->server, g->call.slot, &again);
		if (!err) {
			grant_record(g);
			point_pass(POINT_GRANTED);
			err = peer_send(g->server->client, &msg, g->frame,
					g->count * sizeof(g->frame[0]));
			if (err)
				request_unfinish(g->server, g->call.slot);
		}
	}
	xa_unlock_bh(&g->map->grants);
	return err;
}

static bool grant_blocked(struct grant *g)
{
	bool blocked;

	xa_lock_bh(&g->map->grants);
	blocked = revoke_blocks(g->map, g->index, g->count);
	xa_unlock_bh(&g->map->grants);
	return blocked;
}

static int grant_try(struct grant *g)
{
	unsigned long seq;
	int err, tries;

	for (tries = 0; tries < TRIES; tries++) {
		err = grant_fault(g, &seq);
		if (!err)
			err = grant_check(g);
		if (!err)
			err = grant_room(g);
		if (!err)
			err = grant_publish(g, seq);
		/* -EBUSY: it moved.  -EAGAIN: the ring is full.  -EINPROGRESS: it will move. */
		if (err == -EAGAIN)
			usleep_range(500, 2000);
		else if (err == -EINPROGRESS)
			wait_event_interruptible_timeout(g->map->taken, !grant_blocked(g), HZ);
		else if (err != -EBUSY)
			return err;
		if (signal_pending(current))
			break;
	}
	return -EAGAIN;
}

int grant_frames(struct server *s, struct sharedpc_grant *want)
{
	struct grant g = { .server = s, .index = want->index, .count = want->count };
	int err;

	if (!want->count || want->count > SHAREDPC_FAULT_MAX)
		return -EINVAL;
	err = request_find(s, want->slot, &g.call);
	if (err)
		return err;
	if (g.call.type != SHAREDPC_OP_FAULT || g.call.pos < want->index ||
	    g.call.pos >= want->index + want->count)
		return -EINVAL;
	g.map = map_find(s, g.call.file, want->index, want->count);
	if (!g.map)
		return -ENOENT;
	atomic64_inc(&s->faults);
	err = grant_try(&g);
	want->foreign = g.foreign;
	map_put(g.map);
	if (!err)
		atomic64_add(want->count, &s->grants);
	return err == -ENOTCONN ? -ESTALE : err;
}
