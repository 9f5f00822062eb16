/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * topology.h - what the machine has: CPUs, nodes, RAM, PCI functions.
 *
 * Two sources give the same structure: the running machine (libnuma, sysfs,
 * the firmware's memory map, and as root the ACPI tables, which alone know the
 * APIC ids of off-line CPUs), or a file, so that a partition can be planned and
 * tested for any machine anywhere. The file's syntax is in ccctl(1),
 * TOPOLOGY FILE.
 *
 * Rules: ranges are sorted by start and do not overlap; the memory map is the
 * firmware's, memmap= parameters of the running kernel change nothing in it; a
 * machine without NUMA has the one node 0. Reading needs no privilege.
 */
#ifndef BOOT_TOPOLOGY_H
#define BOOT_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "boot/text/diag.h"
#include "boot/machine/range.h"

#define TOPO_APIC_UNKNOWN	UINT32_MAX
#define TOPO_MAX_NODE		1023
#define TOPO_DEFAULT_BLOCK	(128u << 20)
/*
 * Written by `ccctl partition`. While the machine is partitioned it stands for
 * the machine, as the boot image's kernel no longer sees all of it.
 */
#define TOPO_SAVED_FILE		"/var/lib/ccluster/topology"

struct topo_cpu {
	int cpu;		/* logical number, as in /sys/devices/system/cpu */
	int node;
	uint32_t apic_id;	/* TOPO_APIC_UNKNOWN: not readable */
	bool online;
};

struct topo_pci {
	char bdf[13];		/* "0000:00:04.0" */
	uint32_t class;		/* class, subclass, interface: 0x010802 */
};

struct topology {
	char *source;		/* "this machine", or the file's name */
	bool live;		/* it is this machine */
	uint64_t block_size;	/* memory block: unit of memory hot-add, bytes */
	struct topo_cpu *cpus;	/* by number */
	int ncpus;
	int *nodes;		/* node numbers, ascending */
	int nnodes;
	struct range *ram;	/* usable RAM of the firmware's map */
	int nram;
	struct topo_pci *pci;	/* by address */
	int npci;
};

/*
 * The running machine. 0 or -errno. topology_free() it. When the kernel's
 * command line says that the machine is partitioned (ccctl.plan=), CPUs and RAM
 * are those in TOPO_SAVED_FILE.
 */
int topology_read_live(struct topology **out);
/* A topology file; errors as conf_read(). */
int topology_read_file(const char *path, struct topology **out,
		       struct diag *diag);
/* Write it in the file's syntax. 0 or -errno. */
int topology_write(const struct topology *topo, FILE *out);
/* The same to @path, atomically and durably. 0 or -errno. */
int topology_save(const struct topology *topo, const char *path);
void topology_free(struct topology *topo);

/* The CPU numbered @cpu, or NULL. */
struct topo_cpu *topology_cpu(const struct topology *topo, int cpu);
bool topology_has_node(const struct topology *topo, int node);
const struct topo_pci *topology_pci(const struct topology *topo,
				    const char *bdf);
/* Bytes of RAM on @node, or everywhere for @node -1. */
uint64_t topology_ram(const struct topology *topo, int node);
/* Is [start, start + size) wholly usable RAM (of any node)? */
bool topology_is_ram(const struct topology *topo, uint64_t start,
		     uint64_t size);
/* "0-3,8" of the numbers of CPUs, in their order; malloc'ed, or NULL. */
char *topology_cpus_str(const struct topo_cpu *cpus, int n);

/* For the readers, who append in any order: put all in order. 0 or -ENOMEM. */
int topology_finish(struct topology *topo);

#endif
