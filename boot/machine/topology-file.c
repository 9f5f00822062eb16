// SPDX-License-Identifier: GPL-2.0-only
/*
 * topology-file.c - a topology as a file, read and written.
 *
 *	block_size = "128M"
 *	node 0 {
 *		cpus     = {"0-1"}
 *		apic_ids = {"0-1"}			# in the order of cpus
 *		ram      = {"0x0-0x9fbff", "0x100000-0x5fffffff"}	# inclusive
 *	}
 *	devices  = {"0000:00:04.0 010802"}		# address and class
 *
 * apic_ids may be missing (not readable). CPUs and RAM belong to one node each.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/text/values.h"
#include "boot/text/save.h"
#include "boot/text/strict.h"
#include "boot/machine/topology.h"

static cfg_opt_t node_opts[] = {
	CFG_STR_LIST("cpus", NULL, CFGF_NODEFAULT),
	CFG_STR_LIST("apic_ids", NULL, CFGF_NODEFAULT),
	CFG_STR_LIST("ram", NULL, CFGF_NODEFAULT),
	CFG_END()
};

static cfg_opt_t topo_opts[] = {
	CFG_STR("block_size", NULL, CFGF_NODEFAULT),
	CFG_STR_LIST("devices", NULL, CFGF_NODEFAULT),
	CFG_SEC("node", node_opts, CFGF_TITLE | CFGF_MULTI),
	CFG_END()
};

static int read_node_cpus(struct topology *topo, const struct values *v, int node)
{
	struct value_nums cpus = { 0 }, ids = { 0 };
	int i, err = 0;

	if (values_given(v, "cpus"))
		err = values_nums(v, "cpus", VALUES_MAX_CPU, &cpus);
	if (!err && values_given(v, "apic_ids"))
		err = values_nums(v, "apic_ids", UINT32_MAX - 1, &ids);
	if (!err && ids.n && ids.n != cpus.n) {
		diag_add(v->diag, ids.line,
			 "%d apic_ids for %d cpus; give one for each",
			 ids.n, cpus.n);
		err = -EINVAL;
	}
	for (i = 0; !err && i < cpus.n; i++) {
		struct topo_cpu cpu = {
			.cpu = cpus.v[i].value, .node = node, .online = true,
			.apic_id = ids.n ? ids.v[i].value : TOPO_APIC_UNKNOWN,
		};

		if (topology_cpu(topo, cpu.cpu)) {
			diag_add(v->diag, cpus.v[i].line,
				 "CPU %d is on another node already; list it once",
				 cpu.cpu);
			err = -EINVAL;
		} else {
			err = topology_add_cpu(topo, &cpu);
		}
	}
	free(cpus.v);
	free(ids.v);
	return err;
}

static int read_ram_range(struct topology *topo, const struct values *v,
			  int index, int node)
{
	const char *s = cfg_getnstr(v->sec, "ram", index);
	int i, line = scan_value_line(v->scan, "ram", index);
	uint64_t first, last;
	struct range ram;

	if (values_parse_range(s, INT64_MAX, &first, &last) || first == last) {
		diag_add(v->diag, line,
			 "\"%s\" is not a range; write it like \"0x100000-0x5fffffff\", the last byte included",
			 s);
		return -EINVAL;
	}
	ram = (struct range){ first, last - first + 1, node };
	for (i = 0; i < topo->nram; i++) {
		if (!range_overlaps(&ram, &topo->ram[i]))
			continue;
		diag_add(v->diag, line,
			 "\"%s\" overlaps another range; list each byte once",
			 s);
		return -EINVAL;
	}
	return topology_add_ram(topo, &ram);
}

static int read_node(struct topology *topo, const struct values *v)
{
	uint64_t node, last;
	int i, err;

	if (values_parse_range(v->scan->title, TOPO_MAX_NODE, &node, &last) ||
	    node != last) {
		diag_add(v->diag, v->scan->line,
			 "node \"%s\" is not a number from 0 to %d",
			 v->scan->title, TOPO_MAX_NODE);
		return -EINVAL;
	}
	err = read_node_cpus(topo, v, node);
	for (i = 0; !err && values_given(v, "ram") &&
	     i < (int)cfg_size(v->sec, "ram"); i++)
		err = read_ram_range(topo, v, i, node);
	return err;
}

static int read_devices(struct topology *topo, const struct values *v)
{
	int i, n = values_given(v, "devices") ? cfg_size(v->sec, "devices") : 0;
	int err = 0;

	for (i = 0; !err && i < n; i++) {
		const char *s = cfg_getnstr(v->sec, "devices", i);
		struct topo_pci pci = { .class = 0 };
		int end = 0;

		if (sscanf(s, "%12[0-9a-f:.] %6" SCNx32 "%n", pci.bdf,
			   &pci.class, &end) == 2 && !s[end]) {
			err = topology_add_pci(topo, &pci);
			continue;
		}
		diag_add(v->diag, scan_value_line(v->scan, "devices", i),
			 "\"%s\" is not a device; write it like \"0000:00:04.0 010802\"",
			 s);
		err = -EINVAL;
	}
	return err;
}

static int topology_read_sections(struct topology *topo, const struct strict *strict,
				  struct diag *diag)
{
	struct values v = { strict->cfg, scan_section(strict->scan, "", 0),
			    diag };
	struct value_num block = { 0 };
	int i, err = values_size(&v, "block_size", &block);

	topo->block_size = block.given ? block.value : TOPO_DEFAULT_BLOCK;
	if (!err && (topo->block_size < (2u << 20) ||
		     topo->block_size & (topo->block_size - 1))) {
		diag_add(diag, block.line,
			 "block_size is no power of two from 2M up; see block_size_bytes in /sys/devices/system/memory");
		err = -EINVAL;
	}
	if (!err)
		err = read_devices(topo, &v);
	for (i = 0; !err; i++) {
		v.scan = scan_section(strict->scan, "node", i);
		if (!v.scan)
			break;
		v.sec = cfg_getnsec(strict->cfg, "node", i);
		err = read_node(topo, &v);
	}
	if (!err && (!topology_cpu(topo, 0) || !topo->nram)) {
		diag_add(diag, 0, "no node with CPU 0, or no RAM; add them");
		err = -EINVAL;
	}
	return err;
}

int topology_read_file(const char *path, struct topology **out,
		       struct diag *diag)
{
	struct topology *topo = calloc(1, sizeof(*topo));
	struct strict strict;
	int err;

	if (!topo)
		return -ENOMEM;
	err = strict_parse(path, topo_opts, &strict, diag);
	if (err)
		goto out_free;
	topo->source = strdup(path);
	err = topo->source ? topology_read_sections(topo, &strict, diag) : -ENOMEM;
	strict_free(&strict);
	if (!err)
		err = topology_finish(topo);
out_free:
	if (err)
		topology_free(topo);
	else
		*out = topo;
	return err;
}

static void write_node_cpus(const struct topology *topo, int node, bool ids,
			    FILE *out)
{
	const char *sep = "";
	int i;

	fprintf(out, "\t%s = {", ids ? "apic_ids" : "cpus");
	for (i = 0; i < topo->ncpus; i++) {
		if (topo->cpus[i].node != node)
			continue;
		fprintf(out, "%s%" PRIu32, sep, ids ? topo->cpus[i].apic_id :
			(uint32_t)topo->cpus[i].cpu);
		sep = ", ";
	}
	fprintf(out, "}\n");
}

static void write_node(const struct topology *topo, int node, FILE *out)
{
	bool cpus = false, ids = true;
	const char *sep = "";
	int i;

	for (i = 0; i < topo->ncpus; i++) {
		if (topo->cpus[i].node != node)
			continue;
		cpus = true;
		ids &= topo->cpus[i].apic_id != TOPO_APIC_UNKNOWN;
	}
	fprintf(out, "\nnode %d {\n", node);
	if (cpus)
		write_node_cpus(topo, node, false, out);
	if (cpus && ids)
		write_node_cpus(topo, node, true, out);
	fprintf(out, "\tram = {");
	for (i = 0; i < topo->nram; i++) {
		const struct range *ram = &topo->ram[i];

		if (ram->node != node)
			continue;
		fprintf(out, "%s\"0x%" PRIx64 "-0x%" PRIx64 "\"", sep,
			ram->start, ram->start + ram->size - 1);
		sep = ", ";
	}
	fprintf(out, "}\n}\n");
}

int topology_write(const struct topology *topo, FILE *out)
{
	char size[24];
	int i;

	fprintf(out, "# CPUs, memory and PCI functions of a machine; see ccctl(1).\n");
	fprintf(out, "block_size = \"%s\"\n",
		values_size_str(topo->block_size, size, sizeof(size)));
	fprintf(out, "devices = {");
	for (i = 0; i < topo->npci; i++)
		fprintf(out, "%s\n\t\"%s %06" PRIx32 "\"", i ? "," : "",
			topo->pci[i].bdf, topo->pci[i].class);
	fprintf(out, "%s}\n", topo->npci ? "\n" : "");
	for (i = 0; i < topo->nnodes; i++)
		write_node(topo, topo->nodes[i], out);
	return ferror(out) ? -EIO : 0;
}

static int write_topology(FILE *out, const void *topo)
{
	return topology_write(topo, out);
}

int topology_save(const struct topology *topo, const char *path)
{
	return save_file(path, write_topology, topo);
}
