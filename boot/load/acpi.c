// SPDX-License-Identifier: GPL-2.0-only
/*
 * acpi.c - the ACPI tables of an image
 *
 *	RSDP -> XSDT -> FADT -> DSDT (empty)
 *			MADT	the box's boot CPU, then the image's own
 *			SRAT	the nodes of its CPUs and memory
 *
 * Layouts and field numbers: ACPI Specification 6.5, 5.2.
 *
 * FADT: hardware-reduced (no PIC, PIT, PM timer), no VGA, no RTC, no 8042,
 * physical APIC addressing.  The reset register is memory: Linux writes there
 * first when it wants to restart the machine, and the boot image is watching.
 *
 * MADT: Linux takes the first CPU listed for the one that firmware started,
 * and if it does not run on that one, never sends it INIT.  So the box's boot
 * CPU goes first: it belongs to the boot image.  Without it Linux takes the
 * image's own first CPU for a crash kernel's and uses no other.
 */
#include <errno.h>
#include <string.h>

#include "boot/load/acpi.h"

#define FADT_FLAG_WBINVD	(1u << 0)
#define FADT_FLAG_PWR_BUTTON	(1u << 4)	/* none of the fixed kind */
#define FADT_FLAG_SLP_BUTTON	(1u << 5)
#define FADT_FLAG_RESET		(1u << 10)
#define FADT_FLAG_APIC_PHYSICAL	(1u << 19)
#define FADT_FLAG_HW_REDUCED	(1u << 20)
#define FADT_ARCH_NO_VGA	(1u << 2)
#define FADT_ARCH_NO_ASPM	(1u << 4)
#define FADT_ARCH_NO_RTC	(1u << 5)
#define LOCAL_APIC_ADDRESS	0xfee00000u
#define APIC_ID_MAX_XAPIC	254
#define ENTRY_ENABLED		1

struct rsdp {
	char signature[8];
	uint8_t checksum;		/* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t ext_checksum;
	uint8_t reserved[3];
} __attribute__((packed));

struct gas {
	uint8_t space;			/* 0: system memory */
	uint8_t width;			/* bits */
	uint8_t offset;
	uint8_t access;			/* 1: byte */
	uint64_t address;
} __attribute__((packed));

struct fadt {
	struct acpi_header h;
	uint32_t facs;
	uint32_t dsdt;
	uint8_t pad0[109 - 44];
	uint16_t arch_flags;		/* offset 109 */
	uint8_t pad1;
	uint32_t flags;			/* offset 112 */
	struct gas reset;		/* offset 116 */
	uint8_t reset_value;		/* offset 128 */
	uint16_t arm_flags;
	uint8_t minor;
	uint64_t x_facs;		/* offset 132 */
	uint64_t x_dsdt;		/* offset 140 */
	uint8_t pad2[276 - 148];
} __attribute__((packed));

struct madt {
	struct acpi_header h;
	uint32_t lapic;
	uint32_t flags;
} __attribute__((packed));

struct madt_apic {
	uint8_t type, length;
	uint8_t uid, apic_id;
	uint32_t flags;
} __attribute__((packed));

struct madt_x2apic {
	uint8_t type, length;
	uint16_t reserved;
	uint32_t apic_id, flags, uid;
} __attribute__((packed));

struct srat_cpu {
	uint8_t type, length;
	uint16_t reserved;
	uint32_t domain, apic_id, flags, clock;
	uint32_t reserved2;
} __attribute__((packed));

struct srat_memory {
	uint8_t type, length;
	uint32_t domain;
	uint16_t reserved;
	uint64_t base, size;
	uint32_t reserved2;
	uint32_t flags;
	uint64_t reserved3;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_header) == 36, "header");
_Static_assert(sizeof(struct rsdp) == 36, "rsdp");
_Static_assert(__builtin_offsetof(struct fadt, flags) == 112, "fadt flags");
_Static_assert(__builtin_offsetof(struct fadt, x_dsdt) == 140, "fadt x_dsdt");
_Static_assert(sizeof(struct fadt) == 276, "fadt");
_Static_assert(sizeof(struct srat_cpu) == 24, "srat cpu");
_Static_assert(sizeof(struct srat_memory) == SRAT_ENTRY_MAX, "srat memory");

uint8_t acpi_sum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (len--)
		sum += *p++;
	return sum;
}

void acpi_start(struct acpi_header *table, const char *signature,
		uint8_t revision)
{
	memset(table, 0, sizeof(*table));
	memcpy(table->signature, signature, sizeof(table->signature));
	table->revision = revision;
	memcpy(table->oem_id, "CCLSTR", sizeof(table->oem_id));
	memcpy(table->oem_table_id, "IMAGE   ", sizeof(table->oem_table_id));
	table->oem_revision = 1;
	memcpy(table->creator_id, "CCLU", sizeof(table->creator_id));
	table->creator_revision = 1;
}

void acpi_finish(struct acpi_header *table, size_t len)
{
	table->length = len;
	table->checksum = 0;
	table->checksum = -acpi_sum(table, len);
}

static size_t build_fadt(void *p, uint64_t dsdt, uint64_t reset)
{
	struct fadt *fadt = p;

	memset(fadt, 0, sizeof(*fadt));
	acpi_start(&fadt->h, "FACP", 6);
	fadt->arch_flags = FADT_ARCH_NO_VGA | FADT_ARCH_NO_ASPM | FADT_ARCH_NO_RTC;
	fadt->flags = FADT_FLAG_WBINVD | FADT_FLAG_PWR_BUTTON |
		FADT_FLAG_SLP_BUTTON | FADT_FLAG_RESET |
		FADT_FLAG_APIC_PHYSICAL | FADT_FLAG_HW_REDUCED;
	fadt->reset = (struct gas){ .width = 8, .access = 1, .address = reset };
	fadt->reset_value = 1;
	fadt->minor = 5;
	fadt->x_dsdt = dsdt;
	acpi_finish(&fadt->h, sizeof(*fadt));
	return sizeof(*fadt);
}

static size_t madt_put_cpu(void *p, uint32_t apic_id, uint32_t uid)
{
	struct madt_apic small = { .type = 0, .length = sizeof(small),
		.uid = uid, .apic_id = apic_id, .flags = 1 };
	struct madt_x2apic big = { .type = 9, .length = sizeof(big),
		.uid = uid, .apic_id = apic_id, .flags = 1 };

	if (apic_id <= APIC_ID_MAX_XAPIC && uid <= UINT8_MAX) {
		memcpy(p, &small, sizeof(small));
		return sizeof(small);
	}
	memcpy(p, &big, sizeof(big));
	return sizeof(big);
}

static size_t build_madt(void *p, const struct acpi_machine *m)
{
	struct madt *madt = p;
	size_t len = sizeof(*madt);

	acpi_start(&madt->h, "APIC", 5);
	madt->lapic = LOCAL_APIC_ADDRESS;
	madt->flags = 0;
	len += madt_put_cpu(p + len, m->boot_apic, 0);
	for (int i = 0; i < m->ncpus; i++)
		len += madt_put_cpu(p + len, m->cpus[i].apic_id, i + 1);
	acpi_finish(&madt->h, len);
	return len;
}

static size_t put_srat_cpu(void *p, const struct topo_cpu *cpu)
{
	struct srat_cpu entry = { .type = 2, .length = sizeof(entry),
		.domain = cpu->node, .apic_id = cpu->apic_id, .flags = 1 };

	memcpy(p, &entry, sizeof(entry));
	return sizeof(entry);
}

size_t acpi_put_memory(void *p, const struct range *mem)
{
	struct srat_memory entry = { .type = 1, .length = sizeof(entry),
		.domain = mem->node, .base = mem->start, .size = mem->size,
		.flags = ENTRY_ENABLED };

	memcpy(p, &entry, sizeof(entry));
	return sizeof(entry);
}

size_t acpi_put_srat(void *p, const struct acpi_machine *m)
{
	struct acpi_header *srat = p;
	size_t len = SRAT_HEADER_SIZE;

	memset(p, 0, SRAT_HEADER_SIZE);
	acpi_start(srat, "SRAT", 3);
	memcpy(p + sizeof(*srat), &(uint32_t){ 1 }, 4);	/* reserved, must be 1 */
	for (int i = 0; i < m->ncpus; i++)
		len += put_srat_cpu(p + len, &m->cpus[i]);
	for (int i = 0; i < m->nmemory; i++)
		len += acpi_put_memory(p + len, &m->memory[i]);
	acpi_finish(srat, len);
	return len;
}

static void build_rsdp(struct rsdp *rsdp, uint64_t xsdt)
{
	memset(rsdp, 0, sizeof(*rsdp));
	memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
	memcpy(rsdp->oem_id, "CCLSTR", sizeof(rsdp->oem_id));
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt;
	rsdp->checksum = -acpi_sum(rsdp, 20);
	rsdp->ext_checksum = -acpi_sum(rsdp, sizeof(*rsdp));
}

static size_t align_up(size_t n)
{
	return (n + 63) & ~(size_t)63;
}

/* Upper bound of what acpi_build() writes. */
static size_t acpi_size(const struct acpi_machine *m)
{
	return align_up(sizeof(struct rsdp)) +
		align_up(sizeof(struct acpi_header) + 3 * 8) +
		align_up(sizeof(struct acpi_header)) +
		align_up(sizeof(struct fadt)) +
		align_up(sizeof(struct madt) +
			 (m->ncpus + 1) * sizeof(struct madt_x2apic)) +
		align_up(SRAT_HEADER_SIZE + m->ncpus * sizeof(struct srat_cpu) +
			 m->nmemory * sizeof(struct srat_memory));
}

int acpi_build(const struct acpi_machine *m, uint64_t phys, void *buf,
	       size_t len)
{
	size_t xsdt = align_up(sizeof(struct rsdp));
	size_t dsdt = align_up(xsdt + sizeof(struct acpi_header) + 3 * 8);
	size_t at[3], end;

	if (acpi_size(m) > len)
		return -ENOSPC;
	acpi_start(buf + dsdt, "DSDT", 2);
	acpi_finish(buf + dsdt, sizeof(struct acpi_header));
	at[0] = align_up(dsdt + sizeof(struct acpi_header));
	end = at[0] + build_fadt(buf + at[0], phys + dsdt, m->reset);
	at[1] = align_up(end);
	end = at[1] + build_madt(buf + at[1], m);
	at[2] = align_up(end);
	end = at[2] + acpi_put_srat(buf + at[2], m);

	acpi_start(buf + xsdt, "XSDT", 1);
	for (int i = 0; i < 3; i++) {
		uint64_t addr = phys + at[i];

		memcpy(buf + xsdt + sizeof(struct acpi_header) + i * 8, &addr, 8);
	}
	acpi_finish(buf + xsdt, sizeof(struct acpi_header) + 3 * 8);
	build_rsdp(buf, phys + xsdt);
	return end;
}
