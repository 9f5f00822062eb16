// SPDX-License-Identifier: GPL-2.0-only
/*
 * bzimage.c - reads the header of an x86 kernel file
 *
 *	 0x000	boot sector and real-mode setup, (setup_sects + 1) * 512 bytes
 *	 0x1f1	struct setup_header, as long as the byte at 0x201 says
 *	 then	the protected-mode code, which is what gets loaded;
 *		its 64-bit entry is 0x200 bytes in
 *
 * The format is Documentation/arch/x86/boot.rst.  Needed here: protocol 2.12
 * (xloadflags), a 64-bit entry, loadable anywhere, above 4 GiB too.
 */
#include <errno.h>
#include <string.h>

#include "boot/load/bzimage.h"

#define HEADER_OFF	0x1f1
#define HEADER_LEN_OFF	0x201
#define HEADER_BASE	0x202
#define MAGIC		0x53726448	/* "HdrS" */
#define BOOT_FLAG	0xaa55
#define PROTOCOL	0x020c
#define ALIGN_MAX	(1u << 30)

static int check_flags(const struct setup_header *hdr, struct why *why)
{
	if (!(hdr->xloadflags & XLF_KERNEL_64))
		return why_set(why, -ENOEXEC, "not a 64-bit kernel");
	if (!(hdr->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G) ||
	    !hdr->relocatable_kernel)
		return why_set(why, -ENOEXEC,
			       "the kernel cannot be loaded at any address (CONFIG_RELOCATABLE is off)");
	if (!(hdr->loadflags & LOADED_HIGH))
		return why_set(why, -ENOEXEC, "not a bzImage");
	return 0;
}

static int check_sizes(const struct bzimage *bz, size_t size, struct why *why)
{
	if (bz->payload_off >= size ||
	    bz->payload_size <= BZIMAGE_ENTRY_64)
		return why_set(why, -ENOEXEC, "the kernel file is cut off");
	/* syssize, in 16-byte units, is what the build put there. */
	if ((uint64_t)bz->hdr.syssize * 16 > (uint64_t)bz->payload_size + 15)
		return why_set(why, -ENOEXEC, "the kernel file is cut off");
	if (!bz->align || (bz->align & (bz->align - 1)) ||
	    bz->align > ALIGN_MAX)
		return why_set(why, -ENOEXEC,
			       "the kernel file asks for an alignment of %llu bytes",
			       (unsigned long long)bz->align);
	if (bz->init_size < bz->payload_size)
		return why_set(why, -ENOEXEC,
			       "the kernel file says it needs less memory than it fills");
	return 0;
}

int bzimage_parse(const void *file, size_t size, struct bzimage *out,
		  struct why *why)
{
	const uint8_t *bytes = file;
	struct setup_header *hdr = &out->hdr;
	size_t sects, len;
	int ret;

	memset(out, 0, sizeof(*out));
	if (size < HEADER_OFF + sizeof(*hdr))
		return why_set(why, -ENOEXEC, "not a bzImage (too short)");
	len = HEADER_BASE + bytes[HEADER_LEN_OFF] - HEADER_OFF;
	memcpy(hdr, bytes + HEADER_OFF, len < sizeof(*hdr) ? len : sizeof(*hdr));
	if (hdr->boot_flag != BOOT_FLAG || hdr->header != MAGIC)
		return why_set(why, -ENOEXEC, "not a bzImage");
	if (hdr->version < PROTOCOL)
		return why_set(why, -ENOEXEC,
			       "boot protocol %u.%02u, at least 2.12 is needed",
			       hdr->version >> 8, hdr->version & 0xff);
	ret = check_flags(hdr, why);
	if (ret)
		return ret;
	sects = hdr->setup_sects ? hdr->setup_sects : 4;
	out->payload_off = (sects + 1) * 512;
	out->payload_size = size > out->payload_off ? size - out->payload_off : 0;
	out->init_size = hdr->init_size;
	out->align = hdr->kernel_alignment;
	out->cmdline_max = hdr->cmdline_size;
	return check_sizes(out, size, why);
}
