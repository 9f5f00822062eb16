// SPDX-License-Identifier: GPL-2.0-only
/*
 * srat.c - adds a spare proximity domain to an SRAT, see acpi.h
 *
 * Format: ACPI Specification 6.5, 5.2.16: a header of 48 bytes, then entries
 * { type, length, ... }.  The kernel takes a table from its initrd only if
 * its OEM revision is higher than the firmware's.  The spare domain is one
 * enabled memory entry of size 0.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "boot/load/acpi.h"
#include "le.h"

#define TYPE_CPU	0
#define TYPE_MEMORY	1
#define TYPE_X2APIC	2
#define TYPE_INITIATOR	5
#define MARK		"CCTL"	/* creator of a table that is extended already */

/* The entry's domain, or 0 for types that have none. */
static uint32_t entry_domain(const uint8_t *e)
{
	switch (e[0]) {
	case TYPE_CPU:	/* one byte in front, three behind */
		return e[1] >= 16 ? e[2] | (le_get32(e + 8) & 0xffffff00) : 0;
	case TYPE_MEMORY:
		return e[1] >= 40 ? le_get32(e + 2) : 0;
	case TYPE_X2APIC:
		return e[1] >= 24 ? le_get32(e + 4) : 0;
	case TYPE_INITIATOR:
		return e[1] >= 32 ? le_get32(e + 4) : 0;
	}
	return 0;
}

static int check_table(const uint8_t *table, size_t len, uint32_t *max_domain,
		       struct why *why)
{
	const struct acpi_header *h = (const void *)table;
	size_t at = SRAT_HEADER_SIZE;

	if (len < SRAT_HEADER_SIZE || memcmp(h->signature, "SRAT", 4) ||
	    h->length != len)
		return why_set(why, -EINVAL, "the machine's SRAT is malformed");
	if (acpi_sum(table, len))
		return why_set(why, -EINVAL,
			       "the checksum of the machine's SRAT is wrong");
	*max_domain = 0;
	while (at < len) {
		uint32_t domain;

		if (len - at < 2 || table[at + 1] < 2 || table[at + 1] > len - at)
			return why_set(why, -EINVAL,
				       "the machine's SRAT is malformed at byte %zu", at);
		domain = entry_domain(table + at);
		if (domain > *max_domain)
			*max_domain = domain;
		at += table[at + 1];
	}
	return 0;
}

static int extend(const uint8_t *old, size_t len, void **out, size_t *out_len,
		  struct why *why)
{
	const struct acpi_header *h = (const void *)old;
	struct range spare = { 0 };
	struct acpi_header *new;
	uint32_t domain;
	int ret = check_table(old, len, &domain, why);

	if (ret)
		return ret;
	new = malloc(len + SRAT_ENTRY_MAX);
	if (!new)
		return why_set(why, -ENOMEM, "out of memory");
	memcpy(new, old, len);
	*out = new;
	*out_len = len;
	if (!memcmp(h->creator_id, MARK, 4))
		return 0;
	spare.node = domain + 1;
	*out_len += acpi_put_memory((uint8_t *)new + len, &spare);
	memcpy(new->creator_id, MARK, 4);
	new->oem_revision++;
	acpi_finish(new, *out_len);
	return 0;
}

/* A machine without NUMA: one domain, 0, for all, one spare. */
static int create(const struct topology *topo, void **out, size_t *out_len,
		  struct why *why)
{
	struct topo_cpu *cpus = calloc(topo->ncpus, sizeof(*cpus));
	struct range *memory = calloc(topo->nram + 1, sizeof(*memory));
	struct acpi_machine m = { .cpus = cpus, .ncpus = topo->ncpus,
				  .memory = memory, .nmemory = topo->nram + 1 };
	struct acpi_header *table = calloc(1, SRAT_HEADER_SIZE +
		(m.ncpus + m.nmemory) * SRAT_ENTRY_MAX);
	int i, ret = 0;

	if (!cpus || !memory || !table)
		ret = why_set(why, -ENOMEM, "out of memory");
	for (i = 0; !ret && i < topo->ncpus; i++) {
		cpus[i].apic_id = topo->cpus[i].apic_id;
		if (cpus[i].apic_id == TOPO_APIC_UNKNOWN)
			ret = why_set(why, -EINVAL, "the APIC id of CPU %d is not known",
				      topo->cpus[i].cpu);
	}
	for (i = 0; !ret && i < topo->nram; i++)
		memory[i] = (struct range){ topo->ram[i].start, topo->ram[i].size, 0 };
	if (ret) {
		free(table);
	} else {
		memory[i].node = 1;
		*out_len = acpi_put_srat(table, &m);
		memcpy(table->creator_id, MARK, 4);
		acpi_finish(table, *out_len);
		*out = table;
	}
	free(cpus);
	free(memory);
	return ret;
}

int srat_make(const void *old, size_t len, const struct topology *topo,
	      void **out, size_t *out_len, struct why *why)
{
	if (old)
		return extend(old, len, out, out_len, why);
	return create(topo, out, out_len, why);
}
