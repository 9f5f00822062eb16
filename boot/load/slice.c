// SPDX-License-Identifier: GPL-2.0-only
/*
 * slice.c - writes a kernel and all it needs into an image's memory
 *
 * slice_check() decides, slice_load() writes; nothing is written before all
 * has been checked.  Memory is mapped window by window, only where something
 * goes, and every window is unmapped again.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <asm/setup_data.h>

#include "boot/load/slice.h"
#include "ccboot.h"

extern const uint8_t trampoline_start[], trampoline_64[], trampoline_end[];

#define GDT_CODE64	0x00af9a000000ffffull
#define GDT_DATA	0x00cf92000000ffffull
#define SELECTOR_CODE	0x10	/* as the kernel's __BOOT_CS */

#define E820_RAM	1
#define E820_ACPI	3
#define LOADER_OTHER	0xff

static uint64_t page_up(uint64_t n)
{
	return (n + SLICE_PAGE - 1) & ~(uint64_t)(SLICE_PAGE - 1);
}

/* Take @size bytes from the top of [.., *@end); 0 if they are not there. */
static uint64_t take_top(uint64_t *end, uint64_t floor, uint64_t size)
{
	if (size > *end - floor)
		return 0;
	*end -= size;
	return *end;
}

int slice_layout(const struct slice *slice, const struct bzimage *bz,
		 struct slice_layout *at, struct why *why)
{
	uint64_t start = slice->mem.start, end = start + slice->mem.size;
	uint64_t offset = page_up(sizeof(struct boot_params));
	uint64_t need;

	memset(at, 0, sizeof(*at));
	at->kernel.start = (start + bz->align - 1) & ~(bz->align - 1);
	at->kernel.size = page_up(bz->init_size);
	need = at->kernel.start - start + at->kernel.size;
	if (need > slice->mem.size)
		return why_set(why, -ENOSPC,
			       "the kernel needs %llu MiB, the image has %llu MiB of memory",
			       (unsigned long long)(need >> 20),
			       (unsigned long long)(slice->mem.size >> 20));
	start += need;
	at->acpi.size = SLICE_ACPI_SIZE;
	at->acpi.start = take_top(&end, start, at->acpi.size);
	at->ntables = pagetable_pages(slice);
	at->params.size = offset + 2 * SLICE_PAGE + at->ntables * SLICE_PAGE;
	at->params.start = take_top(&end, start, at->params.size);
	if (!at->acpi.start || !at->params.start)
		return why_set(why, -ENOSPC, "the kernel fills all of the image's memory");
	at->setup_data = at->params.start + offset;
	at->cmdline = at->setup_data + SLICE_PAGE;
	at->tables = at->cmdline + SLICE_CMDLINE_SIZE;
	at->initrd.size = page_up(slice->initrd_size);
	at->initrd.start = take_top(&end, start, at->initrd.size);
	if (!at->initrd.start)
		return why_set(why, -ENOSPC,
			       "the initrd (%llu MiB) is too large: %llu of the image's %llu MiB of memory are left beside the kernel",
			       (unsigned long long)(slice->initrd_size >> 20),
			       (unsigned long long)((end - start) >> 20),
			       (unsigned long long)(slice->mem.size >> 20));
	return 0;
}

int slice_check(const struct slice *slice, struct bzimage *bz,
		struct slice_layout *layout, struct why *why)
{
	size_t len = strlen(slice->cmdline);
	int ret;

	ret = bzimage_parse(slice->kernel_file, slice->kernel_size, bz, why);
	if (ret)
		return ret;
	if (len > bz->cmdline_max || len >= SLICE_CMDLINE_SIZE)
		return why_set(why, -E2BIG,
			       "the image's kernel command line has %zu bytes, the kernel takes %u",
			       len, bz->cmdline_max);
	return slice_layout(slice, bz, layout, why);
}

/* Map [start, start + size), both multiples of the page size. */
static void *window(int fd, uint64_t start, uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       (off_t)start);

	return p == MAP_FAILED ? NULL : p;
}

static int slice_write(int fd, uint64_t start, const void *data, size_t len)
{
	uint64_t size = page_up(len);
	void *p;

	if (!len)
		return 0;
	p = window(fd, start, size);
	if (!p)
		return -errno;
	memcpy(p, data, len);
	munmap(p, size);
	return 0;
}

static int write_acpi(const struct slice *slice, int fd,
		      const struct slice_layout *at)
{
	void *p = window(fd, at->acpi.start, at->acpi.size);
	int ret;

	if (!p)
		return -errno;
	memset(p, 0, at->acpi.size);
	ret = acpi_build(&slice->machine, at->acpi.start, p, at->acpi.size);
	munmap(p, at->acpi.size);
	return ret < 0 ? ret : 0;
}

static void e820_add(struct boot_params *bp, uint64_t start, uint64_t end,
		     uint32_t type)
{
	bp->e820_table[bp->e820_entries++] = (struct boot_e820_entry){
		.addr = start, .size = end - start, .type = type };
}

/*
 * The "zero page" that a kernel is started with: everything is zero but the
 * kernel's own header, what the boot protocol asks a loader to fill in
 * (Documentation/arch/x86/boot.rst), and the memory map.  In particular
 * screen_info is zero: there is no screen, and without one the image leaves the
 * VGA ports alone.
 *
 * The map has no more than the slice: the image's kernel takes what is not
 * listed for address space without memory behind it.
 */
static void put_boot_params(struct boot_params *bp, const struct slice *slice,
			    const struct bzimage *bz, const struct slice_layout *at)
{
	bp->hdr = bz->hdr;
	bp->hdr.type_of_loader = LOADER_OTHER;
	bp->hdr.code32_start = (uint32_t)at->kernel.start;
	if (slice->initrd_size) {
		bp->hdr.ramdisk_image = (uint32_t)at->initrd.start;
		bp->hdr.ramdisk_size = (uint32_t)slice->initrd_size;
		bp->ext_ramdisk_image = at->initrd.start >> 32;
		bp->ext_ramdisk_size = (uint64_t)slice->initrd_size >> 32;
	}
	bp->hdr.cmd_line_ptr = (uint32_t)at->cmdline;
	bp->ext_cmd_line_ptr = at->cmdline >> 32;
	bp->hdr.setup_data = at->setup_data;
	bp->acpi_rsdp_addr = at->acpi.start;
	e820_add(bp, slice->low.start + SLICE_PAGE,
		 slice->low.start + slice->low.size, E820_RAM);
	e820_add(bp, slice->mem.start, at->acpi.start, E820_RAM);
	e820_add(bp, at->acpi.start, at->acpi.start + at->acpi.size, E820_ACPI);
}

static void put_seed(void *p, const struct slice *slice)
{
	struct setup_data *data = p;

	data->type = SETUP_RNG_SEED;
	data->len = sizeof(slice->seed);
	memcpy(data->data, slice->seed, sizeof(slice->seed));
}

/* The page with boot_params and its neighbours, and the two page tables. */
static int write_params(const struct slice *slice, const struct bzimage *bz,
			int fd, const struct slice_layout *at)
{
	uint64_t base = at->params.start;
	void *p = window(fd, base, at->params.size);
	uint64_t *top;

	if (!p)
		return -errno;
	top = window(fd, slice->low.start + SLICE_PAGE, SLICE_PAGE);
	if (!top) {
		munmap(p, at->params.size);
		return -errno;
	}
	memset(p, 0, at->params.size);
	put_boot_params(p, slice, bz, at);
	put_seed(p + (at->setup_data - base), slice);
	memcpy(p + (at->cmdline - base), slice->cmdline,
	       strlen(slice->cmdline) + 1);
	pagetable_fill(slice, top, p + (at->tables - base), at->tables);
	munmap(top, SLICE_PAGE);
	munmap(p, at->params.size);
	return 0;
}

static int write_trampoline(const struct slice *slice, int fd,
			    const struct slice_layout *at)
{
	uint64_t page = slice->low.start;
	uint32_t base = page + CCBOOT_TRAMPOLINE_OFF;
	void *p = window(fd, page, SLICE_PAGE);
	struct ccboot_trampoline *tr = p + CCBOOT_TRAMPOLINE_OFF;

	if (!p)
		return -errno;
	memset(p, 0, SLICE_PAGE);
	memcpy(p, trampoline_start, trampoline_end - trampoline_start);
	tr->magic = CCBOOT_TRAMPOLINE_MAGIC;
	tr->cr3 = page + SLICE_PAGE;
	tr->far_offset = page + (trampoline_64 - trampoline_start);
	tr->far_selector = SELECTOR_CODE;
	tr->gdt_limit = sizeof(tr->gdt) - 1;
	tr->gdt_base = base + __builtin_offsetof(struct ccboot_trampoline, gdt);
	tr->entry = at->kernel.start + BZIMAGE_ENTRY_64;
	tr->rsi = at->params.start;
	tr->token = slice->token;
	tr->gdt[2] = GDT_CODE64;
	tr->gdt[3] = GDT_DATA;
	munmap(p, SLICE_PAGE);
	return 0;
}

int slice_load(const struct slice *slice, int fd, struct why *why)
{
	struct slice_layout at;
	struct bzimage bz;
	int ret;

	if (trampoline_end - trampoline_start > CCBOOT_TRAMPOLINE_OFF)
		return why_set(why, -E2BIG, "the trampoline does not fit its page");
	ret = slice_check(slice, &bz, &at, why);
	if (ret)
		return ret;
	ret = slice_write(fd, at.kernel.start,
			  (const uint8_t *)slice->kernel_file + bz.payload_off,
			  bz.payload_size);
	if (!ret)
		ret = slice_write(fd, at.initrd.start, slice->initrd,
				  slice->initrd_size);
	if (!ret)
		ret = write_acpi(slice, fd, &at);
	if (!ret)
		ret = write_params(slice, &bz, fd, &at);
	if (!ret)
		ret = write_trampoline(slice, fd, &at);
	if (ret)
		return why_set(why, ret, "cannot write the image's memory: %s",
			       strerror(-ret));
	return 0;
}
