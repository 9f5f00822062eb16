// SPDX-License-Identifier: GPL-2.0-only
/*
 * topology.c - what the machine has: queries, and building it up.
 *
 * The readers (topology-live.c, topology-file.c) append CPUs, RAM and PCI
 * functions in any order; topology_finish() sorts them, joins RAM ranges that
 * touch, and derives the list of nodes.
 */
#include "boot/machine/topology.h"

#include <stdlib.h>
#include <string.h>

#include "boot/text/array.h"

static int compare_pci(const void *a, const void *b)
{
	const struct topo_pci *x = a, *y = b;

	return strcmp(x->bdf, y->bdf);
}

/* Of nodes, and of CPUs: their number is their first member. */
static int compare_int(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int add_node(struct topology *topo, int node)
{
	if (topology_has_node(topo, node))
		return 0;
	return array_append(&topo->nodes, &topo->nnodes, sizeof(node), &node);
}

/* Join neighbours of one node: fewer ranges, and larger holes to plan in. */
static void join_ram(struct topology *topo)
{
	int i, kept = 0;

	for (i = 1; i < topo->nram; i++) {
		struct range *last = &topo->ram[kept];
		const struct range *next = &topo->ram[i];

		if (last->node == next->node &&
		    last->start + last->size == next->start)
			last->size += next->size;
		else
			topo->ram[++kept] = *next;
	}
	if (topo->nram)
		topo->nram = kept + 1;
}

static void sort(void *array, int count, size_t size,
		 int (*compare)(const void *a, const void *b))
{
	if (count)
		qsort(array, count, size, compare);
}

int topology_finish(struct topology *topo)
{
	int i, err = 0;

	sort(topo->cpus, topo->ncpus, sizeof(*topo->cpus), compare_int);
	sort(topo->ram, topo->nram, sizeof(*topo->ram), range_compare);
	sort(topo->pci, topo->npci, sizeof(*topo->pci), compare_pci);
	join_ram(topo);
	for (i = 0; !err && i < topo->ncpus; i++)
		err = add_node(topo, topo->cpus[i].node);
	for (i = 0; !err && i < topo->nram; i++)
		err = add_node(topo, topo->ram[i].node);
	sort(topo->nodes, topo->nnodes, sizeof(*topo->nodes), compare_int);
	return err;
}

void topology_free(struct topology *topo)
{
	if (!topo)
		return;
	free(topo->source);
	free(topo->cpus);
	free(topo->nodes);
	free(topo->ram);
	free(topo->pci);
	free(topo);
}

struct topo_cpu *topology_cpu(const struct topology *topo, int cpu)
{
	int i;

	for (i = 0; i < topo->ncpus; i++)
		if (topo->cpus[i].cpu == cpu)
			return &topo->cpus[i];
	return NULL;
}

bool topology_has_node(const struct topology *topo, int node)
{
	int i;

	for (i = 0; i < topo->nnodes; i++)
		if (topo->nodes[i] == node)
			return true;
	return false;
}

const struct topo_pci *topology_pci(const struct topology *topo,
				    const char *bdf)
{
	int i;

	for (i = 0; i < topo->npci; i++)
		if (!strcmp(topo->pci[i].bdf, bdf))
			return &topo->pci[i];
	return NULL;
}

uint64_t topology_ram(const struct topology *topo, int node)
{
	return range_sum(topo->ram, topo->nram, node);
}

bool topology_is_ram(const struct topology *topo, uint64_t start,
		     uint64_t size)
{
	uint64_t end = start + size;
	int i;

	if (end < start)
		return false;
	for (i = 0; i < topo->nram && start < end; i++) {
		const struct range *ram = &topo->ram[i];

		if (start >= ram->start && start - ram->start < ram->size)
			start = ram->start + ram->size;
	}
	return start >= end;
}

char *topology_cpus_str(const struct topo_cpu *cpus, int n)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int i, j;

	if (!out)
		return NULL;
	for (i = 0; i < n; i = j) {
		for (j = i + 1; j < n; j++)
			if (cpus[j].cpu != cpus[i].cpu + j - i)
				break;
		fprintf(out, "%s%d", i ? "," : "", cpus[i].cpu);
		if (j > i + 1)
			fprintf(out, "-%d", cpus[j - 1].cpu);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
