// SPDX-License-Identifier: GPL-2.0-only
/*
 * topology-file.c - a topology as a file, read and written.
 *
 *	{ "about": "a box with two nodes",		// may be missing
 *	  "block_size": 134217728,
 *	  "devices": [ {"address": "0000:00:04.0", "class": "010802"} ],
 *	  "cpus": [ {"cpu": 0, "node": 0, "apic_id": 0} ],
 *	  "ram": [ {"start": 0, "size": 654336, "node": 0} ] }
 *
 * apic_id may be missing (not readable). Each CPU and each byte stands there once.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot/machine/saved.h"

static int wrong(struct diag *diag, const char *what)
{
	return diag_add(diag, 0, "%s; see ccctl(1), TOPOLOGY FILE", what);
}

static int check_once(const struct topology *topo, struct diag *diag)
{
	int i, j;

	for (i = 0; i < topo->ncpus; i++)
		if (topology_cpu(topo, topo->cpus[i].cpu) != &topo->cpus[i])
			return diag_add(diag, 0,
				"CPU %d is on another node already; list it once",
				topo->cpus[i].cpu);
	for (i = 0; i < topo->nram; i++)
		for (j = 0; j < i; j++)
			if (range_overlaps(&topo->ram[i], &topo->ram[j]))
				return diag_add(diag, 0,
					"the range at %" PRIu64 " overlaps another range; list each byte once",
					topo->ram[i].start);
	return 0;
}

static int get_device(json_t *item, void *to, void *unused)
{
	struct topo_pci *pci = to;
	const char *address, *class;
	int end = 0;

	if (json_unpack(item, "{s:s, s:s !}", "address", &address, "class", &class) ||
	    sscanf(address, "%12[0-9a-f:.]%n", pci->bdf, &end) != 1 || address[end] ||
	    sscanf(class, "%6" SCNx32 "%n", &pci->class, &end) != 1 || class[end])
		return -EINVAL;
	return 0;
}

static int get_topology(struct topology *topo, json_t *root, struct diag *diag)
{
	json_int_t block_size = TOPO_DEFAULT_BLOCK;
	json_t *devices, *cpus, *ram;
	const char *about;
	json_error_t error;
	int err;

	if (json_unpack_ex(root, &error, 0, "{s?s, s?I, s:o, s:o, s:o !}",
			   "about", &about, "block_size", &block_size,
			   "devices", &devices, "cpus", &cpus, "ram", &ram))
		return wrong(diag, error.text);
	if (block_size < 2 << 20 || block_size & (block_size - 1))
		return diag_add(diag, 0,
			"block_size is no power of two from 2 MiB up; see block_size_bytes in /sys/devices/system/memory");
	topo->block_size = block_size;
	err = saved_get_list(devices, sizeof(*topo->pci), &topo->pci, &topo->npci,
			     get_device, NULL);
	if (err == -EINVAL)
		return wrong(diag, "an entry of devices is not a device");
	if (!err)
		err = saved_get_cpus(cpus, &topo->cpus, &topo->ncpus);
	if (err == -EINVAL)
		return wrong(diag, "an entry of cpus is not a CPU, or not a number");
	if (!err)
		err = saved_get_ranges(ram, &topo->ram, &topo->nram);
	if (err == -EINVAL)
		return wrong(diag, "an entry of ram is not a range");
	if (!err)
		err = check_once(topo, diag);
	if (!err && (!topology_cpu(topo, 0) || !topo->nram))
		err = diag_add(diag, 0, "no node with CPU 0, or no RAM; add them");
	return err;
}

int topology_read_file(const char *path, struct topology **out,
		       struct diag *diag)
{
	struct topology *topo = calloc(1, sizeof(*topo));
	json_t *root = NULL;
	int err;

	if (!topo)
		return -ENOMEM;
	topo->source = strdup(path);
	err = topo->source ? saved_read(path, &root, diag) : -ENOMEM;
	if (!err)
		err = get_topology(topo, root, diag);
	json_decref(root);
	if (!err)
		err = topology_finish(topo);
	if (err)
		topology_free(topo);
	else
		*out = topo;
	return err;
}

static json_t *topology_json(const struct topology *topo)
{
	json_t *devices = json_array();
	char class[9];
	int i;

	for (i = 0; i < topo->npci; i++) {
		snprintf(class, sizeof(class), "%06" PRIx32, topo->pci[i].class);
		saved_append(&devices, json_pack("{s:s, s:s}", "address",
						 topo->pci[i].bdf, "class", class));
	}
	return json_pack("{s:I, s:o, s:o, s:o}",
		"block_size", (json_int_t)topo->block_size, "devices", devices,
		"cpus", saved_cpus(topo->cpus, topo->ncpus),
		"ram", saved_ranges(topo->ram, topo->nram));
}

int topology_write(const struct topology *topo, FILE *out)
{
	return saved_write(topology_json(topo), out);
}

int topology_save(const struct topology *topo, const char *path)
{
	return saved_save(topology_json(topo), path);
}
