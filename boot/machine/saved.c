// SPDX-License-Identifier: GPL-2.0-only
/*
 * saved.c - JSON for the saved plan and topology, see saved.h
 */
#include "boot/machine/saved.h"

#include <errno.h>
#include <stdlib.h>

#include "boot/text/save.h"
#include "boot/text/slurp.h"
#include "boot/text/values.h"

#define SAVED_MAX_FILE	(1u << 20)	/* bytes */

int saved_write(json_t *root, FILE *out)
{
	int err = root ? json_dumpf(root, out, JSON_INDENT(2)) : -EILSEQ;

	json_decref(root);
	if (err)
		return err < -1 ? err : -EIO;
	fputc('\n', out);
	return ferror(out) ? -EIO : 0;
}

static int write_root(FILE *out, const void *root)
{
	return saved_write(json_incref((json_t *)root), out);
}

int saved_save(json_t *root, const char *path)
{
	int err = save_file(path, write_root, root);

	json_decref(root);
	return err;
}

void saved_append(json_t **list, json_t *item)
{
	if (!json_array_append_new(*list, item))
		return;
	json_decref(*list);
	*list = NULL;
}

json_t *saved_range(const struct range *range)
{
	return json_pack("{s:I, s:I, s:i}", "start", (json_int_t)range->start,
			 "size", (json_int_t)range->size, "node", range->node);
}

json_t *saved_ranges(const struct range *ranges, int n)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < n; i++)
		saved_append(&list, saved_range(&ranges[i]));
	return list;
}

json_t *saved_cpus(const struct topo_cpu *cpus, int n)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < n; i++)
		saved_append(&list, json_pack("{s:i, s:i, s:o*}",
			"cpu", cpus[i].cpu, "node", cpus[i].node, "apic_id",
			cpus[i].apic_id == TOPO_APIC_UNKNOWN ? NULL :
			json_integer(cpus[i].apic_id)));
	return list;
}

int saved_read(const char *path, json_t **root, struct diag *diag)
{
	json_error_t error;
	char *text;
	size_t len;
	int err = slurp_file(path, SAVED_MAX_FILE, &text, &len);

	if (err)
		return err;
	*root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	free(text);
	if (*root)
		return 0;
	diag_add(diag, error.line > 0 ? error.line : 0,
		 "%s; have it written again, by ccctl partition or ccctl plan --save-topology",
		 error.text);
	return -EINVAL;
}

int saved_get_list(json_t *list, size_t size, void *items, int *n,
		   int (*get)(json_t *item, void *to, void *ctx), void *ctx)
{
	int i, err = 0, count = json_array_size(list);
	char *array;

	if (!json_is_array(list))
		return -EINVAL;
	array = calloc(count + 1, size);
	if (!array)
		return -ENOMEM;
	*(void **)items = array;
	*n = count;
	for (i = 0; !err && i < count; i++)
		err = get(json_array_get(list, i), array + i * size, ctx);
	return err;
}

int saved_get_range(json_t *item, void *to, void *unused)
{
	struct range *range = to;
	json_int_t start, size;

	if (json_unpack(item, "{s:I, s:I, s:i !}", "start", &start,
			"size", &size, "node", &range->node) ||
	    start < 0 || size < 2 || size > 1LL << 56 ||
	    start > (1LL << 56) - size ||
	    range->node < 0 || range->node > TOPO_MAX_NODE)
		return -EINVAL;
	range->start = start;
	range->size = size;
	return 0;
}

int saved_get_ranges(json_t *list, struct range **ranges, int *n)
{
	return saved_get_list(list, sizeof(**ranges), ranges, n, saved_get_range, NULL);
}

static int get_cpu(json_t *item, void *to, void *unused)
{
	json_int_t apic_id = TOPO_APIC_UNKNOWN;
	struct topo_cpu *cpu = to;

	if (json_unpack(item, "{s:i, s:i, s?I !}", "cpu", &cpu->cpu,
			"node", &cpu->node, "apic_id", &apic_id) ||
	    cpu->cpu < 0 || cpu->cpu > VALUES_MAX_CPU ||
	    cpu->node < 0 || cpu->node > TOPO_MAX_NODE ||
	    apic_id < 0 || apic_id > TOPO_APIC_UNKNOWN)
		return -EINVAL;
	cpu->apic_id = apic_id;
	cpu->online = true;
	return 0;
}

int saved_get_cpus(json_t *list, struct topo_cpu **cpus, int *n)
{
	return saved_get_list(list, sizeof(**cpus), cpus, n, get_cpu, NULL);
}
