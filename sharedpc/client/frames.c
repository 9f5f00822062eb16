// SPDX-License-Identifier: GPL-2.0-only
/*
 * frames.c - the frames of one file that this client holds
 *
 * file->frames maps a page index to a frame and what we may do with it:
 *
 *	frames_fetch	ask the owner (a call; its answer goes through _add)
 *	frames_add	frames came, in peer.c's thread
 *	frames_get	find one for use: its folio, locked and referenced
 *	frames_want	the right to write is missing
 *	frames_revoke	the owner wants some back, in peer.c's thread
 *	frames_late	stores that came after the right to write had gone
 *	frames_drop	the file goes
 *
 * Only peer.c's thread changes the entries of a living file, in the order in
 * which the owner decided.  A user looks an entry up, locks the folio, looks
 * again, and puts the frame into a page table (or copies from or to it)
 * before it unlocks the folio.  frames_revoke first changes the entry, then
 * takes the folio lock once: whoever still saw the old entry is done by then
 * and is in the page tables, from which unmap_mapping_pages takes it.
 *
 * Nobody waits for an owner while he holds a folio lock.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include "client/call.h"
#include "client/file.h"
#include "client/frames.h"
#include "client/pinned.h"
#include "box/region.h"
#include "sharedpc_limits.h"

#define MAY_WRITE_FRAME	1UL	/* in an entry's value, beside the pfn */
#define GOING		2UL	/* being revoked: as good as not there */
#define CLEANING	4UL	/* the right to write is being revoked */
#define FLAG_BITS	3
#define LATE		XA_MARK_0	/* stored to without the right: see frames_late */
#define WANTED		XA_MARK_1	/* the right to write: see frames_want */
#define TELLING		XA_MARK_2	/* was LATE, and the owner is being told */
#define PIN_WAIT	5	/* ms for references that go by themselves */

/*
 * An entry without a frame only keeps a mark: stores to that page have to be
 * noted though its frame has gone.
 */
static bool entry_has_page(void *entry)
{
	return entry && xa_to_value(entry) >> FLAG_BITS;
}

u64 frames_pfn(u64 value)
{
	return value & GOING ? 0 : value >> FLAG_BITS;
}

static struct page *entry_page(void *entry)
{
	return pfn_to_page(xa_to_value(entry) >> FLAG_BITS);
}

static void frame_adopt(struct page *page, struct inode *inode, u64 index)
{
	struct folio *folio = page_folio(page);

	folio->mapping = inode->i_mapping;
	folio->index = index;
	folio_clear_dirty(folio);
	folio_mark_uptodate(folio);
}

int frames_add(struct inode *inode, u64 index, const u64 *frame, u32 nr, u64 need)
{
	struct sharedpc_file *f = sharedpc_file(inode);
	int err = 0;
	u32 i;

	for (i = 0; i < nr; i++, index++) {
		u64 pfn = PHYS_PFN(frame[i]);
		unsigned long value = pfn << FLAG_BITS;
		void *old;

		if (!frame[i] || !region_has(f->session->owner, pfn))
			continue;
		if (frame[i] & SHAREDPC_FRAME_WRITE)
			value |= MAY_WRITE_FRAME;
		old = xa_load(&f->frames, index);
		if (!entry_has_page(old)) {
			if (READ_ONCE(pfn_to_page(pfn)->mapping)) {
				err = index == need ? -EAGAIN : err;
				continue;
			}
			frame_adopt(pfn_to_page(pfn), inode, index);
		} else if (xa_to_value(old) >> FLAG_BITS != pfn ||
			   xa_to_value(old) & GOING) {
			continue;
		} else {
			/* A right stays until it is revoked. */
			value |= xa_to_value(old) & MAY_WRITE_FRAME;
		}
		if (xa_err(xa_store(&f->frames, index, xa_mk_value(value),
				    GFP_NOWAIT | __GFP_NOWARN)) && !old)
			pfn_to_page(pfn)->mapping = NULL;
		else if (!entry_has_page(old))
			atomic64_inc(&f->held);
		if (value & MAY_WRITE_FRAME)
			xa_clear_mark(&f->frames, index, WANTED);
	}
	return err;
}

bool frames_want(struct inode *inode, u64 index)
{
	struct sharedpc_file *f = sharedpc_file(inode);
	bool before = xa_get_mark(&f->frames, index, WANTED);

	if (!before)
		xa_set_mark(&f->frames, index, WANTED);
	return before;
}

static bool entry_good(void *entry, bool write)
{
	return entry_has_page(entry) && !(xa_to_value(entry) & GOING) &&
	       (!write || xa_to_value(entry) & MAY_WRITE_FRAME);
}

struct folio *frames_get(struct inode *inode, u64 index, bool write, bool wait)
{
	struct sharedpc_file *f = sharedpc_file(inode);
	void *entry = xa_load(&f->frames, index);
	struct folio *folio;

	if (!entry_good(entry, write))
		return NULL;
	folio = page_folio(entry_page(entry));
	/* The page itself never goes: its first reference is the region's. */
	folio_get(folio);
	if (wait)
		folio_lock(folio);
	else if (!folio_trylock(folio))
		goto put;
	/*
	 * Not by what the folio says: it may have left and just be becoming another page of
	 * this file, while this one has got another frame.
	 */
	entry = xa_load(&f->frames, index);
	if (entry_good(entry, write) && page_folio(entry_page(entry)) == folio)
		return folio;
	folio_unlock(folio);
put:
	folio_put(folio);
	return NULL;
}

#define FETCH_TRIES	LIMIT_FETCH_TRIES	/* more, of an owner that has no frames to spare */
#define FETCH_PAUSE_MS	LIMIT_FETCH_PAUSE_MS

void (*frames_short)(u32 owner);

static int fetch_once(struct sharedpc_file *f, u64 index, u32 count, u16 flags)
{
	struct sharedpc_msg msg = {
		.type = SHAREDPC_OP_FAULT,
		.flags = flags,
		.file = f->id,
		.pos = index,
		.count = count,
	};

	atomic64_inc(&file_stat.fetches);
	return call_run(f->session, &msg, &f->inode);
}

/* The same, for as long as another file here might yet let go of the page. */
static int fetch_other(struct sharedpc_file *f, u64 index, u32 count, u16 flags)
{
	int err, tries;

	for (tries = 0; tries < LIMIT_ALIAS_TRIES; tries++) {
		err = fetch_once(f, index, count, flags);
		if (err != -EAGAIN || fatal_signal_pending(current))
			break;
		schedule_timeout_killable(msecs_to_jiffies(LIMIT_ALIAS_PAUSE_MS));
	}
	return err == -EAGAIN ? -EIO : err;
}

int frames_fetch(struct inode *inode, u64 index, u32 count, u16 flags)
{
	struct sharedpc_file *f = sharedpc_file(inode);
	int err, tries = 0;

	/* Room for the one that is needed; frames_add cannot allocate. */
	err = xa_reserve(&f->frames, index, GFP_KERNEL);
	if (err)
		return err;
	err = fetch_other(f, index, count, flags);
	while (err == -ENOSPC && tries++ < FETCH_TRIES && frames_short) {
		frames_short(f->session->owner);
		schedule_timeout_killable(msecs_to_jiffies(FETCH_PAUSE_MS));
		if (fatal_signal_pending(current))
			break;
		err = fetch_other(f, index, count, flags);
	}
	/* The owner's lack of memory is not ours: no OOM killer can help. */
	return err == -ENOMEM ? -EIO : err;
}

/* Change an entry that is there: needs no memory. */
static void entry_set(struct sharedpc_file *f, unsigned long index, unsigned long value)
{
	xa_store(&f->frames, index, xa_mk_value(value), GFP_NOWAIT | __GFP_NOWARN);
}

static void folio_pass(struct folio *folio)
{
	folio_lock(folio);
	folio_unlock(folio);
}

/* Nobody uses it any more?  The region's reference is the last. */
static bool frame_idle(struct folio *folio, unsigned long end)
{
	while (folio_ref_count(folio) > 1) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(100, 500);
	}
	return true;
}

/*
 * Page @index of the file is not ours any more.  0; else I/O uses it and
 * nobody could be made to remember that.
 */
static int frame_leave(struct sharedpc_file *f, struct page *page, u64 index,
		       unsigned long end)
{
	struct folio *folio = page_folio(page);
	int err = 0;

	if (!frame_idle(folio, end))
		err = pinned_add(page, f->session, f->id, index);
	folio_lock(folio);
	folio->mapping = NULL;
	folio_clear_dirty(folio);
	folio_unlock(folio);
	return err;
}

/* Private copies go as well where the file has been cut off, as in any kernel. */
static void private_zap(struct sharedpc_file *f, u64 index, u64 count)
{
	u64 end = index + count;

	if (READ_ONCE(f->session->ended))
		return;
	index = max_t(u64, index, DIV_ROUND_UP_ULL(file_size(f), PAGE_SIZE));
	if (index < end)
		unmap_mapping_pages(f->inode.i_mapping, index, end - index, true);
}

/*
 * The right to write goes, the frames stay.  Only of those that we could write:
 * on the others CLEANING would hide stores that nobody knows of.
 */
static void frames_clean(struct inode *inode, u64 index, u64 count)
{
	struct sharedpc_file *f = sharedpc_file(inode);
	unsigned long last = index + count - 1, i, value;
	void *entry;

	xa_for_each_range(&f->frames, i, entry, index, last) {
		value = xa_to_value(entry);
		if (!(value & MAY_WRITE_FRAME))
			continue;
		entry_set(f, i, (value & ~MAY_WRITE_FRAME) | CLEANING);
		folio_pass(page_folio(entry_page(entry)));
	}
	unmap_mapping_pages(inode->i_mapping, index, count, false);
	/*
	 * Clean only after CLEANING is off: who saw the folio dirty has stored
	 * before REVOKED, who sees it clean sets LATE.
	 */
	xa_for_each_range(&f->frames, i, entry, index, last) {
		value = xa_to_value(entry);
		if (!(value & CLEANING))
			continue;
		entry_set(f, i, value & ~CLEANING);
		folio_clear_dirty(page_folio(entry_page(entry)));
	}
}

/* Forget the frame at @index, but not stores that the owner does not know of. */
static void entry_leave(struct sharedpc_file *f, unsigned long index)
{
	xa_lock(&f->frames);
	if (xa_get_mark(&f->frames, index, LATE) || xa_get_mark(&f->frames, index, TELLING))
		__xa_store(&f->frames, index, xa_mk_value(0), GFP_NOWAIT | __GFP_NOWARN);
	else
		__xa_erase(&f->frames, index);
	xa_unlock(&f->frames);
	atomic64_dec(&f->held);
}

int frames_revoke(struct inode *inode, u64 index, u64 count, bool write_only)
{
	struct sharedpc_file *f = sharedpc_file(inode);
	unsigned long last = index + count - 1, end, i;
	void *entry;
	int err = 0;

	if (write_only) {
		frames_clean(inode, index, count);
		return 0;
	}
	xa_for_each_range(&f->frames, i, entry, index, last) {
		if (!entry_has_page(entry))
			continue;
		entry_set(f, i, xa_to_value(entry) | GOING);
		folio_pass(page_folio(entry_page(entry)));
	}
	unmap_mapping_pages(inode->i_mapping, index, count, false);
	private_zap(f, index, count);
	end = jiffies + msecs_to_jiffies(PIN_WAIT);
	xa_for_each_range(&f->frames, i, entry, index, last) {
		if (!entry_has_page(entry))
			continue;
		err = frame_leave(f, entry_page(entry), i, end) ?: err;
		entry_leave(f, i);
	}
	return err;
}

bool frames_dirtied(struct inode *inode, u64 index)
{
	struct sharedpc_file *f = sharedpc_file(inode);
	void *entry = xa_load(&f->frames, index);

	if (!entry || xa_to_value(entry) & (MAY_WRITE_FRAME | CLEANING))
		return false;
	xa_set_mark(&f->frames, index, LATE);
	return true;
}

/*
 * Page @index could not be noted: it is still to be, and later stores show.  It has an
 * entry, which could not go meanwhile.
 */
static void late_again(struct sharedpc_file *f, unsigned long index)
{
	void *entry;

	xa_set_mark(&f->frames, index, LATE);
	entry = xa_load(&f->frames, index);
	if (entry_has_page(entry))
		folio_clear_dirty(page_folio(entry_page(entry)));
}

int frames_late(struct inode *inode)
{
	struct sharedpc_file *f = sharedpc_file(inode);
	unsigned long i;
	void *entry;
	int err;

	xa_for_each_marked(&f->frames, i, entry, LATE) {
		xa_set_mark(&f->frames, i, TELLING);
		xa_clear_mark(&f->frames, i, LATE);
		err = frames_fetch(inode, i, 1, SHAREDPC_CALL_WRITE);
		/* Cut off, or closed by the end of its proxy: nothing to note. */
		if (err == -EFAULT || err == -ESTALE || !file_alive(f))
			err = 0;
		if (err)
			late_again(f, i);
		xa_clear_mark(&f->frames, i, TELLING);
		if (err)
			return err;
	}
	return 0;
}

int frames_drop(struct inode *inode)
{
	struct sharedpc_file *f = sharedpc_file(inode);
	unsigned long i, end = jiffies + msecs_to_jiffies(PIN_WAIT);
	void *entry;
	int err = 0;

	xa_for_each(&f->frames, i, entry)
		if (entry_has_page(entry))
			err = frame_leave(f, entry_page(entry), i, end) ?: err;
	xa_destroy(&f->frames);
	return err;
}
