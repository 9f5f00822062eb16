// SPDX-License-Identifier: GPL-2.0-only
/*
 * pinned.c - frames that this client cannot give back yet
 *
 * A revoked frame is in no page table any more, but direct I/O, a pipe
 * (vmsplice) or io_uring may hold its page, for as long as they like.  The
 * owner cannot wait for that with a file system's locks held.  So the client
 * says KEPT for such a frame, then REVOKED: the owner goes on, but keeps the
 * page from being reused until RELEASED, and says FREED then.  Each KEPT has a name of its
 * own, which RELEASED repeats: so neither does harm when it comes twice or late.
 *
 *	pinned_add	a frame of a file could not be given up
 *	pinned_lose	... and nobody will know which
 *	pinned_tell	the owner takes pages back: KEPT for those among them
 *	pinned_look	RELEASED for those that nobody holds any more
 *	pinned_freed	the owner knows: nothing more to be said
 *
 * A frame of a file that was closed here waits to be revoked: until then the
 * owner's grant holds it, and nothing has to be said.
 *
 * All that sends or changes what is noted, but pinned_add, is called by peer.c's thread.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "link/peer.h"
#include "client/pinned.h"
#include "sharedpc_limits.h"

struct pinned {
	struct page *page;
	u32 server;		/* as the owner names it: the three */
	u64 file, index;
	u64 name;		/* KEPT was sent with it: RELEASED must follow; or 0 */
	unsigned long sent;	/* RELEASED, jiffies */
};

/* By frame number; a frame belongs to one owner. */
static struct xarray pinned[SHAREDPC_IMAGES_MAX];
/* RELEASED was sent, FREED has not come: by name.  Changed by the thread alone. */
static struct xarray released[SHAREDPC_IMAGES_MAX];
static u64 last_name;		/* the thread's alone */
static bool lost[SHAREDPC_IMAGES_MAX];	/* a frame of its is held and not among them */

void pinned_init(void)
{
	u32 i;

	for (i = 0; i < SHAREDPC_IMAGES_MAX; i++) {
		xa_init(&pinned[i]);
		xa_init(&released[i]);
	}
}

/* Never waits.  0; -ENOMEM: nobody will remember this frame. */
int pinned_add(struct page *page, const struct session *s, u64 file, u64 index)
{
	const u32 owner = s->owner;
	struct pinned *p = kmalloc(sizeof(*p), GFP_ATOMIC | __GFP_NOWARN), *old;
	int err = 0;

	if (!p)
		return -ENOMEM;
	*p = (struct pinned){
		.page = page, .server = s->server, .file = file, .index = index,
	};
	xa_lock(&pinned[owner]);
	old = xa_load(&pinned[owner], page_to_pfn(page));
	if (old) {	/* it came back meanwhile, and is pinned again */
		old->server = s->server;
		old->file = file;
		old->index = index;
	} else {
		err = xa_err(__xa_store(&pinned[owner], page_to_pfn(page), p,
					GFP_ATOMIC | __GFP_NOWARN));
	}
	xa_unlock(&pinned[owner]);
	if (old || err)
		kfree(p);
	return err;
}

/*
 * A frame is held that nobody could be made to remember, and its file is gone:
 * of no page that this owner takes back from now on it can be said for certain
 * that it is free.
 */
void pinned_lose(u32 owner)
{
	WRITE_ONCE(lost[owner], true);
}

int pinned_tell(u32 owner, const struct sharedpc_msg *revoke, struct sharedpc_msg *answer)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_KEPT,
		.slot = revoke->slot,
		.file = revoke->file,
		.server = revoke->server,
		.result = revoke->result,
	};
	struct pinned *p;
	unsigned long pfn;
	int err;

	if (READ_ONCE(lost[owner]))
		return -ENOMEM;
	xa_for_each(&pinned[owner], pfn, p) {
		if (p->server != revoke->server || p->file != revoke->file ||
		    p->index < revoke->pos ||
		    p->index - revoke->pos >= revoke->count)
			continue;
		p->name = p->name ?: ++last_name;
		msg.pos = p->index;
		msg.data = PFN_PHYS(pfn);
		msg.count = p->name;
		err = peer_send_wait(owner, &msg);
		if (err)
			return err;
		answer->count++;
		answer->data += msg.data;
	}
	return 0;
}

static int released_send(u32 owner, struct pinned *p)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_MSG_RELEASED,
		.pos = p->name,
		.data = PFN_PHYS(page_to_pfn(p->page)),
	};

	p->sent = jiffies;
	return peer_send(owner, &msg, NULL, 0);
}

/*
 * Say RELEASED and take it off, if nobody holds it: the region's own reference
 * is the last.  False: not now.
 */
static bool pinned_end(u32 owner, struct pinned *p)
{
	bool end;

	if (page_ref_count(p->page) > 1)
		return false;
	/* Nothing is said without being noted. */
	if (p->name && xa_err(xa_store(&released[owner], p->name, p,
				       GFP_NOWAIT | __GFP_NOWARN)))
		return false;
	/* The lock keeps pinned_add away; peer_send does not sleep. */
	xa_lock(&pinned[owner]);
	end = page_ref_count(p->page) <= 1 &&
	      !(p->name && released_send(owner, p) == -EAGAIN);
	if (end)
		__xa_erase(&pinned[owner], page_to_pfn(p->page));
	xa_unlock(&pinned[owner]);
	if (!end && p->name)
		xa_erase(&released[owner], p->name);
	return end;
}

/* FREED does not come. */
static void released_again(u32 owner)
{
	unsigned long name;
	struct pinned *p;

	xa_for_each(&released[owner], name, p)
		if (time_after_eq(jiffies, p->sent + LIMIT_RESEND_S * HZ))
			released_send(owner, p);
}

bool pinned_look(u32 owner)
{
	struct pinned *p;
	unsigned long pfn;

	xa_for_each(&pinned[owner], pfn, p)
		if (pinned_end(owner, p) && !p->name)
			kfree(p);
	if (!xa_empty(&released[owner]))
		released_again(owner);
	return !xa_empty(&pinned[owner]);
}

void pinned_freed(u32 owner, const struct sharedpc_msg *msg)
{
	kfree(xa_erase(&released[owner], msg->pos));
}

/* The owner is dead: nobody waits for them. */
void pinned_forget(u32 owner)
{
	struct pinned *p;
	unsigned long pfn;

	WRITE_ONCE(lost[owner], false);
	xa_for_each(&pinned[owner], pfn, p) {
		xa_erase(&pinned[owner], pfn);
		kfree(p);
	}
	xa_for_each(&released[owner], pfn, p) {
		xa_erase(&released[owner], pfn);
		kfree(p);
	}
}

u64 pinned_count(u32 owner)
{
	struct pinned *p;
	unsigned long pfn;
	u64 n = 0;

	xa_for_each(&pinned[owner], pfn, p)
		n++;
	xa_for_each(&released[owner], pfn, p)
		n++;
	return n;
}
