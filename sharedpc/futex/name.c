// SPDX-License-Identifier: GPL-2.0-only
/*
 * name.c - the name that a word in a shared mapping has on all images
 *
 * The owner's kernel has a number for the inode (owner/identity.c), which a client was told
 * when it opened the file.  A file of our own that nobody else has open has a name as well:
 * it may be opened elsewhere while we wait.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include "box/ctl.h"
#include "client/file.h"
#include "futex/futex.h"
#include "owner/server.h"

static bool name_of(const struct vm_area_struct *vma, unsigned long addr,
		    struct futex_name *name)
{
	struct inode *inode;

	/* VM_SHARED is only there if it can be written, too. */
	if (!vma || addr < vma->vm_start || !vma->vm_file || !(vma->vm_flags & VM_MAYSHARE))
		return false;
	inode = file_inode(vma->vm_file);
	if (!S_ISREG(inode->i_mode))
		return false;
	if (vma->vm_file->f_op == &io_ops) {
		name->owner = sharedpc_file(inode)->session->owner;
		name->identity = sharedpc_file(inode)->identity;
	} else {
		name->owner = ctl_self;
		name->identity = identity_of(inode);
	}
	name->pos = ((u64)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
	return true;
}

bool futex_name(u32 __user *uaddr, struct futex_name *name)
{
	unsigned long addr = (unsigned long)untagged_addr(uaddr);
	struct mm_struct *mm = current->mm;
	bool named;

	*name = (struct futex_name){ .owner = FUTEX_ELSEWHERE };
	if (!mm)
		return false;
	mmap_read_lock(mm);
	named = name_of(find_vma(mm, addr), addr, name);
	mmap_read_unlock(mm);
	return named;
}

u32 futex_slot(const struct futex_name *name)
{
	u64 file = hash_64(name->identity + name->owner, 64);

	return hash_64(file ^ name->pos, ilog2(SHAREDPC_FUTEX_SLOTS));
}
