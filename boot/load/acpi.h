/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * acpi.h - ACPI tables: headers, checksums, and those an image is given
 *
 * An image sees a small hardware-reduced machine: its own CPUs, its own
 * memory, a reset register that is a byte of its slot in ctl, nothing else.
 *
 * The boot image has the machine's own tables, but for an SRAT with room for the
 * region's node.  Linux can give hot-added memory a NUMA node of its own only if
 * the firmware named that node (a proximity domain) at boot.  Most do not name
 * spare ones.  So `ccctl partition` hands the kernel a copy of the machine's SRAT
 * with one more domain, which has no memory yet.
 */
#ifndef BOOT_ACPI_H
#define BOOT_ACPI_H

#include <stddef.h>
#include <stdint.h>

#include "boot/machine/topology.h"
#include "boot/text/why.h"

/* The header that all tables but the RSDP start with. */
struct acpi_header {
	char signature[4];
	uint32_t length;	/* bytes, header included */
	uint8_t revision;
	uint8_t checksum;	/* makes the sum of all bytes 0 */
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

/* What an image's tables say. A node is a proximity domain there. */
struct acpi_machine {
	uint32_t boot_apic;	/* APIC id of the box's boot CPU */
	const struct topo_cpu *cpus;
	int ncpus;
	const struct range *memory;
	int nmemory;
	uint64_t reset;		/* address of the reset byte */
};

uint8_t acpi_sum(const void *data, size_t len);
/* Set length and checksum of a finished table. */
void acpi_finish(struct acpi_header *table, size_t len);
/* Start a table: zeroed header with @signature. */
void acpi_start(struct acpi_header *table, const char *signature,
		uint8_t revision);

/*
 * Write all tables to @buf, which will be at physical address @phys (a
 * multiple of 16); the RSDP comes first.  Bytes used, or -ENOSPC.
 */
int acpi_build(const struct acpi_machine *machine, uint64_t phys, void *buf,
	       size_t len);

/* For srat.c too.  Each returns the bytes it wrote to @p. */
size_t acpi_put_srat(void *p, const struct acpi_machine *machine);
size_t acpi_put_memory(void *p, const struct range *mem);
#define SRAT_HEADER_SIZE	48	/* header and reserved fields */
#define SRAT_ENTRY_MAX		40

/*
 * srat.c: from the machine's SRAT (@len bytes), or with @old NULL a new one for
 * @topo.  *@out is malloc'ed, *@out_len bytes.  An SRAT that has the spare
 * domain already is copied.  -EINVAL and @why for a malformed table.
 */
int srat_make(const void *old, size_t len, const struct topology *topo,
	      void **out, size_t *out_len, struct why *why);

#endif
