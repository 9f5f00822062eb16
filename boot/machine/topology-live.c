// SPDX-License-Identifier: GPL-2.0-only
/*
 * topology-live.c - the running machine's topology.
 *
 * RAM is what the firmware reported (/sys/firmware/memmap), split by node with
 * the SRAT, or for other users than root with the memory blocks of sysfs. CPUs
 * are the present ones; libnuma and /proc/cpuinfo know the on-line ones, the
 * MADT and SRAT also those that are off-line. On a partitioned machine, CPUs
 * and RAM come from the file saved before (see topology.h).
 */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <numa.h>
#include <stdlib.h>
#include <string.h>

#include "boot/machine/topology.h"
#include "boot/machine/acpi-map.h"
#include "boot/text/array.h"
#include "boot/text/slurp.h"

#define SYS_CPU		"/sys/devices/system/cpu"
#define SYS_NODE	"/sys/devices/system/node"
#define SYS_MEMORY	"/sys/devices/system/memory"
#define SYS_MEMMAP	"/sys/firmware/memmap"
#define SYS_PCI		"/sys/bus/pci/devices"

/* /proc/cpuinfo: the APIC id of each on-line CPU. */
static int read_cpuinfo(struct topology *topo)
{
	FILE *in = fopen("/proc/cpuinfo", "re");
	struct topo_cpu *found;
	char line[4096];
	unsigned int id;
	int cpu = -1;

	if (!in)
		return -errno;
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "processor : %d", &cpu) == 1)
			continue;
		if (sscanf(line, "apicid : %u", &id) != 1)
			continue;
		found = topology_cpu(topo, cpu);
		if (found)
			found->apic_id = id;
	}
	fclose(in);
	return 0;
}

/* Call @add for each number in a list like "0-3,8". 0, -EINVAL or @add's. */
static int each_number(const char *list, struct topology *topo,
		       int (*add)(struct topology *topo, int number))
{
	int first, last, used, err = 0;

	while (!err && *list) {
		if (sscanf(list, "%d%n", &first, &used) != 1)
			return -EINVAL;
		last = first;
		list += used;
		if (sscanf(list, "-%d%n", &last, &used) == 1)
			list += used;
		for (; !err && first <= last; first++)
			err = add(topo, first);
		list += *list == ',';
	}
	return err;
}

static int add_present(struct topology *topo, int number)
{
	struct topo_cpu cpu = { .cpu = number, .apic_id = TOPO_APIC_UNKNOWN };

	return array_append(&topo->cpus, &topo->ncpus, sizeof(cpu), &cpu);
}

static int mark_online(struct topology *topo, int number)
{
	struct topo_cpu *cpu = topology_cpu(topo, number);

	if (cpu)
		cpu->online = true;
	return 0;
}

static int read_online(struct topology *topo)
{
	char list[4096];
	int i, err = slurp_line(list, sizeof(list), SYS_CPU "/online");

	for (i = 0; i < topo->ncpus; i++)
		topo->cpus[i].online = false;
	return err ? err : each_number(list, topo, mark_online);
}

static const struct acpi_cpu *acpi_find(const struct acpi_map *map,
					uint32_t apic_id)
{
	int i;

	for (i = 0; i < map->ncpus; i++)
		if (map->cpus[i].apic_id == apic_id)
			return &map->cpus[i];
	return NULL;
}

/*
 * Off-line CPUs: Linux numbers CPU 0, then the MADT's enabled entries in their
 * order. Believed only if the on-line CPUs confirm it.
 */
static void number_offline(struct topology *topo, const struct acpi_map *map)
{
	uint32_t boot = topo->cpus[0].apic_id;
	uint32_t *ids = calloc(map->ncpus + 1, sizeof(*ids));
	int i, n = 1;

	if (!ids || topo->cpus[0].cpu || boot == TOPO_APIC_UNKNOWN)
		goto out_free;
	ids[0] = boot;
	for (i = 0; i < map->ncpus; i++)
		if (map->cpus[i].apic_id != boot)
			ids[n++] = map->cpus[i].apic_id;
	for (i = 0; i < topo->ncpus; i++) {
		const struct topo_cpu *cpu = &topo->cpus[i];

		if (cpu->apic_id != TOPO_APIC_UNKNOWN &&
		    (cpu->cpu >= n || ids[cpu->cpu] != cpu->apic_id))
			goto out_free;
	}
	for (i = 0; i < topo->ncpus; i++)
		if (topo->cpus[i].cpu < n)
			topo->cpus[i].apic_id = ids[topo->cpus[i].cpu];
out_free:
	free(ids);
}

static int find_cpus(struct topology *topo, const struct acpi_map *map)
{
	bool numa = numa_available() >= 0;
	char list[4096];
	int i, err;

	err = slurp_line(list, sizeof(list), SYS_CPU "/present");
	if (!err)
		err = each_number(list, topo, add_present);
	if (!err)
		err = read_online(topo);
	if (!err)
		err = read_cpuinfo(topo);
	if (err)
		return err;
	if (!topo->ncpus)
		return -ENODEV;
	number_offline(topo, map);
	for (i = 0; i < topo->ncpus; i++) {
		struct topo_cpu *cpu = &topo->cpus[i];
		const struct acpi_cpu *acpi = acpi_find(map, cpu->apic_id);

		if (cpu->online && numa)
			cpu->node = numa_node_of_cpu(cpu->cpu);
		else if (acpi)
			cpu->node = acpi->node;
		if (cpu->node < 0)
			cpu->node = 0;
	}
	return 0;
}

/*
 * Calls @add for each path like @pattern, as glob(7) has it: 0, its first error, or
 * -ENODATA when there is none.
 */
static int each_path(const char *pattern, int (*add)(void *to, const char *path), void *to)
{
	glob_t found;
	int err = glob(pattern, 0, NULL, &found);

	if (err)
		return err == GLOB_NOSPACE ? -ENOMEM : -ENODATA;
	for (size_t i = 0; !err && i < found.gl_pathc; i++)
		err = add(to, found.gl_pathv[i]);
	globfree(&found);
	return err;
}

/* What is read, and by which nodes of memory. */
struct reading {
	struct topology *topo;
	struct acpi_map *map;
};

/* A memory block of a node, for who cannot read the SRAT. */
static int add_block_node(void *to, const char *path)
{
	struct reading *r = to;
	uint64_t block, size = r->topo->block_size;
	struct range mem = { .size = size };

	if (sscanf(path, SYS_NODE "/node%d/memory%" SCNu64, &mem.node, &block) != 2)
		return 0;
	mem.start = block * size;
	return array_append(&r->map->mem, &r->map->nmem, sizeof(mem), &mem);
}

/*
 * The node of @addr, and in *@end where that knowledge ends. Memory that no
 * entry covers goes to the node of the entry below it.
 */
static int addr_node(const struct acpi_map *map, uint64_t addr, uint64_t *end)
{
	uint64_t best = 0;
	int i, node = 0;

	*end = UINT64_MAX;
	for (i = 0; i < map->nmem; i++) {
		const struct range *mem = &map->mem[i];

		if (mem->start > addr) {
			if (mem->start < *end)
				*end = mem->start;
			continue;
		}
		if (addr - mem->start < mem->size) {
			*end = mem->start + mem->size;
			return mem->node;
		}
		if (mem->start + mem->size >= best) {
			best = mem->start + mem->size;
			node = mem->node;
		}
	}
	return node;
}

static int add_ram(struct topology *topo, const struct acpi_map *map,
		   uint64_t start, uint64_t end)
{
	int err = 0;

	while (!err && start < end) {
		struct range ram = { .start = start };
		uint64_t stop;

		ram.node = addr_node(map, start, &stop);
		if (stop > end)
			stop = end;
		ram.size = stop - start;
		err = array_append(&topo->ram, &topo->nram, sizeof(ram), &ram);
		start = stop;
	}
	return err;
}

/* An entry of the firmware's map. */
static int add_firmware_ram(void *to, const char *path)
{
	struct reading *r = to;
	char start[64], end[64], type[64];
	int err = slurp_line(type, sizeof(type), "%s/type", path);

	if (err || strcmp(type, "System RAM"))
		return err;
	err = slurp_line(start, sizeof(start), "%s/start", path);
	if (!err)
		err = slurp_line(end, sizeof(end), "%s/end", path);
	return err ? err : add_ram(r->topo, r->map, strtoull(start, NULL, 16),
				   strtoull(end, NULL, 16) + 1);
}

/* No firmware map (some virtual machines): what the kernel itself uses. */
static int add_kernel_ram(void *to, const char *path)
{
	struct reading *r = to;
	uint64_t block, size = r->topo->block_size;

	if (sscanf(path, SYS_MEMORY "/memory%" SCNu64, &block) != 1)
		return 0;
	return add_ram(r->topo, r->map, block * size, (block + 1) * size);
}

static int add_pci(void *to, const char *path)
{
	struct reading *r = to;
	const char *name = strrchr(path, '/') + 1;
	struct topo_pci pci = { .class = 0 };
	char class[64];

	if (strlen(name) != sizeof(pci.bdf) - 1)
		return 0;
	memcpy(pci.bdf, name, sizeof(pci.bdf));
	if (!slurp_line(class, sizeof(class), "%s/class", path))
		pci.class = strtoul(class, NULL, 16);
	return array_append(&r->topo->pci, &r->topo->npci, sizeof(pci), &pci);
}

static bool partitioned(void)
{
	char cmdline[8192];

	return !slurp_line(cmdline, sizeof(cmdline), "/proc/cmdline") &&
	       strstr(cmdline, "ccctl.plan=");
}

/* What `ccctl partition` wrote. Its PCI functions and on-line CPUs may be old. */
static int read_saved(struct topology **out)
{
	struct diag diag;
	int err;

	diag_init(&diag, TOPO_SAVED_FILE);
	err = topology_read_file(TOPO_SAVED_FILE, out, &diag);
	diag_free(&diag);
	if (err)
		return err;
	return read_online(*out);
}

static int read_machine(struct topology *topo)
{
	struct acpi_map map;
	struct reading r = { topo, &map };
	char block[64];
	int err;

	topo->block_size = TOPO_DEFAULT_BLOCK;
	if (!slurp_line(block, sizeof(block), SYS_MEMORY "/block_size_bytes"))
		topo->block_size = strtoull(block, NULL, 16);
	err = acpi_map_read(&map);
	if (err)
		return err;
	if (!map.nmem)
		err = each_path(SYS_NODE "/node*/memory*", add_block_node, &r);
	if (!err || err == -ENODATA)
		err = find_cpus(topo, &map);
	if (!err) {
		err = each_path(SYS_MEMMAP "/[0-9]*", add_firmware_ram, &r);
		if (!topo->nram && (!err || err == -ENODATA))
			err = each_path(SYS_MEMORY "/memory*", add_kernel_ram, &r);
		if (!err && !topo->nram)
			err = -ENODATA;
	}
	if (!err) {
		err = each_path(SYS_PCI "/*", add_pci, &r);
		if (err == -ENODATA)
			err = 0;
	}
	acpi_map_free(&map);
	return err ? err : topology_finish(topo);
}

int topology_read_live(struct topology **out)
{
	struct topology *topo = NULL;
	int err;

	if (!partitioned() || read_saved(&topo)) {
		topology_free(topo);
		topo = calloc(1, sizeof(*topo));
		err = topo ? read_machine(topo) : -ENOMEM;
		if (err)
			goto out_free;
	}
	free(topo->source);
	topo->source = strdup("this machine");
	topo->live = true;
	*out = topo;
	if (topo->source)
		return 0;
	err = -ENOMEM;
out_free:
	topology_free(topo);
	return err;
}
