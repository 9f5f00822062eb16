// SPDX-License-Identifier: GPL-2.0-only
/*
 * ctl.c - the control area: mapped write-back, formatted once, joined by all
 *
 * The boot image formats it (ctl_format) before any other image runs; a
 * client checks what it finds (ctl_join).  Counts and ranges that later code
 * uses as bounds are copied out once and checked here.
 *
 * The memory is not RAM for this kernel (it was reserved on the command line
 * or left out of the memory map), so that it would be mapped uncached unless
 * somebody holds a write-back mapping of it: this one.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/tsc.h>
#include "box/ctl.h"

u32 ctl_self;
u32 ctl_nr_images;
u32 ctl_epoch;

static void *ctl;
static u64 ctl_phys, ctl_size;
static u64 words_off, words_size;
static u32 nr_ram;
static struct sharedpc_part ram[SHAREDPC_RAM_MAX];
static u32 nr_regions;
static struct sharedpc_part region[SHAREDPC_REGIONS_MAX];

int ctl_map(u64 phys, u64 size)
{
	if (!phys || phys & ~PAGE_MASK || size < SHAREDPC_CTL_SIZE) {
		pr_err("ctl=%#llx ctl_size=%#llx: no control area\n", phys, size);
		return -EINVAL;
	}
	if (ctl_self >= SHAREDPC_IMAGES_MAX) {
		pr_err("self=%u: image ids go up to %u\n", ctl_self,
		       SHAREDPC_IMAGES_MAX - 1);
		return -EINVAL;
	}
	ctl = memremap(phys, size, MEMREMAP_WB);
	if (!ctl) {
		pr_err("control area at %#llx cannot be mapped\n", phys);
		return -ENOMEM;
	}
	ctl_phys = phys;
	ctl_size = size;
	return 0;
}

void ctl_unmap(void)
{
	memunmap(ctl);
	ctl = NULL;
}

/* "boot,web,db": names by image id. */
static int format_slots(const char *images)
{
	char *list, *rest, *name;
	u32 id = 0;
	int err = 0;

	list = kstrdup(images, GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	rest = list;
	while ((name = strsep(&rest, ","))) {
		if (id == SHAREDPC_IMAGES_MAX || !*name ||
		    strlen(name) >= SHAREDPC_NAME_MAX) {
			pr_err("images=%s: bad list\n", images);
			err = -EINVAL;
			break;
		}
		strscpy(ctl_slot(id++)->name, name, SHAREDPC_NAME_MAX);
	}
	kfree(list);
	ctl_header()->nr_images = id;
	return err;
}

/* "0x140000000+0x20000000@0,...": start+size in bytes, image.  @max: room for more. */
static int format_parts(const char *name, const char *parts, struct sharedpc_part *part,
			u32 max)
{
	const char *at = parts;
	char *end;
	u32 nr;

	for (nr = 0; *at; nr++, part++) {
		if (nr == max)
			goto bad;
		part->range.start = simple_strtoull(at, &end, 0);
		if (*end != '+')
			goto bad;
		part->range.size = simple_strtoull(end + 1, &end, 0);
		if (*end != '@')
			goto bad;
		part->image = simple_strtoul(end + 1, &end, 0);
		if (*end && *end != ',')
			goto bad;
		at = *end ? end + 1 : end;
	}
	return nr;
bad:
	pr_err("%s=%s: want start+size@image[,...], %u at most\n", name, parts, max);
	return -EINVAL;
}

static int format_regions(const char *regions)
{
	struct sharedpc_header *h = ctl_header();
	int nr = format_parts("region", regions, h->region, SHAREDPC_REGIONS_MAX);

	if (!nr)
		pr_err("region=: there is none\n");
	if (nr <= 0)
		return nr ?: -EINVAL;
	h->nr_regions = nr;
	return 0;
}

/* What ctl has beyond its fixed part is for words, as much for each image. */
static void format_words(void)
{
	struct sharedpc_header *h = ctl_header();

	h->words_off = SHAREDPC_CTL_SIZE;
	h->words_size = round_down((ctl_size - SHAREDPC_CTL_SIZE) / h->nr_images,
				   PAGE_SIZE);
}

static bool parts_make_sense(const struct sharedpc_part *part, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (!part[i].range.size || part[i].image >= ctl_nr_images ||
		    (part[i].range.start | part[i].range.size) & ~PAGE_MASK ||
		    part[i].range.start + part[i].range.size < part[i].range.start)
			return false;
	return true;
}

static int copy_bounds(void)
{
	struct sharedpc_header *h = ctl_header();

	ctl_epoch = READ_ONCE(ctl_slot(ctl_self)->epoch);
	ctl_nr_images = READ_ONCE(h->nr_images);
	nr_regions = READ_ONCE(h->nr_regions);
	nr_ram = READ_ONCE(h->nr_ram);
	words_off = READ_ONCE(h->words_off);
	words_size = READ_ONCE(h->words_size);
	if (ctl_nr_images > SHAREDPC_IMAGES_MAX || ctl_self >= ctl_nr_images ||
	    nr_regions > SHAREDPC_REGIONS_MAX || nr_ram > SHAREDPC_RAM_MAX ||
	    words_off > ctl_size ||
	    words_off & ~PAGE_MASK || words_size & ~PAGE_MASK ||
	    words_size > (ctl_size - words_off) / ctl_nr_images)
		goto bad;
	memcpy(region, h->region, sizeof(region));
	memcpy(ram, h->ram, sizeof(ram));
	if (parts_make_sense(region, nr_regions) && parts_make_sense(ram, nr_ram))
		return 0;
bad:
	pr_err("control area: header makes no sense\n");
	return -EINVAL;
}

static int format_ram(struct resource *res, void *header)
{
	u64 start = round_up(res->start, PAGE_SIZE), end = round_down(res->end + 1, PAGE_SIZE);
	struct sharedpc_header *h = header;

	if (start >= end)
		return 0;
	if (h->nr_ram == SHAREDPC_RAM_MAX) {
		pr_err("more than %d ranges of memory\n", SHAREDPC_RAM_MAX);
		return -E2BIG;
	}
	h->ram[h->nr_ram++] = (struct sharedpc_part) {
		.range = { .start = start, .size = end - start },
		.image = SHAREDPC_BOOT,
	};
	return 0;
}

/* The memory of this image, and (@slices) that of the others. */
static int format_memory(const char *slices)
{
	struct sharedpc_header *h = ctl_header();
	int nr;

	/* Before the region comes: that is in nobody's memory. */
	nr = walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
				 0, -1, h, format_ram);
	if (nr)
		return nr;
	nr = format_parts("slices", slices, &h->ram[h->nr_ram], SHAREDPC_RAM_MAX - h->nr_ram);
	if (nr < 0)
		return nr;
	h->nr_ram += nr;
	return 0;
}

int ctl_format(const char *images, const char *regions, const char *slices)
{
	struct sharedpc_header *h = ctl_header();
	int err;

	memset(ctl, 0, ctl_size);
	h->revision = SHAREDPC_REVISION;
	h->size = ctl_size;
	h->tsc_khz = tsc_khz;
	err = format_slots(images);
	if (err)
		return err;
	err = format_regions(regions);
	if (err)
		return err;
	format_words();
	err = format_memory(slices);
	if (err)
		return err;
	ctl_slot(SHAREDPC_BOOT)->epoch = 1;
	/* An image that sees the magic must see all the rest: ctl_join. */
	smp_store_release(&h->magic, SHAREDPC_MAGIC);
	return copy_bounds();
}

int ctl_join(void)
{
	struct sharedpc_header *h = ctl_header();

	/* Pairs with the release in ctl_format. */
	if (smp_load_acquire(&h->magic) != SHAREDPC_MAGIC ||
	    h->size != ctl_size) {
		pr_err("no control area at %#llx\n", ctl_phys);
		return -ENODEV;
	}
	if (h->revision != SHAREDPC_REVISION) {
		pr_err("control area has revision %u, this module speaks %u\n",
		       h->revision, SHAREDPC_REVISION);
		return -EPROTONOSUPPORT;
	}
	return copy_bounds();
}

struct sharedpc_header *ctl_header(void)
{
	return ctl;
}

struct sharedpc_slot *ctl_slot(u32 image)
{
	return ctl + sharedpc_slot_off(image);
}

/* Two callers write the same bytes: names do not change while a box runs. */
const char *ctl_name(u32 image)
{
	static char name[SHAREDPC_IMAGES_MAX][SHAREDPC_NAME_MAX];

	strscpy(name[image], ctl_slot(image)->name, SHAREDPC_NAME_MAX);
	return name[image];
}

struct sharedpc_console *ctl_console(u32 image)
{
	return ctl + sharedpc_console_off(image);
}

struct sharedpc_futex *ctl_futex(u32 image)
{
	return ctl + sharedpc_futex_off(image);
}

struct sharedpc_ring *ctl_ring(u32 src, u32 dst, u32 class)
{
	return ctl + sharedpc_ring_off(src, dst, class);
}

void *ctl_bounce(u32 image, u32 buffer)
{
	return ctl + sharedpc_bounce_off(image, buffer);
}

u64 ctl_bounce_phys(u32 image)
{
	return ctl_phys + sharedpc_bounce_off(image, 0);
}

void *ctl_words(u32 image, u64 *size)
{
	*size = words_size;
	return words_size ? ctl + words_off + image * words_size : NULL;
}

bool ctl_is_ram(u32 image, u64 phys)
{
	u32 i;

	for (i = 0; i < nr_ram; i++)
		if (ram[i].image == image && phys >= ram[i].range.start &&
		    phys - ram[i].range.start < ram[i].range.size)
			return true;
	return false;
}

u32 ctl_ram(u32 image, struct sharedpc_range *range)
{
	u32 i, nr = 0;

	for (i = 0; i < nr_ram; i++)
		if (ram[i].image == image)
			range[nr++] = ram[i].range;
	return nr;
}

u32 ctl_regions(struct sharedpc_part *part)
{
	memcpy(part, region, sizeof(region));
	return nr_regions;
}

bool ctl_is_owner(u32 image)
{
	u32 i;

	for (i = 0; i < nr_regions; i++)
		if (region[i].image == image)
			return true;
	return false;
}
