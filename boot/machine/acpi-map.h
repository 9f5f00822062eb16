/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * acpi-map.h - APIC ids and nodes out of the MADT and the SRAT.
 *
 * Private to the live topology. The tables are readable by root only; without
 * them the counts stay 0 and the caller falls back on sysfs. Node numbers are
 * given to proximity domains in the order in which Linux meets them:
 * processors first, then memory (drivers/acpi/numa/srat.c).
 */
#ifndef BOOT_ACPI_MAP_H
#define BOOT_ACPI_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "boot/machine/topology.h"

#define ACPI_TABLES	"/sys/firmware/acpi/tables"

struct acpi_cpu {
	uint32_t apic_id;
	int node;		/* 0 without an SRAT */
};

struct acpi_map {
	struct acpi_cpu *cpus;	/* enabled processors, MADT order */
	int ncpus;
	struct range *mem;	/* memory affinity, SRAT order */
	int nmem;
	uint32_t *domains;	/* [node]: proximity domain */
	int nnodes;
};

/*
 * Parse table images of @madt_len and @srat_len bytes (either may be NULL, 0).
 * Bounds are checked, a truncated entry ends the table. 0 or -ENOMEM.
 */
int acpi_map_parse(const uint8_t *madt, size_t madt_len, const uint8_t *srat,
		   size_t srat_len, struct acpi_map *map);
/* The running machine's tables. 0 or -errno; unreadable tables are no error. */
int acpi_map_read(struct acpi_map *map);
void acpi_map_free(struct acpi_map *map);

#endif
