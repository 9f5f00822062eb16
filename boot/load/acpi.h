/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * acpi.h - ACPI tables: headers, checksums, and those an image is given
 *
 * An image sees a small hardware-reduced machine: its own CPUs, its own
 * memory, a reset register that is a byte of its slot in ctl, nothing else.
 */
#ifndef BOOT_ACPI_H
#define BOOT_ACPI_H

#include <stddef.h>
#include <stdint.h>

#include "boot/machine/topology.h"

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

#endif
