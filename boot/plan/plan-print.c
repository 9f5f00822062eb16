// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan-print.c - a plan for people.
 *
 * The text shows each thing once: images with their CPUs and sizes, then the
 * physical memory from bottom to top with its use, then files.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot/plan/plan.h"

/* The nodes of an image's CPUs: "0" or "0,1". Returns @buf. */
static const char *nodes_str(const struct plan_image *image, char *buf,
			     size_t len)
{
	size_t used = 0;
	int i, j;

	buf[0] = '\0';
	for (i = 0; i < image->ncpus && used < len; i++) {
		for (j = 0; j < i; j++)
			if (image->cpus[j].node == image->cpus[i].node)
				break;
		if (j == i)
			used += snprintf(buf + used, len - used, "%s%d",
					 i ? "," : "", image->cpus[i].node);
	}
	return buf;
}

/* Sizes that need not be exact: "1278M". Returns @buf. */
static const char *about_str(uint64_t bytes, char *buf, size_t len)
{
	if (bytes < 16 << 20)
		snprintf(buf, len, "%" PRIu64 "K", bytes >> 10);
	else
		snprintf(buf, len, "%" PRIu64 "M", bytes >> 20);
	return buf;
}

static int print_images(const struct plan *plan, FILE *out)
{
	char nodes[64], size[24];
	int i, j;

	fprintf(out, "%-3s %-12s %-12s %-5s %8s  %s\n", "ID", "IMAGE", "CPUS",
		"NODE", "MEMORY", "DEVICES");
	for (i = 0; i < plan->nimages; i++) {
		const struct plan_image *image = &plan->images[i];
		char *cpus = topology_cpus_str(image->cpus, image->ncpus);

		if (!cpus)
			return -ENOMEM;
		fprintf(out, "%-3d %-12s %-12s %-5s %8s  ", i, image->name, cpus,
			nodes_str(image, nodes, sizeof(nodes)),
			about_str(range_sum(image->mem, image->nmem, -1), size,
				  sizeof(size)));
		free(cpus);
		for (j = 0; j < image->ndevices; j++)
			fprintf(out, "%s%s", j ? ", " : "", image->devices[j]);
		fprintf(out, "%s\n", j ? "" : i ? "none" : "all others");
	}
	return 0;
}

void plan_print_devices(const struct plan *plan, FILE *out)
{
	int i;

	for (i = 1; i < plan->nimages; i++)
		if (plan->images[i].ndevices)
			fprintf(out, "note: devices are not handed over yet: %s runs without PCI, the kernel of %s keeps what is listed for it\n",
				plan->images[i].name, plan->images[0].name);
}

static int print_memory(const struct plan *plan, FILE *out)
{
	static const char *const names[] = {
		[PLAN_USE_CTL]	  = "shared control area",
		[PLAN_USE_REGION] = ", region, shared by all images",
		[PLAN_USE_LOW]	  = ", low memory",
		[PLAN_USE_MEM]	  = "",
	};
	const struct plan_image *boot = &plan->images[0];
	struct plan_use *uses = calloc(PLAN_MAX_USES + boot->nmem, sizeof(*uses));
	char size[24];
	int i, n;

	if (!uses)
		return -ENOMEM;
	n = plan_uses(plan, uses);
	for (i = 0; i < boot->nmem; i++)
		uses[n++] = (struct plan_use){ boot->mem[i], PLAN_USE_MEM, boot };
	qsort(uses, n, sizeof(*uses), range_compare);
	fprintf(out, "\n%-18s %-18s %8s  %-4s %s\n", "FIRST BYTE", "LAST BYTE",
		"SIZE", "NODE", "USE");
	for (i = 0; i < n; i++)
		fprintf(out, "0x%016" PRIx64 " 0x%016" PRIx64 " %8s  %-4d %s%s\n",
			uses[i].range.start,
			uses[i].range.start + uses[i].range.size - 1,
			about_str(uses[i].range.size, size, sizeof(size)),
			uses[i].range.node, uses[i].image ? uses[i].image->name : "",
			names[uses[i].what]);
	free(uses);
	return 0;
}

static void print_files(const struct plan *plan, FILE *out)
{
	int i, j;

	fprintf(out, "\n%-12s %-24s %-24s %s\n", "IMAGE", "KERNEL", "INITRD",
		"COMMAND LINE ADDED");
	for (i = 0; i < plan->nimages; i++) {
		const struct plan_image *image = &plan->images[i];

		fprintf(out, "%-12s %-24s %-24s %s\n", image->name,
			image->kernel, image->initrd[0] ? image->initrd : "-",
			image->cmdline[0] ? image->cmdline : "-");
	}
	fprintf(out, "\n%-12s %-12s %-24s %-4s %s\n", "EXPORT", "OWNER", "PATH", "MODE",
		"TO");
	for (i = 0; i < plan->nexports; i++) {
		const struct plan_export *export = &plan->exports[i];
		const char *sep = "";

		fprintf(out, "%-12s %-12s %-24s %-4s ", export->name,
			plan->images[export->image].name, export->path,
			export->ro ? "ro" : "rw");
		for (j = 0; j < plan->nimages; j++) {
			if (!(export->to & 1u << j))
				continue;
			fprintf(out, "%s%s", sep, plan->images[j].name);
			sep = ", ";
		}
		fputc('\n', out);
	}
	fprintf(out, "\n%-12s %-24s %-4s %s\n", "MOUNT ON", "TARGET", "MODE",
		"SOURCE");
	for (i = 0; i < plan->nimages; i++)
		for (j = 0; j < plan->images[i].nmounts; j++) {
			const struct plan_mount *mount;

			mount = &plan->images[i].mounts[j];
			fprintf(out, "%-12s %-24s %-4s %s\n",
				plan->images[i].name, mount->target,
				mount->ro ? "ro" : "rw", mount->source);
		}
}

int plan_print(const struct plan *plan, const struct topology *topo, FILE *out)
{
	char block[24], *cmdline = plan_cmdline(plan);
	int err;

	if (!cmdline)
		return -ENOMEM;
	fprintf(out, "%s: %d CPUs, %d node%s, %" PRIu64 "M of RAM in memory blocks of %s\n\n",
		topo->source, topo->ncpus, topo->nnodes,
		topo->nnodes == 1 ? "" : "s", topology_ram(topo, -1) >> 20,
		values_size_str(topo->block_size, block, sizeof(block)));
	err = print_images(plan, out);
	plan_print_devices(plan, out);
	if (!err)
		err = print_memory(plan, out);
	if (!err) {
		print_files(plan, out);
		fprintf(out, "\nAdded to the boot image's kernel command line:\n%s\n",
			cmdline);
	}
	free(cmdline);
	return err ? err : ferror(out) ? -EIO : 0;
}
