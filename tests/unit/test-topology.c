// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-topology.c - topologies from files, from ACPI tables, from this machine.
 */
#include "conf-test.h"

#include <errno.h>

#include "boot/machine/acpi-map.h"

static char *topology_text(const struct topology *topo)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(topology_write(topo, out), 0);
	fclose(out);
	return text;
}

/* Read, write, read again: the same. */
static void test_round_trip(void **state)
{
	struct tree tree;
	char path[128];
	int i;

	tree_make(&tree);
	snprintf(path, sizeof(path), "%s/text", tree.dir);
	for (i = 0; i < NTOPOLOGIES; i++) {
		struct topology *topo = load_topology(topology_names[i]);
		struct topology *again = NULL;
		char *text = topology_text(topo), *second;
		struct diag diag;

		assert_int_equal(topology_save(topo, path), 0);
		diag_init(&diag, path);
		assert_int_equal(topology_read_file(path, &again, &diag), 0);
		second = topology_text(again);
		assert_string_equal(text, second);
		assert_int_equal(topology_ram(topo, -1),
				 topology_ram(again, -1));
		diag_free(&diag);
		topology_free(topo);
		topology_free(again);
		free(text);
		free(second);
	}
	tree_remove(&tree);
}

static void test_queries(void **state)
{
	struct topology *topo = load_topology("holes");
	char *text;

	assert_int_equal(topo->ncpus, 12);
	assert_int_equal(topo->nnodes, 4);
	assert_int_equal(topology_cpu(topo, 5)->apic_id, 33);
	assert_int_equal(topology_cpu(topo, 11)->node, 5);
	assert_null(topology_cpu(topo, 12));
	assert_true(topology_has_node(topo, 3));
	assert_false(topology_has_node(topo, 2));
	assert_int_equal(topology_ram(topo, 5), 0);
	assert_true(topology_is_ram(topo, 0x100000, 0x3ff00000));
	assert_false(topology_is_ram(topo, 0x100000, 0x3ff00001));
	assert_false(topology_is_ram(topo, 0xff000, 0x1000));
	/* Two nodes that touch are RAM across the border. */
	assert_true(topology_is_ram(topo, 0x1ff000000, 0x2000000));
	assert_false(topology_is_ram(topo, UINT64_MAX - 4095, 8192));
	text = topology_cpus_str(topo->cpus, topo->ncpus);
	assert_string_equal(text, "0-11");
	free(text);
	topology_free(topo);
	topo = load_topology("server");
	assert_non_null(topology_pci(topo, "0000:65:00.0"));
	assert_int_equal(topology_pci(topo, "0000:65:00.0")->class, 0x010802);
	assert_null(topology_pci(topo, "0000:65:00.1"));
	assert_int_equal(topo->block_size, 2ULL << 30);
	topology_free(topo);
}

#define MACHINE(devices, cpus, ram) \
	"{\"devices\": [" devices "], \"cpus\": [" cpus "], \"ram\": [" ram "]}"
#define CPU(cpu, node)	"{\"cpu\": " cpu ", \"node\": " node "}"
#define RAM(start, size) "{\"start\": " start ", \"size\": " size ", \"node\": 0}"
#define GOOD_CPU	CPU("0", "0")
#define GOOD_RAM	RAM("0", "1048576")

static void test_bad(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *what;
	} bad[] = {
		{ MACHINE("", "", ""), 0, "no node with CPU 0" },
		{ MACHINE("", GOOD_CPU, ""), 0, "no RAM" },
		{ MACHINE("", "", GOOD_RAM), 0, "CPU 0" },
		{ MACHINE("", GOOD_CPU, RAM("0", "1")), 0, "range" },
		{ MACHINE("", GOOD_CPU, RAM("9", "-4")), 0, "range" },
		{ MACHINE("", GOOD_CPU, RAM("-4096", "8192")), 0, "range" },
		{ MACHINE("", GOOD_CPU, RAM("72057594037927936", "2")), 0, "range" },
		{ MACHINE("", GOOD_CPU, RAM("9223372036854775808", "2")), 1, "too big" },
		{ MACHINE("", GOOD_CPU, RAM("2", "9223372036854775807")), 0, "range" },
		{ MACHINE("", GOOD_CPU, GOOD_RAM ", " RAM("4096", "8192")), 0, "overlaps" },
		{ MACHINE("", GOOD_CPU ", " CPU("0", "1"), GOOD_RAM), 0, "another node" },
		{ MACHINE("", "{\"cpu\": 0, \"node\": 0, \"apic_id\": -1}", GOOD_RAM), 0,
		  "not a CPU" },
		{ MACHINE("", "{\"cpu\": 0}", GOOD_RAM), 0, "not a CPU" },
		{ MACHINE("", CPU("0", "\"x\""), GOOD_RAM), 0, "not a number" },
		{ MACHINE("", CPU("0", "1024"), GOOD_RAM), 0, "not a CPU" },
		{ MACHINE("", CPU("8192", "0"), GOOD_RAM), 0, "not a CPU" },
		{ "{\"block_size\": 3145728, \"devices\": [], \"cpus\": [], \"ram\": []}", 0,
		  "power of two" },
		{ "{\"block_size\": 1048576, \"devices\": [], \"cpus\": [], \"ram\": []}", 0,
		  "power of two" },
		{ MACHINE("{\"address\": \"0000:00:04.0\"}", GOOD_CPU, GOOD_RAM), 0,
		  "not a device" },
		{ MACHINE("{\"address\": \"0000:00:04.0\", \"class\": \"0108020\"}", GOOD_CPU,
			  GOOD_RAM), 0, "not a device" },
		{ MACHINE("", GOOD_CPU, GOOD_RAM "], \"memory\": [1"), 0, "memory" },
		{ MACHINE("", GOOD_CPU, GOOD_RAM "], \"ram\": ["), 1, "duplicate" },
		{ "", 1, "expected" },
		{ "{\n\"devices\": [\n", 3, "expected" },
	};
	struct tree tree;
	char path[128];
	size_t i;

	tree_make(&tree);
	snprintf(path, sizeof(path), "%s/text", tree.dir);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct topology *topo = NULL;
		struct diag diag;
		FILE *out = fopen(path, "w");

		fputs(bad[i].text, out);
		fclose(out);
		diag_init(&diag, path);
		assert_int_equal(topology_read_file(path, &topo, &diag),
				 -EINVAL);
		assert_int_equal(diag.count, 1);
		assert_int_equal(diag.entries[0].line, bad[i].line);
		if (!strstr(diag.entries[0].text, bad[i].what))
			fail_msg("%s: not: %s", diag.entries[0].text,
				 bad[i].what);
		diag_free(&diag);
	}
	tree_remove(&tree);
}

/* Entries as in ACPI 6.5, 5.2.12 and 5.2.16; the first byte is the type. */
static void test_acpi(void **state)
{
	static const uint8_t madt[44 + 8 * 4 + 16] = {
		[44] = 0, 8, 0, 4, 1, 0, 0, 0,		/* APIC id 4 */
		[52] = 0, 8, 1, 6, 1, 0, 0, 0,		/* 6 */
		[60] = 0, 8, 2, 7, 0, 0, 0, 0,		/* 7, not enabled */
		[68] = 1, 8, 0, 0, 0, 0, 0, 0,		/* an IO-APIC */
		[76] = 9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0,
	};
	static const uint8_t srat[48 + 16 + 24 + 40] = {
		[48] = 0, 16, 5, 6, 1, 0, 0, 0,		/* 6: domain 5 */
		[64] = 2, 24, 0, 0, 9, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0,
		[88] = 1, 40, 9, 0, 0, 0, 0, 0,		/* memory, domain 9 */
		0, 0, 0, 0, 1, 0, 0, 0,			/* at 4 GiB */
		0, 0, 0, 0x40, 0, 0, 0, 0,		/* 1 GiB */
		0, 0, 0, 0, 1, 0, 0, 0,
	};
	struct acpi_map map;
	size_t len;

	assert_int_equal(acpi_map_parse(madt, sizeof(madt), srat, sizeof(srat),
					&map), 0);
	assert_int_equal(map.ncpus, 3);
	assert_int_equal(map.cpus[0].apic_id, 4);
	assert_int_equal(map.cpus[1].apic_id, 6);
	assert_int_equal(map.cpus[2].apic_id, 256);
	assert_int_equal(map.cpus[1].node, 0);
	assert_int_equal(map.cpus[2].node, 1);
	assert_int_equal(map.nmem, 1);
	assert_int_equal(map.mem[0].start, 4ULL << 30);
	assert_int_equal(map.mem[0].size, 1 << 30);
	assert_int_equal(map.mem[0].node, 1);
	acpi_map_free(&map);
	/* Cut off anywhere: only fewer entries, nothing read beyond the end. */
	for (len = 0; len < sizeof(srat); len++) {
		uint8_t *a = malloc(len + 1), *b = malloc(len + 1);
		size_t madt_len = len < sizeof(madt) ? len : sizeof(madt);

		memcpy(a, madt, madt_len);
		memcpy(b, srat, len);
		assert_int_equal(acpi_map_parse(a, madt_len, b, len, &map), 0);
		assert_in_range(map.ncpus, 0, 3);
		acpi_map_free(&map);
		free(a);
		free(b);
	}
	assert_int_equal(acpi_map_parse(NULL, 0, NULL, 0, &map), 0);
	acpi_map_free(&map);
}

/* The machine that the test runs on, whoever runs it. */
static void test_live(void **state)
{
	struct topology *topo = NULL;
	int i, online = 0;

	assert_int_equal(topology_read_live(&topo), 0);
	assert_true(topo->live);
	assert_int_equal(topo->cpus[0].cpu, 0);
	for (i = 0; i < topo->ncpus; i++)
		online += topo->cpus[i].online;
	assert_int_equal(online, sysconf(_SC_NPROCESSORS_ONLN));
	assert_true(topo->nnodes > 0);
	for (i = 0; i < topo->ncpus; i++)
		assert_true(topology_has_node(topo, topo->cpus[i].node));
	for (i = 1; i < topo->nram; i++)
		assert_true(topo->ram[i].start >= topo->ram[i - 1].start +
						  topo->ram[i - 1].size);
	/* The kernel sees no more than what the firmware has. */
	assert_true(topology_ram(topo, -1) / sysconf(_SC_PAGESIZE) >=
		    (uint64_t)sysconf(_SC_PHYS_PAGES));
	assert_int_equal(topo->block_size & (topo->block_size - 1), 0);
	topology_free(topo);
}

static void test_overlap(void **state)
{
	struct range a = { 0x1000, 0x1000, 0 }, b = { 0x2000, 0x1000, 0 };
	struct range c = { 0x1fff, 2, 0 }, none = { 0x1800, 0, 0 };

	assert_false(range_overlaps(&a, &b));
	assert_true(range_overlaps(&a, &c));
	assert_true(range_overlaps(&c, &b));
	assert_true(range_overlaps(&a, &a));
	assert_false(range_overlaps(&a, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_acpi),
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_overlap),
	};

	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
