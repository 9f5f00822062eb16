/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * repartition.h - the kexec that makes a machine a partitioned one
 */
#ifndef BOOT_REPARTITION_H
#define BOOT_REPARTITION_H

#include "boot/plan/plan.h"
#include "boot/machine/topology.h"
#include "boot/text/why.h"

#define REPARTITION_INITRD	"/run/ccluster/boot-initrd.img"

struct repartition {
	char *cmdline;		/* of the boot image's kernel */
	const char *kernel;	/* the plan's */
	const char *initrd;	/* to put behind the tables, "" for none */
	const struct topology *topo;
};

/* Look at everything, change nothing.  0 or -errno with @why. */
int repartition_prepare(struct repartition *r, const struct plan *plan,
			const struct topology *topo, struct why *why);
/* Write the initrd and load the kernel. */
int repartition_load(const struct repartition *r, struct why *why);
/* Forget what repartition_load() loaded, so that no later kexec jumps there. */
void repartition_unload(void);
/* Jump.  Returns only if that fails. */
int repartition_jump(struct why *why);
void repartition_free(struct repartition *r);

#endif
