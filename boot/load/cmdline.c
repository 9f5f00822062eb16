// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmdline.c - the kernel command line of an image that ccctl starts (the boot
 * image's, where two words of ccctl's come last: repartition.c)
 *
 * In this order, so that the configuration's own words come last and win:
 *
 *  - the token of this start;
 *  - what a kernel needs that has no firmware, no PCI bus, no interrupt
 *    controller but its local APICs and no timer but the TSC, and that must
 *    not send an interrupt to CPUs that it does not know, and must keep its
 *    LOCK prefixes although it may have a single CPU (noreplace-smp), because
 *    its atomics are on memory that other kernels change as well;
 *  - of an owner, what has its part of the region come up where nothing of its
 *    kernel's own can settle, and stay there;
 *  - for sharedpc.ko and ccinit: who the image is, where the control area is,
 *    what to mount where (ccluster.mount=SOURCE,TARGET,OPTIONS, in order);
 *  - the image's cmdline of partitions.conf.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "boot/load/kmsg.h"
#include "boot/load/cmdline.h"

static void put_machine(FILE *out, const struct ccboot_info *info)
{
	fprintf(out, "console=ttyCC0 pci=off noapic");
	if (info->tsc_khz)
		fprintf(out, " tsc_early_khz=%u", info->tsc_khz);
	fprintf(out, " tsc=reliable no_ipi_broadcast=1 noreplace-smp");
	fprintf(out, " 8250.nr_uarts=0 swiotlb=noforce");
	fprintf(out, " printk.devkmsg=on");
}

static void put_mount_words(FILE *out, const struct plan_image *img)
{
	for (int i = 0; i < img->nmounts; i++)
		fprintf(out, " ccluster.mount=%s,%s,%s", img->mounts[i].source,
			img->mounts[i].target, img->mounts[i].overlay ? "overlay" :
			img->mounts[i].ro ? "ro" : "rw");
}

char *cmdline_make(const struct plan *plan, const struct plan_image *img,
		   const struct ccboot_info *info, uint64_t token)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fprintf(out, KMSG_TOKEN " ", (unsigned long long)token);
	put_machine(out, info);
	if (img->nregion)
		fputs(" memhp_default_state=online_movable numa_balancing=disable", out);
	fprintf(out, " hostname=%s", img->name);
	fprintf(out, " sharedpc.self=%d sharedpc.ctl=0x%" PRIx64
		" sharedpc.ctl_size=0x%" PRIx64, img->id, plan->ctl.start,
		plan->ctl.size);
	put_mount_words(out, img);
	if (img->cmdline && img->cmdline[0])
		fprintf(out, " %s", img->cmdline);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
