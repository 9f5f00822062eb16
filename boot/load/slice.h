/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slice.h - what lies where in an image's memory when it starts
 *
 * The low chunk (below 1 MiB):
 *
 *	+0		trampoline page, stays the boot image's
 *	+4K		top page table of the identity map
 *	+8K		RAM of the image (the table too, once its kernel is up)
 *
 * The memory of the slice:
 *
 *	start		kernel file's payload, then what it needs to unpack
 *	...		RAM
 *	initrd
 *	params		boot_params, setup_data, command line, page tables
 *	end - 64K	ACPI tables
 *	end
 */
#ifndef BOOT_SLICE_H
#define BOOT_SLICE_H

#include <stddef.h>
#include <stdint.h>

#include "boot/load/acpi.h"
#include "boot/load/bzimage.h"
#include "boot/text/why.h"

#define SLICE_ACPI_SIZE		(64u << 10)
#define SLICE_CMDLINE_SIZE	4096u
#define SLICE_PAGE		4096u

struct slice_layout {
	struct range kernel;	/* payload; size: init_size, rounded up */
	struct range initrd;
	struct range params;	/* boot_params first */
	uint64_t setup_data;		/* in params, as the next two */
	uint64_t cmdline;
	uint64_t tables;		/* page tables below the top one */
	uint64_t ntables;		/* pages of them */
	struct range acpi;
};

/* All that the loader needs to write one image into its memory. */
struct slice {
	struct range mem;
	struct range low;
	const void *kernel_file;
	size_t kernel_size;
	const void *initrd;
	size_t initrd_size;
	const char *cmdline;
	struct acpi_machine machine;
	uint8_t seed[64];		/* for the random pool */
	uint64_t token;			/* names this start, see kmsg.h */
};

/*
 * Find places for all parts.  -ENOSPC with the part that does not fit in
 * @why.
 */
int slice_layout(const struct slice *slice, const struct bzimage *bz,
		 struct slice_layout *out, struct why *why);

/*
 * Write the image through @mem_fd, whose mmap offsets are physical addresses
 * (/dev/ccboot; a sparse file in tests).  Before that: slice_check().  0 or
 * -errno with @why.
 */
int slice_load(const struct slice *slice, int mem_fd, struct why *why);

/* The part of slice_load() that needs no memory: is the kernel one, does all
 * fit?  Same errors.
 */
int slice_check(const struct slice *slice, struct bzimage *bz,
		struct slice_layout *layout, struct why *why);

/* pagetable.c: bytes of tables for an identity map of all that @slice uses. */
uint64_t pagetable_pages(const struct slice *slice);
/*
 * Write the map: @top one page; @tables pagetable_pages() pages, at physical
 * @phys.
 */
void pagetable_fill(const struct slice *slice, uint64_t *top, uint64_t *tables,
		    uint64_t phys);

#endif
