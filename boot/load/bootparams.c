// SPDX-License-Identifier: GPL-2.0-only
/*
 * bootparams.c - the "zero page" that a kernel is started with
 *
 * Everything is zero but the kernel's own header, what the boot protocol asks
 * a loader to fill in (Documentation/arch/x86/boot.rst), and the memory map.
 * In particular screen_info is zero: there is no screen, and without one the
 * image leaves the VGA ports alone.
 *
 * The map has no more than the slice: the image's kernel takes what is not
 * listed for address space without memory behind it.
 */
#include <string.h>

#include "boot/load/slice.h"

#define E820_RAM	1
#define E820_ACPI	3
#define LOADER_OTHER	0xff

static void e820_add(struct boot_params *bp, uint64_t start, uint64_t end,
		     uint32_t type)
{
	struct boot_e820_entry *e = &bp->e820_table[bp->e820_entries++];

	e->addr = start;
	e->size = end - start;
	e->type = type;
}

void bootparams_fill(struct boot_params *bp, const struct slice *slice,
		     const struct bzimage *bz, const struct slice_layout *at)
{
	memset(bp, 0, sizeof(*bp));
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
