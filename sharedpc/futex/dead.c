// SPDX-License-Identifier: GPL-2.0-only
/*
 * dead.c - the memory of an image that has died, as its kernel saw it
 *
 * Each image says in ctl where its tasks are, and where members are in the structures from
 * there on: mappings (a maple tree), page tables, the frames of files (an xarray).
 */
#include <linux/io.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>
#include "box/ctl.h"
#include "box/region.h"
#include "client/file.h"
#include "client/frames.h"
#include "futex/dead.h"

#define MEMBER_MAX	0x4000		/* offsets in a structure */
#define TABLE_ENTRIES	512
#define DEPTH_MAX	32		/* of trees */
#define READS_MAX	5000000		/* a second or two; who fences waits for that */

void dead_publish(void)
{
	struct sharedpc_tasks tasks = {
		.init_task = (u64)&init_task,
		.page_offset = PAGE_OFFSET,
		.phys_base = phys_base,
		.file_operations = (u64)&io_ops,
		.levels = pgtable_l5_enabled() ? 5 : 4,
		.task_next = offsetof(struct task_struct, tasks),
		.task_signal = offsetof(struct task_struct, signal),
		.task_thread = offsetof(struct task_struct, thread_node),
		.task_robust = offsetof(struct task_struct, robust_list),
		.task_mm = offsetof(struct task_struct, mm),
		.task_pid = offsetof(struct task_struct, thread_pid),
		.signal_threads = offsetof(struct signal_struct, thread_head),
		.mm_pgd = offsetof(struct mm_struct, pgd),
		.mm_tree = offsetof(struct mm_struct, mm_mt.ma_root),
		.vma_start = offsetof(struct vm_area_struct, vm_start),
		.vma_end = offsetof(struct vm_area_struct, vm_end),
		.vma_flags = offsetof(struct vm_area_struct, vm_flags),
		.vma_page = offsetof(struct vm_area_struct, vm_pgoff),
		.vma_file = offsetof(struct vm_area_struct, vm_file),
		.file_op = offsetof(struct file, f_op),
		.file_inode = offsetof(struct file, f_inode),
		.inode_frames = offsetof(struct sharedpc_file, frames.xa_head) -
				offsetof(struct sharedpc_file, inode),
		.pid_level = offsetof(struct pid, level),
		.pid_numbers = offsetof(struct pid, numbers),
		.pid_number_size = sizeof(struct upid),
	};

	ctl_futex(ctl_self)->tasks = tasks;
}

static bool in_region(unsigned long pfn)
{
	u32 i;

	for (i = 0; i < ctl_nr_images; i++)
		if (region_has(i, pfn))
			return true;
	return false;
}

static void frame_unmap(struct dead *d)
{
	if (d->frame_at)
		memunmap(d->frame_at);
	d->frame_at = NULL;
}

/* @phys, if it is in a frame of the region. */
static void *frame_map(struct dead *d, u64 phys)
{
	u64 frame = phys & PAGE_MASK;

	if (!d->frame_at || d->frame != frame) {
		frame_unmap(d);
		if (!in_region(PHYS_PFN(phys)))
			return NULL;
		d->frame_at = memremap(frame, PAGE_SIZE, MEMREMAP_WB);
		if (!d->frame_at)
			return NULL;
		d->frame = frame;
	}
	return d->frame_at + (phys - frame);
}

static u64 phys_read(struct dead *d, u64 phys)
{
	const u64 *at = NULL;
	u32 i;

	if (phys % sizeof(*at) || !d->reads)
		return 0;
	d->reads--;
	for (i = 0; i < d->nr && !at; i++)
		if (phys - d->ram[i].start < d->ram[i].size)
			at = d->at[i] + (phys - d->ram[i].start);
	if (!at)
		at = frame_map(d, phys);
	return at ? READ_ONCE(*at) : 0;
}

u64 dead_read(struct dead *d, u64 addr)
{
	if (addr >= __START_KERNEL_map)
		return phys_read(d, addr - __START_KERNEL_map + d->tasks.phys_base);
	return phys_read(d, addr - d->tasks.page_offset);
}

/* The entry of a node of the tree of mappings that @addr belongs to; @nr pivots. */
static u64 node_entry(struct dead *d, u64 node, u64 pivots, u64 slots, u32 nr, u64 addr)
{
	u64 pivot;
	u32 i;

	for (i = 0; i < nr; i++) {
		pivot = dead_read(d, node + pivots + i * sizeof(pivot));
		/* 0: there are no more, this is the last. */
		if (addr <= pivot || (i && !pivot))
			break;
	}
	return dead_read(d, node + slots + i * sizeof(pivot));
}

/* The mapping that @addr of the thread's is in: its vm_area_struct; 0: none. */
static u64 vma_of(struct dead *d, u64 addr)
{
	const struct sharedpc_tasks *t = &d->tasks;
	u64 entry = dead_read(d, d->mm + t->mm_tree), node, vma = 0;
	u32 depth, type = maple_dense;

	for (depth = 0; type != maple_leaf_64 && depth < DEPTH_MAX; depth++) {
		node = entry & ~(u64)MAPLE_NODE_MASK;
		type = entry >> 3 & 0xf;	/* as mte_node_type() */
		if (type == maple_arange_64)
			entry = node_entry(d, node, offsetof(struct maple_arange_64, pivot),
					   offsetof(struct maple_arange_64, slot),
					   MAPLE_ARANGE64_SLOTS - 1, addr);
		else if (type == maple_range_64 || type == maple_leaf_64)
			entry = node_entry(d, node, offsetof(struct maple_range_64, pivot),
					   offsetof(struct maple_range_64, slot),
					   MAPLE_RANGE64_SLOTS - 1, addr);
		else
			return 0;
	}
	if (type == maple_leaf_64)
		vma = entry;
	if (!vma || addr < dead_read(d, vma + t->vma_start) ||
	    addr >= dead_read(d, vma + t->vma_end))
		return 0;
	return vma;
}

/* Where page @index of the file @inode is: the frame that the image had of it; 0: none. */
static u64 file_phys(struct dead *d, u64 inode, u64 index)
{
	u64 entry = dead_read(d, inode + d->tasks.inode_frames), node;
	u32 depth, shift;

	for (depth = 0; (entry & 3) == 2 && depth < DEPTH_MAX; depth++) {
		node = entry - 2;	/* as xa_to_node() */
		shift = dead_read(d, node + offsetof(struct xa_node, shift)) & 0xff;
		if (shift > 60 || (!depth && index >> shift >= XA_CHUNK_SIZE))
			return 0;
		entry = dead_read(d, node + offsetof(struct xa_node, slots) +
				  (index >> shift) % XA_CHUNK_SIZE * sizeof(entry));
	}
	if (!depth && index)
		return 0;
	return entry & 1 ? PFN_PHYS(frames_pfn(entry >> 1)) : 0;
}

/* @addr by the thread's page tables; 0: it is not in memory. */
static u64 table_phys(struct dead *d, u64 addr)
{
	u64 table = dead_read(d, d->mm + d->tasks.mm_pgd) - d->tasks.page_offset, entry;
	u32 level, shift;
	pte_t pte;

	for (level = d->tasks.levels; level; level--) {
		shift = PAGE_SHIFT + ilog2(TABLE_ENTRIES) * (level - 1);
		entry = phys_read(d, table + (addr >> shift) % TABLE_ENTRIES * sizeof(entry));
		if (level == 1 || (level < 4 && entry & _PAGE_PSE)) {
			pte = __pte(entry);
			if (!pte_present(pte))
				return 0;
			return PFN_PHYS(level == 1 ? pte_pfn(pte) : pmd_pfn(__pmd(entry))) +
			       (addr & (BIT_ULL(shift) - 1));
		}
		if (!(entry & _PAGE_PRESENT))
			return 0;
		table = entry & PTE_PFN_MASK;
	}
	return 0;
}

/* Is mapping @vma one of a file of another image?  Then where @addr is: 0: no. */
static u64 shared_phys(struct dead *d, u64 vma, u64 addr)
{
	const struct sharedpc_tasks *t = &d->tasks;
	u64 file = dead_read(d, vma + t->vma_file), index, phys;

	if (!file || !(dead_read(d, vma + t->vma_flags) & VM_SHARED) ||
	    dead_read(d, file + t->file_op) != t->file_operations)
		return 0;
	index = dead_read(d, vma + t->vma_page) +
		((addr - dead_read(d, vma + t->vma_start)) >> PAGE_SHIFT);
	phys = file_phys(d, dead_read(d, file + t->file_inode), index);
	return phys ? phys + offset_in_page(addr) : 0;
}

u64 dead_user_read(struct dead *d, u64 addr)
{
	u64 vma = vma_of(d, addr), phys;

	if (!vma)
		return 0;
	/* What the owner has written back is in no page table any more. */
	phys = shared_phys(d, vma, addr) ?: table_phys(d, addr);
	return phys ? phys_read(d, phys) : 0;
}

u32 *dead_user_word(struct dead *d, u64 addr)
{
	u64 vma = addr % sizeof(u32) ? 0 : vma_of(d, addr), phys;

	if (!vma || !(dead_read(d, vma + d->tasks.vma_flags) & VM_WRITE))
		return NULL;
	phys = shared_phys(d, vma, addr);
	return phys ? frame_map(d, phys) : NULL;
}

static bool makes_sense(const struct sharedpc_tasks *t)
{
	const u32 offset[] = {
		t->task_next, t->task_signal, t->task_thread, t->task_robust, t->task_mm,
		t->task_pid, t->signal_threads, t->mm_pgd, t->mm_tree, t->vma_start,
		t->vma_end, t->vma_flags, t->vma_page, t->vma_file, t->file_op,
		t->file_inode, t->inode_frames, t->pid_level, t->pid_numbers,
		t->pid_number_size,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(offset); i++)
		if (offset[i] > MEMBER_MAX)
			return false;
	return t->init_task && (t->levels == 4 || t->levels == 5);
}

int dead_open(struct dead *d, u32 id)
{
	u32 nr;

	memset(d, 0, sizeof(*d));
	d->id = id;
	d->reads = READS_MAX;
	d->tasks = ctl_futex(id)->tasks;
	if (!makes_sense(&d->tasks))
		return -ESRCH;
	nr = ctl_ram(id, d->ram);
	for (; d->nr < nr; d->nr++) {
		d->at[d->nr] = memremap(d->ram[d->nr].start, d->ram[d->nr].size, MEMREMAP_WB);
		if (!d->at[d->nr]) {
			dead_close(d);
			return -ENOMEM;
		}
	}
	return 0;
}

void dead_close(struct dead *d)
{
	frame_unmap(d);
	while (d->nr)
		memunmap(d->at[--d->nr]);
}
