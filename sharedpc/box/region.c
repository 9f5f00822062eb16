// SPDX-License-Identifier: GPL-2.0-only
/*
 * region.c - the region: frames that all images share as page cache
 *
 * Each part of it has an owner.  There it is ordinary memory, of a NUMA node of its
 * own: hot-added here, ZONE_MOVABLE (the kernel must run with memhp_default_state=
 * online_movable), so that a process whose memory policy prefers that node
 * gets its page cache from there, and nothing of the kernel's own settles
 * there.
 *
 * On the other images the frames are somebody else's, but they get struct pages
 * (ZONE_DEVICE), so that O_DIRECT, futexes and ptrace work on mappings of
 * them.  memremap_pages also keeps them write-back in this kernel's direct
 * map and in its memtype list.
 */
#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/vmstat.h>
#include "box/ctl.h"
#include "box/region.h"

static struct sharedpc_part part[SHAREDPC_REGIONS_MAX];
static struct dev_pagemap pagemap[SHAREDPC_REGIONS_MAX];
static u32 nr;			/* parts that are there */
static int node = NUMA_NO_NODE;

/* The highest node that may exist and does not: ccctl made it for this. */
static int spare_node(void)
{
	int n, spare = NUMA_NO_NODE;

	for_each_node(n)
		if (!node_online(n))
			spare = n;
	return spare;
}

static int owner_add(const struct sharedpc_range *r)
{
	int err;

	if (r->start % memory_block_size_bytes() || r->size % memory_block_size_bytes()) {
		pr_err("region %#llx+%#llx is not made of memory blocks of %#lx\n",
		       r->start, r->size, memory_block_size_bytes());
		return -EINVAL;
	}
	err = add_memory_driver_managed(node, r->start, r->size,
					"System RAM (sharedpc)", MHP_NONE);
	if (err)
		pr_err("region %#llx+%#llx cannot be added as node %d: %d\n",
		       r->start, r->size, node, err);
	return err;
}

static int client_add(const struct sharedpc_range *r, struct dev_pagemap *p)
{
	void *addr;

	p->type = MEMORY_DEVICE_GENERIC;
	p->range.start = r->start;
	p->range.end = r->start + r->size - 1;
	p->nr_range = 1;
	if (!request_mem_region(r->start, r->size, "sharedpc region")) {
		pr_err("region %#llx+%#llx is in use here\n", r->start, r->size);
		return -EBUSY;
	}
	addr = memremap_pages(p, NUMA_NO_NODE);
	if (IS_ERR(addr)) {
		pr_err("region %#llx+%#llx cannot be mapped: %ld\n",
		       r->start, r->size, PTR_ERR(addr));
		release_mem_region(r->start, r->size);
		return PTR_ERR(addr);
	}
	return 0;
}

static int part_remove(u32 i)
{
	const struct sharedpc_range *r = &part[i].range;

	if (part[i].image == ctl_self)
		return offline_and_remove_memory(r->start, r->size);
	memunmap_pages(&pagemap[i]);
	release_mem_region(r->start, r->size);
	return 0;
}

int region_init(void)
{
	u32 want = ctl_regions(part);
	int err;

	if (ctl_is_owner(ctl_self)) {
		node = spare_node();
		if (node == NUMA_NO_NODE) {
			pr_err("this kernel has no spare NUMA node for the region\n");
			return -ENODEV;
		}
	}
	for (nr = 0; nr < want; nr++) {
		err = part[nr].image == ctl_self ? owner_add(&part[nr].range) :
						   client_add(&part[nr].range, &pagemap[nr]);
		if (err)
			goto remove;
	}
	return 0;

remove:
	region_exit();
	return err;
}

void region_exit(void)
{
	while (nr) {
		nr--;
		if (part_remove(nr))
			pr_warn("region %#llx stays: frames are in use\n",
				part[nr].range.start);
	}
}

bool region_has(u32 owner, unsigned long pfn)
{
	u64 phys = PFN_PHYS(pfn);
	u32 i;

	for (i = 0; i < nr; i++)
		if (part[i].image == owner && phys >= part[i].range.start &&
		    phys - part[i].range.start < part[i].range.size)
			return true;
	return false;
}

static bool part_idle(const struct sharedpc_range *r)
{
	unsigned long pfn = PHYS_PFN(r->start), end = PHYS_PFN(r->start + r->size);

	for (; pfn < end; pfn++) {
		/* What has struct pages here has one reference to each. */
		if (page_ref_count(pfn_to_page(pfn)) > 1)
			return false;
		if (!(pfn % 4096))
			cond_resched();
	}
	return true;
}

bool region_idle(u32 owner)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (part[i].image == owner && !part_idle(&part[i].range))
			return false;
	return true;
}

u64 region_pages(void)
{
	u64 pages = 0;
	u32 i;

	for (i = 0; i < nr; i++)
		pages += PHYS_PFN(part[i].range.size);
	return pages;
}

u64 region_pages_of(u32 owner)
{
	u64 pages = 0;
	u32 i;

	for (i = 0; i < nr; i++)
		if (part[i].image == owner)
			pages += PHYS_PFN(part[i].range.size);
	return pages;
}

int region_node(void)
{
	return node;
}

/*
 * Free pages, and page cache of the node that nobody has locked: what the
 * owner can still give out without taking anything from a client.
 */
u64 region_free(void)
{
	struct pglist_data *pgdat;
	u64 pages = 0;
	int i;

	if (node == NUMA_NO_NODE)
		return 0;
	pgdat = NODE_DATA(node);
	for (i = 0; i < MAX_NR_ZONES; i++)
		pages += zone_page_state(&pgdat->node_zones[i], NR_FREE_PAGES);
	pages += max(atomic_long_read(&pgdat->vm_stat[NR_INACTIVE_FILE]), 0L);
	pages += max(atomic_long_read(&pgdat->vm_stat[NR_ACTIVE_FILE]), 0L);
	return pages;
}
