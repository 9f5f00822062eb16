// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-acpi.c - the tables that images and the boot image are given
 *
 * Every table must be as long as it says, sum up to 0, and be found from the
 * RSDP by its physical address.  The SRAT patcher must refuse all broken
 * tables and keep every entry of good ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "boot/load/acpi.h"

#define PHYS	0x17fff0000ull
#define AREA	65536

static uint8_t area[AREA];

static struct acpi_machine machine(const struct topo_cpu *cpus, int n)
{
	static const struct range memory[] = {
		{ 0x10000, 0x10000, 1 },
		{ 0x140000000ull, 0x10000000, 1 },
	};

	return (struct acpi_machine){
		.boot_apic = 0, .cpus = cpus, .ncpus = n, .memory = memory,
		.nmemory = 2, .reset = 0x13e002800ull,
	};
}

static uint64_t get(const void *p, int bytes)
{
	uint64_t v = 0;

	memcpy(&v, p, bytes);
	return v;
}

/* The table at a physical address, checked. */
static const uint8_t *table(uint64_t phys, const char *signature)
{
	const uint8_t *t = area + (phys - PHYS);
	uint32_t len = get(t + 4, 4);

	assert_true(phys >= PHYS && phys < PHYS + AREA);
	assert_true(phys - PHYS + len <= AREA);
	assert_memory_equal(t, signature, 4);
	assert_int_equal(acpi_sum(t, len), 0);
	return t;
}

static const uint8_t *find(const char *signature)
{
	const uint8_t *xsdt;

	assert_memory_equal(area, "RSD PTR ", 8);
	assert_int_equal(acpi_sum(area, 20), 0);
	assert_int_equal(acpi_sum(area, 36), 0);
	xsdt = table(get(area + 24, 8), "XSDT");
	for (uint32_t at = 36; at < get(xsdt + 4, 4); at += 8) {
		uint64_t phys = get(xsdt + at, 8);

		if (!memcmp(area + (phys - PHYS), signature, 4))
			return table(phys, signature);
	}
	fail_msg("no table %s", signature);
	return NULL;
}

static void test_tables(void **state)
{
	struct topo_cpu cpus[] = { { .apic_id = 2, .node = 1 }, { .apic_id = 3, .node = 1 },
		{ .apic_id = 300, .node = 1 } };
	struct acpi_machine m = machine(cpus, 3);
	const uint8_t *fadt, *madt, *srat;
	int used = acpi_build(&m, PHYS, area, sizeof(area));

	assert_in_range(used, 1, AREA);
	fadt = find("FACP");
	assert_int_equal(get(fadt + 4, 4), 276);
	assert_true(get(fadt + 112, 4) & (1u << 20));	/* hardware-reduced */
	assert_true(get(fadt + 112, 4) & (1u << 10));	/* has a reset register */
	assert_int_equal(fadt[116], 0);			/* in memory */
	assert_int_equal(get(fadt + 120, 8), m.reset);
	assert_int_equal(fadt[128], 1);
	table(get(fadt + 140, 8), "DSDT");
	madt = find("APIC");
	assert_int_equal(madt[44], 0);
	assert_int_equal(madt[44 + 3], 0);	/* the box's boot CPU is first */
	assert_int_equal(madt[52 + 3], 2);
	assert_int_equal(madt[60 + 3], 3);
	assert_int_equal(madt[68], 9);		/* x2APIC: the id is large */
	assert_int_equal(get(madt + 68 + 4, 4), 300);
	srat = find("SRAT");
	assert_int_equal(get(srat + 4, 4), 48 + 3 * 24 + 2 * 40);
}

static void test_too_small(void **state)
{
	struct topo_cpu cpu = { .apic_id = 1 };
	struct acpi_machine m = machine(&cpu, 1);

	assert_int_equal(acpi_build(&m, PHYS, area, 256), -ENOSPC);
}

static void test_many_cpus(void **state)
{
	static struct topo_cpu cpus[1024];
	struct acpi_machine m = machine(cpus, 1024);

	for (int i = 0; i < 1024; i++)
		cpus[i].apic_id = i + 1;
	assert_in_range(acpi_build(&m, PHYS, area, sizeof(area)), 1, AREA);
	find("APIC");
	find("SRAT");
}

/* An SRAT with domains 0 and 5. */
static size_t make_srat(uint8_t *buf)
{
	static const struct topo_cpu cpus[] = { { .apic_id = 0 }, { .apic_id = 1, .node = 5 } };
	static const struct range mem = { 0, 1 << 30, 0 };
	struct acpi_machine m = { .cpus = cpus, .ncpus = 2, .memory = &mem, .nmemory = 1 };
	size_t len;

	memset(buf, 0, 256);
	len = acpi_put_srat(buf, &m);
	return len;
}

static void test_srat_extend(void **state)
{
	uint8_t old[256], *new, *again;
	size_t len = make_srat(old), new_len, again_len;
	struct why why;

	assert_int_equal(srat_make(old, len, NULL, (void **)&new, &new_len, &why), 0);
	assert_int_equal(new_len, len + 40);
	assert_int_equal(get(new + 4, 4), new_len);
	assert_int_equal(acpi_sum(new, new_len), 0);
	assert_true(get(new + 24, 4) > get(old + 24, 4));
	assert_memory_equal(new + 48, old + 48, len - 48);
	assert_int_equal(new[len], 1);
	assert_int_equal(get(new + len + 2, 4), 6);
	assert_int_equal(get(new + len + 28, 4), 1);
	/* Once more changes nothing. */
	assert_int_equal(srat_make(new, new_len, NULL, (void **)&again,
				   &again_len, &why), 0);
	assert_int_equal(again_len, new_len);
	assert_memory_equal(again, new, new_len);
	free(new);
	free(again);
}

static void refuse(uint8_t *srat, size_t len)
{
	struct why why = { "" };
	void *out = NULL;
	size_t out_len;

	assert_int_equal(srat_make(srat, len, NULL, &out, &out_len, &why), -EINVAL);
	assert_null(out);
	assert_true(strlen(why.text) > 10);
}

static void test_srat_broken(void **state)
{
	uint8_t srat[256];
	size_t len = make_srat(srat);

	srat[60]++;
	refuse(srat, len);			/* checksum */
	for (size_t cut = 0; cut < len; cut++) {
		make_srat(srat);
		refuse(srat, cut);		/* shorter than it says */
	}
	make_srat(srat);
	srat[49] = 0;				/* an entry of length 0 */
	acpi_finish((void *)srat, len);
	refuse(srat, len);
	make_srat(srat);
	srat[len - 40 + 1] = 41;		/* one that ends behind the table */
	acpi_finish((void *)srat, len);
	refuse(srat, len);
}

static void test_srat_create(void **state)
{
	struct topo_cpu cpus[] = { { 0, 0, 0, true }, { 1, 0, 1, true } };
	struct range ram[] = { { 0, 0x9fc00, 0 }, { 0x100000, 1 << 30, 0 } };
	struct topology topo = { .cpus = cpus, .ncpus = 2, .ram = ram, .nram = 2 };
	struct why why;
	uint8_t *out;
	size_t len;

	assert_int_equal(srat_make(NULL, 0, &topo, (void **)&out, &len, &why), 0);
	assert_int_equal(len, 48 + 2 * 24 + 3 * 40);
	assert_int_equal(acpi_sum(out, len), 0);
	free(out);
	cpus[1].apic_id = TOPO_APIC_UNKNOWN;
	assert_int_equal(srat_make(NULL, 0, &topo, (void **)&out, &len, &why), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_too_small),
		cmocka_unit_test(test_many_cpus),
		cmocka_unit_test(test_srat_extend),
		cmocka_unit_test(test_srat_broken),
		cmocka_unit_test(test_srat_create),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
