// SPDX-License-Identifier: GPL-2.0-only
/*
 * conf.c - partitions.conf as a structure.
 *
 * conf_read() goes through the sections in an order in which each can refer to
 * what was read before: images, region, exports, mounts. A mistake in a section
 * does not stop the others; only at the end does one mistake make the whole
 * file worthless. What concerns several images at once is in conf-check.c.
 */
#include "boot/conf/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot/conf/conf-check.h"
#include "boot/conf/conf-export.h"
#include "boot/text/values.h"

#define STR(name)	CFG_STR(name, NULL, CFGF_NODEFAULT)
#define LIST(name)	CFG_STR_LIST(name, NULL, CFGF_NODEFAULT)

static cfg_opt_t region_opts[] = {
	STR("size"), LIST("nodes"), CFG_END()
};

static cfg_opt_t image_opts[] = {
	STR("booted_by"), LIST("cpus"), STR("ncpus"), STR("memory"),
	STR("node"), STR("region"), STR("kernel"), STR("initrd"), STR("cmdline"),
	LIST("devices"), CFG_END()
};

static cfg_opt_t export_opts[] = {
	STR("path"), STR("owner"), LIST("to"), STR("mode"), STR("squash"),
	STR("nodev"), STR("nosuid"), STR("quota"), LIST("map"), CFG_END()
};

static cfg_opt_t mount_opts[] = {
	STR("export"), LIST("images"), STR("target"), STR("mode"), STR("overlay"),
	CFG_END()
};

static cfg_opt_t conf_opts[] = {
	CFG_SEC("region", region_opts, CFGF_NONE),
	CFG_SEC("image", image_opts, CFGF_TITLE | CFGF_MULTI),
	CFG_SEC("export", export_opts, CFGF_TITLE | CFGF_MULTI),
	CFG_SEC("mount", mount_opts, CFGF_MULTI),
	CFG_END()
};

static void name_check(const struct values *v, const char *kind)
{
	const char *wrong = values_name_error(v->scan->title);

	if (wrong)
		diag_add(v->diag, v->scan->line,
			 "name \"%s\" of %s %s; use a-z, 0-9 and \"-\", at most %d characters",
			 v->scan->title, kind, wrong, VALUES_MAX_NAME);
}

/* Sizes given in bytes must be whole frames and more than nothing. */
static void size_check(const struct values *v, const char *key,
		       const struct value_num *num)
{
	char below[24], above[24];
	uint64_t down = num->value & ~(uint64_t)(CONF_FRAME_SIZE - 1);

	if (!num->given)
		return;
	if (!num->value)
		diag_add(v->diag, num->line,
			 "%s is zero; give a size like \"512M\"", key);
	else if (num->value != down)
		diag_add(v->diag, num->line,
			 "%s of %" PRIu64 " bytes is not a multiple of the page size, %u; the next sizes are \"%s\" and \"%s\"",
			 key, num->value, CONF_FRAME_SIZE,
			 values_size_str(down, below, sizeof(below)),
			 values_size_str(down + CONF_FRAME_SIZE, above,
				       sizeof(above)));
}

static int read_region(struct conf *conf, const struct values *v)
{
	struct conf_region *region = &conf->region;
	int err;

	region->line = v->scan->line;
	if (!values_given(v, "size"))
		diag_add(v->diag, region->line,
			 "region has no size; add size = \"512M\" or another");
	if (!values_given(v, "nodes"))
		diag_add(v->diag, region->line,
			 "region has no nodes; add nodes = {0} or others");
	err = values_size(v, "size", &region->size);
	if (!err && region->size.given &&
	    region->size.value < CONF_FRAME_SIZE)
		diag_add(v->diag, region->size.line,
			 "region of %" PRIu64 " bytes is smaller than one frame (%u bytes); give it a size like \"512M\"",
			 region->size.value, CONF_FRAME_SIZE);
	else if (!err)
		size_check(v, "size", &region->size);
	if (values_fatal(err))
		return err;
	err = values_nums(v, "nodes", VALUES_MAX_NODE, &region->nodes);
	if (!err && region->nodes.n > SHAREDPC_REGIONS_MAX)
		diag_add(v->diag, region->nodes.line,
			 "region lies on %d nodes; %d are the limit",
			 region->nodes.n, SHAREDPC_REGIONS_MAX);
	return values_fatal(err);
}

static int default_str(struct value_str *str, const char *value)
{
	if (str->s)
		return 0;
	str->s = strdup(value);
	return str->s ? 0 : -ENOMEM;
}

static int read_image_files(struct conf_image *image, const struct values *v)
{
	struct value_str initrd;
	int err;

	err = values_fatal(values_path(v, "kernel", &image->kernel));
	if (!err)
		err = default_str(&image->kernel, CONF_DEFAULT_KERNEL);
	if (err)
		return err;
	err = values_str(v, "initrd", &initrd);
	if (err)
		return err;
	if (initrd.s && !initrd.s[0]) {
		image->initrd = initrd;		/* "": none at all */
	} else {
		free(initrd.s);
		err = values_fatal(values_path(v, "initrd", &image->initrd));
		if (!err)
			err = default_str(&image->initrd, image->boot ? "" :
					  CONF_DEFAULT_INITRD);
		if (err)
			return err;
	}
	if (!image->boot && values_given(v, "initrd") && !image->initrd.s[0])
		diag_add(v->diag, image->initrd.line,
			 "initrd is empty; image \"%s\" has no disk to boot from, name its initrd or remove the line",
			 image->name);
	err = values_str(v, "cmdline", &image->cmdline);
	return err ? err : default_str(&image->cmdline, "");
}

static int read_image(struct conf *conf, const struct values *v)
{
	struct conf_image *image = &conf->images[conf->nimages];
	int err;

	image->line = v->scan->line;
	image->name = strdup(v->scan->title);
	if (!image->name)
		return -ENOMEM;
	conf->nimages++;
	name_check(v, "image");
	err = values_str(v, "booted_by", &image->booted_by);
	if (err)
		return err;
	image->boot = image->booted_by.s &&
		      !strcmp(image->booted_by.s, "firmware");
	err = values_fatal(values_nums(v, "cpus", VALUES_MAX_CPU, &image->cpus));
	if (!err)
		err = values_fatal(values_num(v, "ncpus", VALUES_MAX_CPU + 1,
				       &image->ncpus));
	if (!err)
		err = values_fatal(values_num(v, "node", VALUES_MAX_NODE,
				       &image->node));
	if (err)
		return err;
	err = values_size(v, "memory", &image->memory);
	if (!err)
		size_check(v, "memory", &image->memory);
	if (!values_fatal(err))
		err = values_size(v, "region", &image->region);
	if (!err)
		size_check(v, "region", &image->region);
	if (!values_fatal(err))
		err = values_strs(v, "devices", &image->devices);
	if (err && err != -EINVAL)
		return err;
	return read_image_files(image, v);
}

int conf_find_image(const struct conf *conf, const char *name)
{
	int i;

	for (i = 0; i < conf->nimages; i++)
		if (!strcmp(conf->images[i].name, name))
			return i;
	return -ENOENT;
}

static void unknown_image(const struct conf *conf, const struct values *v,
			  const struct value_str *str, const char *key)
{
	char known[CONF_MAX_IMAGES * (VALUES_MAX_NAME + 3)] = "";
	size_t used = 0;
	int i;

	for (i = 0; i < conf->nimages && used < sizeof(known); i++)
		used += snprintf(known + used, sizeof(known) - used, "%s%.*s",
				 i ? ", " : "", VALUES_MAX_NAME,
				 conf->images[i].name);
	diag_add(v->diag, str->line, "unknown image \"%s\" in \"%s\"; images are %s",
		 str->s, key, known);
}

/* The list @key of image names as a mask; "*" gives @all. */
static int read_mask(const struct conf *conf, const struct values *v,
		     const char *key, unsigned int all, unsigned int *mask)
{
	struct value_strs list = { 0 };
	int i, image, err;

	err = values_strs(v, key, &list);
	if (err)
		goto out_free;
	if (!list.n) {
		diag_add(v->diag, list.line, values_given(v, key) ?
			 "\"%s\" is an empty list; name images, or {\"*\"} for all" :
			 "\"%s\" is missing; name images, or {\"*\"} for all",
			 key);
		*mask |= all;
	}
	for (i = 0; i < list.n; i++) {
		if (!strcmp(list.v[i].s, "*")) {
			*mask |= all;
			continue;
		}
		image = conf_find_image(conf, list.v[i].s);
		if (image < 0)
			unknown_image(conf, v, &list.v[i], key);
		else
			*mask |= 1u << image;
	}
out_free:
	for (i = 0; i < list.n; i++)
		free(list.v[i].s);
	free(list.v);
	return err;
}

static int read_export_owner(struct conf *conf, struct conf_export *export,
			     const struct values *v)
{
	struct value_str owner;
	int err = values_str(v, "owner", &owner);

	export->image = conf->boot;
	if (err || !owner.s)
		return err;
	export->image = conf_find_image(conf, owner.s);
	if (export->image < 0)
		unknown_image(conf, v, &owner, "owner");
	else if (!conf->images[export->image].boot &&
		 !conf->images[export->image].region.value)
		diag_add(v->diag, owner.line,
			 "export of image \"%s\", which has no part of the region for its pages; add region = \"128M\" or more to the image on line %d",
			 owner.s, conf->images[export->image].line);
	if (export->image < 0)
		export->image = conf->boot;
	free(owner.s);
	return 0;
}

static int read_export(struct conf *conf, const struct values *v)
{
	struct conf_export *export = &conf->exports[conf->nexports];
	int err;

	export->line = v->scan->line;
	export->name = strdup(v->scan->title);
	if (!export->name)
		return -ENOMEM;
	conf->nexports++;
	name_check(v, "export");
	if (!values_given(v, "path"))
		diag_add(v->diag, export->line,
			 "export \"%s\" has no path; add path = \"/...\"",
			 export->name);
	err = values_fatal(values_path(v, "path", &export->path));
	if (!err)
		err = read_export_owner(conf, export, v);
	if (!err)
		err = read_mask(conf, v, "to", ~0u, &export->to);
	if (err)
		return err;
	export->to |= 1u << export->image;
	err = values_fatal(values_mode(v, &export->ro));
	if (!err)
		err = conf_export_rules(export, v);
	if (err)
		return err;
	err = values_size(v, "quota", &export->quota);
	if (!err)
		size_check(v, "quota", &export->quota);
	return values_fatal(err);
}

static int find_export(const struct conf *conf, const char *name)
{
	int i;

	for (i = 0; i < conf->nexports; i++)
		if (!strcmp(conf->exports[i].name, name))
			return i;
	return -ENOENT;
}

static int read_mount_export(struct conf *conf, struct conf_mount *mount,
			     const struct values *v)
{
	struct value_str name;
	int err = values_str(v, "export", &name);

	mount->export = -1;
	if (err)
		return err;
	if (!name.s) {
		diag_add(v->diag, mount->line,
			 "mount has no export; add export = \"NAME\"");
		return 0;
	}
	mount->export = find_export(conf, name.s);
	if (mount->export < 0)
		diag_add(v->diag, name.line,
			 "unknown export \"%s\"; add a section export %s { ... } or name another",
			 name.s, name.s);
	free(name.s);
	return 0;
}

/* What is below an overlay is never written. */
static int read_mount_overlay(struct conf_mount *mount, const struct values *v)
{
	static const char *const names[] = { "none", "tmpfs", NULL };
	int n = 0, err = values_fatal(values_choice(v, "overlay", names, &n));

	mount->overlay = n;
	mount->overlay_line = scan_value_line(v->scan, "overlay", 0);
	if (mount->overlay && !values_given(v, "mode"))
		mount->ro = true;
	if (mount->overlay && !mount->ro)
		diag_add(v->diag, scan_value_line(v->scan, "mode", 0),
			 "mount is \"rw\" below its overlay, which would never be used; remove the mode or the overlay");
	return err;
}

static int read_mount(struct conf *conf, const struct values *v)
{
	struct conf_mount *mount = &conf->mounts[conf->nmounts++];
	const struct conf_export *export;
	unsigned int all = (1u << conf->nimages) - 1;
	int err;

	mount->line = v->scan->line;
	err = read_mount_export(conf, mount, v);
	if (err)
		return err;
	export = mount->export < 0 ? NULL : &conf->exports[mount->export];
	if (export) {
		all &= export->to & ~(1u << export->image);
		mount->ro = export->ro;
	}
	err = read_mask(conf, v, "images", all, &mount->images);
	if (err)
		return err;
	if (!values_given(v, "target"))
		diag_add(v->diag, mount->line,
			 "mount has no target; add target = \"/...\"");
	err = values_fatal(values_path(v, "target", &mount->target));
	if (!err)
		err = values_fatal(values_mode(v, &mount->ro));
	if (!err)
		err = read_mount_overlay(mount, v);
	if (!err && export && export->ro && !mount->ro)
		diag_add(v->diag, scan_value_line(v->scan, "mode", 0),
			 "mount is \"rw\", but export \"%s\" on line %d is \"ro\"; write \"ro\" here or \"rw\" there",
			 export->name, export->line);
	return err;
}

typedef int read_fn(struct conf *conf, const struct values *v);

static int read_sections(struct conf *conf, const struct strict *strict,
			 struct diag *diag, const char *kind, int max,
			 read_fn *read)
{
	const struct scan_section *scan;
	int i, err = 0;

	for (i = 0; !err; i++) {
		struct values v = { .diag = diag };

		scan = scan_section(strict->scan, kind, i);
		if (!scan)
			return 0;
		if (i == max) {
			diag_add(diag, scan->line,
				 "more than %d %s sections; remove this one",
				 max, kind);
			return 0;
		}
		v.scan = scan;
		v.sec = cfg_getnsec(strict->cfg, kind, i);
		err = read(conf, &v);
	}
	return err;
}

static int read_all(struct conf *conf, const struct strict *strict,
		    struct diag *diag)
{
	int err;

	err = read_sections(conf, strict, diag, "image", CONF_MAX_IMAGES,
			    read_image);
	if (!err) {
		conf_check_images(conf, diag);
		err = read_sections(conf, strict, diag, "region", 1,
				    read_region);
	}
	if (!err && !conf->region.line)
		diag_add(diag, 1,
			 "no region; add region { size = \"512M\" nodes = {0} } or another");
	if (!err)
		err = read_sections(conf, strict, diag, "export",
				    CONF_MAX_EXPORTS, read_export);
	if (!err)
		err = read_sections(conf, strict, diag, "mount",
				    CONF_MAX_MOUNTS, read_mount);
	if (err)
		return err;
	conf_check_exports(conf, diag);
	conf_check_mounts(conf, diag);
	return 0;
}

int conf_read(const char *path, struct conf **out, struct diag *diag)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	int err, before = diag->count;
	struct strict strict;

	if (!conf)
		return -ENOMEM;
	err = strict_parse(path, conf_opts, &strict, diag);
	if (err)
		goto out_free;
	memcpy(conf->hash, strict.hash, sizeof(conf->hash));
	conf->file = strdup(path);
	err = conf->file ? read_all(conf, &strict, diag) : -ENOMEM;
	strict_free(&strict);
	if (!err && diag->count != before)
		err = -EINVAL;
out_free:
	if (err)
		conf_free(conf);
	else
		*out = conf;
	return err;
}

static void conf_image_free(struct conf_image *image)
{
	int i;

	free(image->name);
	free(image->booted_by.s);
	free(image->cpus.v);
	free(image->kernel.s);
	free(image->initrd.s);
	free(image->cmdline.s);
	for (i = 0; i < image->devices.n; i++)
		free(image->devices.v[i].s);
	free(image->devices.v);
}

void conf_free(struct conf *conf)
{
	int i;

	if (!conf)
		return;
	for (i = 0; i < conf->nimages; i++)
		conf_image_free(&conf->images[i]);
	for (i = 0; i < conf->nexports; i++) {
		free(conf->exports[i].name);
		free(conf->exports[i].path.s);
	}
	for (i = 0; i < conf->nmounts; i++)
		free(conf->mounts[i].target.s);
	free(conf->region.nodes.v);
	free(conf->file);
	free(conf);
}
