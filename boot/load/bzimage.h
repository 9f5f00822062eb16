/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bzimage.h - what the loader must know of a kernel file
 */
#ifndef BOOT_BZIMAGE_H
#define BOOT_BZIMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <asm/bootparam.h>

#include "boot/text/why.h"

#define BZIMAGE_ENTRY_64	0x200	/* from the start of the payload */

struct bzimage {
	struct setup_header hdr;	/* as in the file */
	size_t payload_off;		/* protected-mode code, bytes in the file */
	size_t payload_size;
	uint64_t init_size;		/* bytes it needs from its load address */
	uint64_t align;			/* of the load address */
	uint32_t cmdline_max;		/* bytes without NUL */
};

/*
 * Understand the @size bytes of a kernel file.  0, or -ENOEXEC with what is
 * wrong in @why.  Nothing in @file is trusted.
 */
int bzimage_parse(const void *file, size_t size, struct bzimage *out,
		  struct why *why);

#endif
