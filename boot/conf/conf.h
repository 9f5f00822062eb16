/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf.h - partitions.conf as a structure.
 *
 * conf_read() reads the file and reports every mistake that can be seen
 * without knowing the machine; conf_check_machine() adds those that need its
 * topology (CPUs, nodes, devices) and its file tree (exported paths);
 * plan_make() (plan.h) those that need its memory map.
 *
 * Every value carries the line it came from, for the messages of later
 * stages. What is not a default is owned by struct conf.
 * Sizes are bytes.
 */
#ifndef BOOT_CONF_H
#define BOOT_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/text/values.h"
#include "ccboot.h"
#include "sharedpc_abi.h"
#include "sharedpc_limits.h"

#define CONF_DEFAULT_FILE	"/etc/ccluster/partitions.conf"
#define CONF_DEFAULT_KERNEL	"/boot/vmlinuz"
#define CONF_DEFAULT_INITRD	"/usr/lib/ccluster/initrd.img"

#define CONF_MAX_IMAGES		SHAREDPC_IMAGES_MAX	/* boot image included */
#define CONF_MAX_EXPORTS	32
#define CONF_MAX_MOUNTS		64
#define CONF_MAX_MAPS		8	/* of one export */
#define CONF_MAX_IMAGE_CPUS	CCBOOT_CPUS_MAX	/* of one, but the boot image */
#define CONF_MAX_IMAGE_MOUNTS	LIMIT_CLIENT_MOUNTS	/* of one client */
#define CONF_MAX_CMDLINE	1024	/* of an image's own additions, bytes */
#define CONF_FRAME_SIZE		4096u
#define CONF_MIN_MEMORY		(64u << 20)	/* least memory of an image */
#define CONF_MEMORY_UNIT	(2u << 20)	/* of a client's memory: large pages map it */

struct topology;

/* The boot image's part of the region. */
struct conf_region {
	int line;
	struct value_num size;
	struct value_nums nodes;
};

struct conf_image {
	int line;
	const char *name;
	bool boot;		/* the boot image: booted_by = "firmware" */
	struct value_str booted_by;	/* NULL: by the boot image */
	struct value_nums cpus;	/* logical CPU numbers, ranges expanded */
	struct value_num ncpus;	/* given instead of cpus, with node */
	struct value_num memory;
	struct value_num node;
	struct value_num region;	/* of frames of its own; the boot image's: conf.region */
	struct value_str kernel;
	struct value_str initrd;
	struct value_str cmdline;
	struct value_strs devices;
};

/* Who a client's root, or everybody of it, is at the owner: nobody. */
enum conf_squash { CONF_SQUASH_NONE, CONF_SQUASH_ROOT, CONF_SQUASH_ALL };

/* Users and groups of a client, and who they are at the owner. */
struct conf_map {
	uint32_t client, owner, count;
};

struct conf_export {
	int line;
	const char *name;
	int image;		/* index of the owner in conf->images */
	struct value_str path;
	unsigned int to;	/* bit i: images[i]; the owner is always set */
	bool ro;
	enum conf_squash squash;
	struct conf_map map[CONF_MAX_MAPS];
	int nmaps;		/* 0: everybody is himself */
	bool nodev;		/* no device files */
	bool nosuid;		/* no set-id bits, no file capabilities */
	struct value_num quota;	/* bytes of it that one client may hold; 0: no limit */
};

struct conf_mount {
	int line;
	int export;		/* index in conf->exports */
	unsigned int images;	/* bit i: images[i] mounts it */
	struct value_str target;
	bool ro;
	bool overlay;		/* changes stay in the image's own memory */
	int overlay_line;
};

struct conf {
	struct scan *scan;	/* has all strings and lists */
	const char *file;
	struct conf_region region;
	struct conf_image images[CONF_MAX_IMAGES];	/* the boot image, others in file order */
	int nimages;
	struct conf_export exports[CONF_MAX_EXPORTS];
	int nexports;
	struct conf_mount mounts[CONF_MAX_MOUNTS];
	int nmounts;
};

/*
 * Read @path. 0 and *@out (conf_free() it), or -EINVAL with the mistakes in
 * @diag (initialised by the caller with the same path), or another -errno when
 * the file cannot be read, nothing added to @diag.
 */
int conf_read(const char *path, struct conf **out, struct diag *diag);
void conf_free(struct conf *conf);

/*
 * Add the mistakes that @topo shows (CPU, node or device that the machine does
 * not have) and exported paths that do not exist. @root is prefixed to the
 * paths ("" for the machine itself); NULL skips the paths.
 * 0, or -EINVAL when something was added to @diag.
 */
int conf_check_machine(const struct conf *conf, const struct topology *topo,
		       const char *root, struct diag *diag);

/* Index of the image called @name, or -ENOENT. */
int conf_find_image(const struct conf *conf, const char *name);

#endif
