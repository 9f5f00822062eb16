/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan.h - the resolved partition: which bytes and CPUs each image gets.
 *
 * plan_make() turns partitions.conf and a topology into physical ranges, always
 * the same ones for the same input. `ccctl partition` saves the plan before it
 * kexecs; from then on only the saved plan counts, as the memory reservations
 * on the boot image's command line were made from it.
 *
 *	 0     64K*id                16M                               top
 *	 +------+-----+--+-----------+----------------+-----+-----+------+
 *	 |      | low |  | boot image's memory        | ctl | reg | mem  |
 *	 +------+-----+--+-----------+----------------+-----+-----+------+
 *
 * Rules:
 *  - image id 0 is the boot image, 1.. are the clients in the file's order;
 *  - no two ranges of a plan overlap, all lie in RAM of the firmware's map;
 *  - a client's mem is one range, 2 MiB aligned, on its node;
 *  - region ranges are aligned to the machine's memory block; the boot image has
 *    one for each node that it is to have frames on, another image one, or none;
 *  - ctl is the shared control area: 2 MiB aligned, on the boot image's first region
 *    node,
 *    as large as plan_ctl_size() says for all RAM of the machine: what is not
 *    an image's or the region's is the boot image's;
 *  - low is 64 KiB below 576 KiB, at 64 KiB * id unless the firmware has a hole
 *    there: its first page is the loader's trampoline, the rest is the image's
 *    RAM below 1 MiB;
 *  - the boot image also keeps the CPUs that no image lists;
 *  - all but low lies in at most PLAN_MAX_EXTENTS ranges, neighbours joined: the
 *    boot kernel's KASLR keeps clear of no more memmap= ranges than that, it
 *    would put the kernel into the fifth (arch/x86/boot/compressed/kaslr.c).
 *  - the boot image gets the rest, at least 256 MiB of it below 4 GiB.
 */
#ifndef BOOT_PLAN_H
#define BOOT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "boot/conf/conf.h"
#include "boot/machine/topology.h"

#define PLAN_FILE		"/var/lib/ccluster/plan"
#define PLAN_REVISION		3
#define PLAN_MAX_IMAGES		CONF_MAX_IMAGES
#define PLAN_ALIGN		(2u << 20)	/* of mem and ctl */
#define PLAN_LOW_SIZE		(64u << 10)
#define PLAN_LOW_END		(576u << 10)
#define PLAN_MAX_EXTENTS	4
#define PLAN_FLOOR		(16u << 20)	/* nothing else below */
/*
 * kexec puts what the new kernel keeps for ever (setup_data) at the top of
 * RAM: that must be the boot image's.
 */
#define PLAN_TOP		(2u << 20)
#define PLAN_BOOT_DMA		(256u << 20)	/* boot image, below 4 GiB */

/* Strings belong to the plan. */
struct plan_mount {
	const char *export;	/* its name */
	const char *source;	/* "boot:/srv/shared", for mount -t ccfs */
	const char *target;	/* in the image's root */
	bool ro;
	bool overlay;		/* with a tmpfs of the image over it, in "ro" mode */
};

struct plan_image {
	int id;
	const char *name;
	struct topo_cpu *cpus;	/* for a client: cpus[0] boots first */
	int ncpus;
	struct range *mem;	/* a client: one; the boot image: the rest */
	int nmem;
	struct range *region;	/* its part: the frames that it is the owner of */
	int nregion;
	struct range low;	/* size 0 for the boot image */
	const char *kernel;
	const char *initrd;
	const char *cmdline;	/* the configuration's additions; may be "" */
	const char **devices;	/* "0000:00:04.0" */
	int ndevices;
	struct plan_mount *mounts;	/* "/" first, then by depth */
	int nmounts;
};

struct plan_export {
	const char *name;
	const char *path;
	int image;		/* owner's id */
	unsigned int to;	/* bit id: that image may mount it */
	bool ro;
};

struct plan {
	struct json_t *strings;	/* jansson's values that hold all of them */
	const char *conf_file;	/* absolute */
	char conf_hash[17];	/* conf->scan->hash */
	uint64_t block_size;
	struct range ctl;
	struct plan_image images[PLAN_MAX_IMAGES];	/* [i].id == i */
	int nimages;
	struct plan_export *exports;
	int nexports;
};

/*
 * Resolve @conf on @topo. 0 and *@out (plan_free() it), or -EINVAL with what
 * does not fit in @diag. @conf must have passed conf_check_machine().
 */
int plan_make(const struct conf *conf, const struct topology *topo,
	      struct plan **out, struct diag *diag);
void plan_free(struct plan *plan);

/* The image called @name, or NULL. */
struct plan_image *plan_find(struct plan *plan, const char *name);
/* Does @image export anything? */
bool plan_exports(const struct plan *plan, const struct plan_image *image);
/*
 * Bytes of the control area, a multiple of PLAN_ALIGN: what SHAREDPC_CTL_SIZE
 * is for, and each image's words for a box of @memory bytes.
 */
uint64_t plan_ctl_size(int nimages, uint64_t memory);
/* Bytes of the region, the parts of all images. */
uint64_t plan_region_size(const struct plan *plan);

/*
 * What follows the machine's own command line on that of the boot image:
 * ccctl.plan=HASH (marks a partitioned machine, and where this part begins),
 * memmap=SIZE$START for all that is not its own, the options every boot image
 * needs, and the configuration's additions. A malloc'ed string, or NULL when out
 * of memory.
 *
 * Trap: do not add "nokaslr". kexec puts the kernel file at the top of RAM,
 * which may be a slice; KASLR is what moves the running kernel out of there.
 */
char *plan_cmdline(const struct plan *plan);
/*
 * @cmdline (a running kernel's) without what plan_cmdline() put at its end. A
 * malloc'ed string, or NULL when out of memory.
 */
char *plan_cmdline_strip(const char *cmdline);
/* Has it a "--"? What is put behind that the kernel hands to init. */
bool plan_cmdline_closed(const char *cmdline);
/* Memory that is not the boot image's own. */
struct plan_use {
	struct range range;
	enum { PLAN_USE_CTL, PLAN_USE_REGION, PLAN_USE_LOW, PLAN_USE_MEM } what;
	const struct plan_image *image;	/* whose; NULL for ctl */
};

#define PLAN_MAX_USES	(SHAREDPC_REGIONS_MAX + 1 + 2 * PLAN_MAX_IMAGES)

/* All of it, by address, to @uses, which has room for PLAN_MAX_USES. How many. */
int plan_uses(const struct plan *plan, struct plan_use *uses);
/*
 * The ranges that are not the boot image's, sorted, neighbours joined, low ones
 * first. Fills at most @max of @out, returns how many there are.
 */
int plan_extents(const struct plan *plan, struct range *out, int max);

/*
 * Write to / read from @path, atomically and durably: what plan_print_json() prints.
 * 0 or -errno.
 */
int plan_save(const struct plan *plan, const char *path);
/* -EINVAL: not a plan of this revision (says why in @diag); -errno else. */
int plan_load(const char *path, struct plan **out, struct diag *diag);

/*
 * Was the running kernel, with command line @cmdline, started by this plan? 0,
 * also when it does not tell; -ESTALE: by another plan.
 */
int plan_verify_cmdline(const struct plan *plan, const char *cmdline);

/* Has the configuration the plan came from changed since? -errno: unreadable */
int plan_conf_changed(const struct plan *plan);

/*
 * Are all ranges that belong to clients, region and ctl away from the running
 * kernel's memory? @iomem is /proc/iomem read as root. 0; -ENOMSG when the
 * file hides its addresses (not root); -EBUSY and the first range that is
 * still System RAM in *@bad, its use ("slice of web") in @what.
 */
int plan_verify_reserved(const struct plan *plan, FILE *iomem,
			 struct range *bad, char *what, size_t len);

/*
 * Is memory that sharedpc.ko added still in @iomem? Then true and the first
 * piece of it in @piece. Once the module is gone, it could not be removed.
 */
bool plan_region_stays(FILE *iomem, struct range *piece);

/* Print for people, or as JSON. 0 or -errno. */
int plan_print(const struct plan *plan, const struct topology *topo, FILE *out);
int plan_print_json(const struct plan *plan, FILE *out);
/* What of the devices in @plan does not happen yet, one line per image. */
void plan_print_devices(const struct plan *plan, FILE *out);

#endif
