// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan-file.c - the saved plan, which is what `ccctl plan --json` prints.
 *
 *	{ "revision": 3, "conf": "/etc/ccluster/partitions.conf",
 *	  "conf_hash": "0123456789abcdef", "block_size": 134217728,
 *	  "ctl": {"start": ..., "size": ..., "node": 1}, "boot_cmdline": "...",
 *	  "images": [ { "id": 1, "name": "web", "cpus": [...], "memory": [...],
 *		"region": [...], "low": {...}, "kernel": "/boot/vmlinuz", ...
 *		"mounts": [ {"export": "root", "source": "boot:/", ...} ] } ],
 *	  "exports": [ {"name": "root", "path": "/", "owner": "boot",
 *		"to": ["web"], "mode": "rw"} ] }
 *
 * Images stand in the order of their ids. boot_cmdline is for who reads it: it
 * follows from the rest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/machine/saved.h"
#include "boot/plan/plan.h"
#include "boot/text/values.h"

static json_t *devices_json(const struct plan_image *image)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < image->ndevices; i++)
		saved_append(&list, json_string(image->devices[i]));
	return list;
}

static json_t *mounts_json(const struct plan_image *image)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < image->nmounts; i++) {
		const struct plan_mount *mount = &image->mounts[i];

		saved_append(&list, json_pack("{s:s, s:s, s:s, s:s, s:b}",
			"export", mount->export, "source", mount->source,
			"target", mount->target, "mode", mount->ro ? "ro" : "rw",
			"overlay", mount->overlay));
	}
	return list;
}

static json_t *images_json(const struct plan *plan)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < plan->nimages; i++) {
		const struct plan_image *image = &plan->images[i];

		saved_append(&list, json_pack(
			"{s:i, s:s, s:o, s:o, s:o, s:o*, s:s, s:s, s:s, s:o, s:o}",
			"id", image->id, "name", image->name,
			"cpus", saved_cpus(image->cpus, image->ncpus),
			"memory", saved_ranges(image->mem, image->nmem),
			"region", saved_ranges(image->region, image->nregion),
			"low", image->low.size ? saved_range(&image->low) : NULL,
			"kernel", image->kernel, "initrd", image->initrd,
			"cmdline", image->cmdline,
			"devices", devices_json(image), "mounts", mounts_json(image)));
	}
	return list;
}

static json_t *exports_json(const struct plan *plan)
{
	json_t *list = json_array();
	int i, id;

	for (i = 0; i < plan->nexports; i++) {
		const struct plan_export *export = &plan->exports[i];
		json_t *to = json_array();

		for (id = 0; id < plan->nimages; id++)
			if (export->to & 1u << id)
				saved_append(&to, json_string(plan->images[id].name));
		saved_append(&list, json_pack("{s:s, s:s, s:s, s:o, s:s}",
			"name", export->name, "path", export->path,
			"owner", plan->images[export->image].name,
			"to", to, "mode", export->ro ? "ro" : "rw"));
	}
	return list;
}

static json_t *plan_json(const struct plan *plan)
{
	char *cmdline = plan_cmdline(plan);
	json_t *root = json_pack("{s:i, s:s, s:s, s:I, s:o, s:s, s:o, s:o}",
		"revision", PLAN_REVISION, "conf", plan->conf_file,
		"conf_hash", plan->conf_hash,
		"block_size", (json_int_t)plan->block_size,
		"ctl", saved_range(&plan->ctl), "boot_cmdline", cmdline,
		"images", images_json(plan), "exports", exports_json(plan));

	free(cmdline);
	return root;
}

int plan_print_json(const struct plan *plan, FILE *out)
{
	return saved_write(plan_json(plan), out);
}

int plan_save(const struct plan *plan, const char *path)
{
	return saved_save(plan_json(plan), path);
}

/* From here on: reading. Every mistake means a file that is not ours. */
static int get_mode(const char *mode, bool *ro)
{
	*ro = !strcmp(mode, "ro");
	return *ro || !strcmp(mode, "rw") ? 0 : -EINVAL;
}

static int get_device(json_t *item, void *to, void *unused)
{
	*(const char **)to = json_string_value(item);
	return json_is_string(item) ? 0 : -EINVAL;
}

static int get_mount(json_t *item, void *to, void *unused)
{
	struct plan_mount *mount = to;
	const char *mode;
	int overlay;

	if (json_unpack(item, "{s:s, s:s, s:s, s:s, s:b !}",
			"export", &mount->export, "source", &mount->source,
			"target", &mount->target, "mode", &mode, "overlay", &overlay))
		return -EINVAL;
	mount->overlay = overlay;
	return get_mode(mode, &mount->ro);
}

/* How many ranges each kind of image has. */
static bool ranges_right(const struct plan_image *image)
{
	if (!image->id)
		return image->nmem && image->nregion &&
		       image->nregion <= SHAREDPC_REGIONS_MAX - PLAN_MAX_IMAGES + 1;
	return image->nmem == 1 && image->nregion <= 1 && image->low.size;
}

static int get_image(struct plan *plan, json_t *item)
{
	json_t *cpus, *memory, *region, *low = NULL, *devices, *mounts;
	struct plan_image *image = &plan->images[plan->nimages];
	int err;

	if (plan->nimages == PLAN_MAX_IMAGES ||
	    json_unpack(item, "{s:i, s:s, s:o, s:o, s:o, s?o, s:s, s:s, s:s, s:o, s:o !}",
			"id", &image->id, "name", &image->name, "cpus", &cpus,
			"memory", &memory, "region", &region, "low", &low,
			"kernel", &image->kernel, "initrd", &image->initrd,
			"cmdline", &image->cmdline, "devices", &devices,
			"mounts", &mounts) ||
	    image->id != plan->nimages || values_name_error(image->name))
		return -EINVAL;
	plan->nimages++;
	err = saved_get_cpus(cpus, &image->cpus, &image->ncpus);
	if (!err)
		err = saved_get_ranges(memory, &image->mem, &image->nmem);
	if (!err)
		err = saved_get_ranges(region, &image->region, &image->nregion);
	if (!err && low)
		err = saved_get_range(low, &image->low, NULL);
	if (!err && (!image->ncpus || !ranges_right(image)))
		err = -EINVAL;
	if (!err)
		err = saved_get_list(devices, sizeof(char *), &image->devices,
				     &image->ndevices, get_device, NULL);
	if (!err)
		err = saved_get_list(mounts, sizeof(*image->mounts), &image->mounts,
				     &image->nmounts, get_mount, NULL);
	return err;
}

static int get_export(json_t *item, void *result, void *plan)
{
	struct plan_export *export = result;
	const char *owner, *mode;
	struct plan_image *image;
	json_t *to, *name;
	size_t i;

	if (json_unpack(item, "{s:s, s:s, s:s, s:o, s:s !}", "name", &export->name,
			"path", &export->path, "owner", &owner, "to", &to,
			"mode", &mode))
		return -EINVAL;
	image = plan_find(plan, owner);
	if (!image || !json_is_array(to))
		return -EINVAL;
	export->image = image->id;
	json_array_foreach(to, i, name) {
		image = json_is_string(name) ?
			plan_find(plan, json_string_value(name)) : NULL;
		if (!image)
			return -EINVAL;
		export->to |= 1u << image->id;
	}
	return get_mode(mode, &export->ro);
}

static int damaged(struct diag *diag, int err, const char *what)
{
	if (err == -EINVAL)
		diag_add(diag, 0, "%s; run ccctl partition again", what);
	return err;
}

static int get_plan(struct plan *plan, json_t *root, struct diag *diag)
{
	json_t *ctl, *images, *exports, *item;
	const char *cmdline, *hash;
	json_int_t block_size;
	json_error_t error;
	int revision, err;
	size_t i;

	if (json_unpack_ex(root, &error, 0, "{s:i}", "revision", &revision))
		return damaged(diag, -EINVAL, error.text);
	if (revision != PLAN_REVISION)
		return damaged(diag, -EINVAL, "this plan is of another revision of ccctl");
	if (json_unpack_ex(root, &error, 0, "{s:i, s:s, s:s, s:I, s:o, s:s, s:o, s:o !}",
			   "revision", &revision, "conf", &plan->conf_file,
			   "conf_hash", &hash, "block_size", &block_size,
			   "ctl", &ctl, "boot_cmdline", &cmdline,
			   "images", &images, "exports", &exports))
		return damaged(diag, -EINVAL, error.text);
	if (strlen(hash) != sizeof(plan->conf_hash) - 1 || block_size <= 0 ||
	    saved_get_range(ctl, &plan->ctl, NULL))
		return damaged(diag, -EINVAL, "conf_hash, block_size or ctl is damaged");
	strcpy(plan->conf_hash, hash);
	plan->block_size = block_size;
	json_array_foreach(images, i, item) {
		err = damaged(diag, get_image(plan, item), "an image is damaged");
		if (err)
			return err;
	}
	if (plan->nimages < 2)
		return damaged(diag, -EINVAL, "images are missing");
	return damaged(diag, saved_get_list(exports, sizeof(*plan->exports), &plan->exports,
					    &plan->nexports, get_export, plan),
		       "an export is damaged");
}

int plan_load(const char *path, struct plan **out, struct diag *diag)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	int err;

	if (!plan)
		return -ENOMEM;
	err = saved_read(path, &plan->strings, diag);
	if (!err)
		err = get_plan(plan, plan->strings, diag);
	if (err)
		plan_free(plan);
	else
		*out = plan;
	return err;
}
