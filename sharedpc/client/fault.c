// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault.c - a page fault on a client
 *
 *	fault		the frame if we hold it, else ask the owner
 *	page_mkwrite	first write to a page that is mapped read-only: may it?
 *
 * A frame that we hold is mapped without any message; for a read with it what
 * we hold of the AROUND pages of its block.  Otherwise, on the first try, the
 * memory map's lock is dropped before the owner is asked, and the fault is
 * tried again with the frame at hand.  A later try, and one that may not be
 * repeated, asks with the lock held, which is safe: no folio is locked, and
 * the thread that answers a REVOKE never takes that lock.
 *
 * The frame goes into the page table while its folio is locked: see frames.c
 * for why that makes a revoke certain.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include "client/file.h"
#include "client/frames.h"
#include "sharedpc_limits.h"

#define AROUND	16	/* pages: mapped at once, and asked for at once */
#define TRIES	LIMIT_FAULT_TRIES	/* the owner may take a frame back before we map it */

static vm_fault_t fault_error(int err)
{
	switch (err) {
	case 0:
		return VM_FAULT_NOPAGE;		/* try again */
	case -ENOMEM:
		return VM_FAULT_OOM;
	case -EINTR:
		return VM_FAULT_NOPAGE;		/* a fatal signal ends it */
	}
	return VM_FAULT_SIGBUS;
}

static bool past_end(struct sharedpc_file *f, pgoff_t index)
{
	return index >= DIV_ROUND_UP_ULL(file_size(f), PAGE_SIZE);
}

/* Does this fault end in a writable page of the file itself? */
static bool fault_writes(const struct vm_fault *vmf)
{
	return vmf->flags & FAULT_FLAG_WRITE && vmf->vma->vm_flags & VM_SHARED;
}

static int fault_fetch(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	u16 flags = SHAREDPC_CALL_AROUND;
	u32 count = AROUND;

	if (fault_writes(vmf)) {
		flags = SHAREDPC_CALL_WRITE;
		count = 1;
	}
	return frames_fetch(inode, vmf->pgoff, count, flags);
}

/* Ask with the lock dropped, when the caller can cope with that. */
static vm_fault_t fault_fetch_unlocked(struct vm_fault *vmf)
{
	struct file *file = get_file(vmf->vma->vm_file);
	pgoff_t index = vmf->pgoff;
	bool writes = fault_writes(vmf);

	release_fault_lock(vmf);
	/* An error shows again in the next try, which keeps the lock. */
	frames_fetch(file_inode(file), index, writes ? 1 : AROUND,
		     writes ? SHAREDPC_CALL_WRITE : SHAREDPC_CALL_AROUND);
	fput(file);
	return VM_FAULT_RETRY;
}

/* Map what we hold of the pages around, for reading. */
static void fault_around(struct vm_fault *vmf, struct inode *inode)
{
	struct vm_area_struct *vma = vmf->vma;
	pgoff_t index = round_down(vmf->pgoff, AROUND);
	pgoff_t end = index + AROUND;
	unsigned long addr;
	struct folio *folio;

	/* No page table may have to be allocated while a folio is locked. */
	if (pmd_none(READ_ONCE(*vmf->pmd)))
		return;
	for (; index < end; index++) {
		if (index == vmf->pgoff || index < vma->vm_pgoff ||
		    index - vma->vm_pgoff >= vma_pages(vma) ||
		    past_end(sharedpc_file(inode), index))
			continue;
		addr = vma->vm_start + ((index - vma->vm_pgoff) << PAGE_SHIFT);
		if ((addr & PMD_MASK) != (vmf->address & PMD_MASK))
			continue;
		folio = frames_get(inode, index, false, false);
		if (!folio)
			continue;
		if (!vm_insert_page(vma, addr, folio_page(folio, 0)))
			atomic64_inc(&file_stat.around);
		folio_unlock(folio);
		folio_put(folio);
	}
}

static vm_fault_t fault(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct sharedpc_file *f = sharedpc_file(inode);
	struct folio *folio;
	int tries, err;

	atomic64_inc(&file_stat.faults);
	for (tries = 0; tries < TRIES; tries++) {
		if (!file_alive(f) || past_end(f, vmf->pgoff))
			return VM_FAULT_SIGBUS;
		folio = frames_get(inode, vmf->pgoff, fault_writes(vmf), true);
		if (folio)
			break;
		if (fault_flag_allow_retry_first(vmf->flags) &&
		    !(vmf->flags & FAULT_FLAG_RETRY_NOWAIT))
			return fault_fetch_unlocked(vmf);
		err = fault_fetch(vmf);
		/* Killed, and NOPAGE would be taken for success: see fault_mkwrite. */
		if (err == -EINTR && !(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
			return VM_FAULT_SIGBUS;
		if (err)
			return fault_error(err);
	}
	if (tries == TRIES)
		return VM_FAULT_NOPAGE;
	/* Truncated since?  Then the revoke waits for this lock. */
	if (past_end(f, vmf->pgoff)) {
		folio_unlock(folio);
		folio_put(folio);
		return VM_FAULT_SIGBUS;
	}
	if (!(vmf->flags & FAULT_FLAG_WRITE))
		fault_around(vmf, inode);
	vmf->page = folio_page(folio, 0);
	return VM_FAULT_LOCKED;
}

/* Ask for the right to write with the lock held. */
static vm_fault_t mkwrite_fetch(struct vm_fault *vmf)
{
	int err = frames_fetch(file_inode(vmf->vma->vm_file), vmf->pgoff, 1,
			       SHAREDPC_CALL_WRITE);

	if (!err)
		return 0;
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

/*
 * Not the place to ask the owner: the memory map's lock is held and must not
 * be dropped.  Without the right the page goes out of the page tables, and the
 * store faults again, in fault().  But kernel code that reads the word first
 * (futexes) has the page mapped for reading again by then, and would come back
 * here for ever: whoever is here for the second time asks, with the lock.
 */
static vm_fault_t fault_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct sharedpc_file *f = sharedpc_file(inode);
	struct folio *folio;
	vm_fault_t ret;
	int tries;

	for (tries = 0; ; tries++) {
		if (!file_alive(f) || past_end(f, vmf->pgoff))
			return VM_FAULT_SIGBUS;
		folio = frames_get(inode, vmf->pgoff, true, true);
		if (folio || tries == TRIES)
			break;
		if (!frames_want(inode, vmf->pgoff)) {
			atomic64_inc(&file_stat.upgrades);
			break;
		}
		ret = mkwrite_fetch(vmf);
		if (ret)
			return ret;
	}
	if (!folio) {
		unmap_mapping_pages(inode->i_mapping, vmf->pgoff, 1, false);
		return VM_FAULT_NOPAGE;
	}
	if (folio_page(folio, 0) == vmf->page) {
		folio_put(folio);	/* the caller has its own reference */
		return VM_FAULT_LOCKED;
	}
	folio_unlock(folio);
	folio_put(folio);
	return VM_FAULT_NOPAGE;
}

const struct vm_operations_struct fault_ops = {
	.fault		= fault,
	.page_mkwrite	= fault_mkwrite,
};
