// SPDX-License-Identifier: GPL-2.0-only
/*
 * mem.c - lets ccctl map the memory of images and the control area
 *
 * Only ranges that were handed in (CTL, ADD) can be mapped, and a range is
 * taken only if this kernel uses none of it as its own memory, so a wrong
 * plan cannot overwrite the boot image.  The memory of an image that runs can
 * only be read (ccctl looks for its kernel's messages there).
 *
 * Cache type: x86 maps memory that is not in this kernel's RAM map uncached
 * unless somebody reserved it write-back.  remap_pfn_range() of a whole VMA
 * reserves it with the type in vm_page_prot, which is write-back by default,
 * and keeps it for the life of the VMA.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include "lent.h"

static struct sharedpc_range ctl;	/* under the caller's images lock */

int mem_usable(const struct sharedpc_range *range)
{
	u64 end = range->start + range->size;

	if (!range->size || end <= range->start || end > BIT_ULL(52))
		return -EINVAL;
	if ((range->start | range->size) & ~PAGE_MASK)
		return -EINVAL;
	if (region_intersects(range->start, range->size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return -EBUSY;
	return 0;
}

int mem_set_ctl(const struct sharedpc_range *range)
{
	int ret = mem_usable(range);

	if (!ret)
		ctl = *range;
	return ret;
}

bool mem_inside(u64 start, u64 size, const struct sharedpc_range *range)
{
	return start >= range->start &&
	       start + size <= range->start + range->size;
}

int mem_mmap(struct file *file, struct vm_area_struct *vma)
{
	u64 start = (u64)vma->vm_pgoff << PAGE_SHIFT;
	u64 size = vma->vm_end - vma->vm_start;
	bool write = vma->vm_flags & VM_WRITE;
	int ret;

	if (start + size <= start)
		return -EINVAL;
	if (!mem_inside(start, size, &ctl)) {
		ret = lent_may_map(start, size, write);
		if (ret)
			return ret;
		/* mprotect() asks nobody: what was mapped to read stays so. */
		if (!write)
			vm_flags_clear(vma, VM_MAYWRITE);
	}
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	return remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, size,
			       vma->vm_page_prot);
}
