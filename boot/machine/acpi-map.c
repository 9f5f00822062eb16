// SPDX-License-Identifier: GPL-2.0-only
/*
 * acpi-map.c - APIC ids and nodes out of the MADT and the SRAT.
 *
 * Both tables are a header followed by entries { type, length, ... }; the
 * layouts are those of ACPI 6.5, 5.2.12 (MADT) and 5.2.16 (SRAT). Only what
 * this needs is read: enabled processors and memory ranges.
 */
#include "boot/machine/acpi-map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/text/array.h"
#include "boot/text/slurp.h"
#include "le.h"

#define ACPI_MAX_TABLE	(1u << 20)

#define MADT_ENTRIES	44	/* offset of the first entry */
#define MADT_LAPIC	0
#define MADT_X2APIC	9
#define SRAT_ENTRIES	48
#define SRAT_LAPIC	0
#define SRAT_MEMORY	1
#define SRAT_X2APIC	2
#define ENTRY_ENABLED	1u	/* bit 0 of the flags in all of them */

/* Each whole entry of a table, from offset @at on, to @take, until that fails. */
static int each_entry(const uint8_t *table, size_t len, size_t at, struct acpi_map *map,
		      int (*take)(struct acpi_map *map, const uint8_t *entry))
{
	int err = 0;

	while (!err && at + 2 <= len && table[at + 1] >= 2 && table[at + 1] <= len - at) {
		err = take(map, table + at);
		at += table[at + 1];
	}
	return err;
}

static int map_add_cpu(struct acpi_map *map, uint32_t apic_id)
{
	struct acpi_cpu cpu = { apic_id, 0 };

	return array_append(&map->cpus, &map->ncpus, sizeof(cpu), &cpu);
}

/* The node of @domain, a new one when it is met first. */
static int domain_node(struct acpi_map *map, uint32_t domain)
{
	int i;

	for (i = 0; i < map->nnodes; i++)
		if (map->domains[i] == domain)
			return i;
	return array_append(&map->domains, &map->nnodes, sizeof(domain), &domain) ?: i;
}

static int madt_cpu(struct acpi_map *map, const uint8_t *entry)
{
	if (entry[0] == MADT_LAPIC && entry[1] >= 8 &&
	    le_get32(entry + 4) & ENTRY_ENABLED)
		return map_add_cpu(map, entry[3]);
	if (entry[0] == MADT_X2APIC && entry[1] >= 16 &&
	    le_get32(entry + 8) & ENTRY_ENABLED)
		return map_add_cpu(map, le_get32(entry + 4));
	return 0;
}

static int srat_cpu(struct acpi_map *map, const uint8_t *entry)
{
	uint32_t apic_id, domain;
	int i, node;

	if (entry[0] == SRAT_LAPIC && entry[1] >= 16 &&
	    le_get32(entry + 4) & ENTRY_ENABLED) {
		apic_id = entry[3];
		domain = entry[2] | entry[9] << 8 | entry[10] << 16 |
			 (uint32_t)entry[11] << 24;
	} else if (entry[0] == SRAT_X2APIC && entry[1] >= 24 &&
		   le_get32(entry + 12) & ENTRY_ENABLED) {
		apic_id = le_get32(entry + 8);
		domain = le_get32(entry + 4);
	} else {
		return 0;
	}
	node = domain_node(map, domain);
	if (node < 0)
		return node;
	for (i = 0; i < map->ncpus; i++)
		if (map->cpus[i].apic_id == apic_id)
			map->cpus[i].node = node;
	return 0;
}

static int srat_mem(struct acpi_map *map, const uint8_t *entry)
{
	struct range mem;

	if (entry[0] != SRAT_MEMORY || entry[1] < 40 ||
	    !(le_get32(entry + 28) & ENTRY_ENABLED))
		return 0;
	mem.start = le_get64(entry + 8);
	mem.size = le_get64(entry + 16);
	if (!mem.size || mem.start + mem.size < mem.start)
		return 0;
	mem.node = domain_node(map, le_get32(entry + 2));
	return mem.node < 0 ? mem.node :
		array_append(&map->mem, &map->nmem, sizeof(mem), &mem);
}

int acpi_map_parse(const uint8_t *madt, size_t madt_len, const uint8_t *srat,
		   size_t srat_len, struct acpi_map *map)
{
	int err;

	memset(map, 0, sizeof(*map));
	err = each_entry(madt, madt_len, MADT_ENTRIES, map, madt_cpu);
	if (!err)
		err = each_entry(srat, srat_len, SRAT_ENTRIES, map, srat_cpu);
	if (!err)
		err = each_entry(srat, srat_len, SRAT_ENTRIES, map, srat_mem);
	if (err)
		acpi_map_free(map);
	return err;
}

int acpi_map_read(struct acpi_map *map)
{
	size_t madt_len, srat_len;
	char *madt, *srat;
	int err;

	/* Not readable: as if it were not there. */
	slurp_file(ACPI_TABLES "/APIC", ACPI_MAX_TABLE, &madt, &madt_len);
	slurp_file(ACPI_TABLES "/SRAT", ACPI_MAX_TABLE, &srat, &srat_len);
	err = acpi_map_parse((uint8_t *)madt, madt_len, (uint8_t *)srat, srat_len, map);
	free(madt);
	free(srat);
	return err;
}

void acpi_map_free(struct acpi_map *map)
{
	free(map->cpus);
	free(map->mem);
	free(map->domains);
	memset(map, 0, sizeof(*map));
}
