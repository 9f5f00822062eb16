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
#include <stdlib.h>
#include <string.h>

#include "boot/conf/conf-check.h"

static const struct scan_rule rules[] = {
	{ "region", .keys = "size", .lists = "nodes" },
	{ "image", .title = true, .multi = true,
	  .keys = "booted_by, ncpus, memory, node, region, kernel, initrd, cmdline",
	  .lists = "cpus, devices" },
	{ "export", .title = true, .multi = true,
	  .keys = "path, owner, mode, squash, nodev, nosuid, quota", .lists = "to, map" },
	{ "mount", .multi = true, .keys = "export, target, mode, overlay",
	  .lists = "images" },
	{ NULL }
};

static void name_check(const struct values *v)
{
	const char *wrong = values_name_error(v->sec->title);

	if (wrong)
		diag_add(v->diag, v->sec->line,
			 "name \"%s\" of %s %s; use a-z, 0-9 and \"-\", at most %d characters",
			 v->sec->title, v->sec->kind, wrong, VALUES_MAX_NAME);
}

static void read_region(struct conf *conf, const struct values *v)
{
	struct conf_region *region = &conf->region;

	region->line = v->sec->line;
	if (!values_given(v, "size"))
		diag_add(v->diag, region->line,
			 "region has no size; add size = \"512M\" or another");
	if (!values_given(v, "nodes"))
		diag_add(v->diag, region->line,
			 "region has no nodes; add nodes = {0} or others");
	region->size = values_size(v, "size", CONF_FRAME_SIZE);
	region->nodes = values_nums(v, "nodes", VALUES_MAX_NODE);
	if (region->nodes.n > SHAREDPC_REGIONS_MAX)
		diag_add(v->diag, region->nodes.line,
			 "region lies on %d nodes; %d are the limit",
			 region->nodes.n, SHAREDPC_REGIONS_MAX);
}

static void default_str(struct value_str *str, const char *value)
{
	if (!str->s)
		str->s = value;
}

static void read_image_files(struct conf_image *image, const struct values *v)
{
	image->kernel = values_path(v, "kernel");
	default_str(&image->kernel, CONF_DEFAULT_KERNEL);
	image->initrd = values_str(v, "initrd");
	if (image->initrd.s && image->initrd.s[0])
		values_path(v, "initrd");	/* "": none at all */
	else if (image->initrd.s && !image->boot)
		diag_add(v->diag, image->initrd.line,
			 "initrd is empty; image \"%s\" has no disk to boot from, name its initrd or remove the line",
			 image->name);
	default_str(&image->initrd, image->boot ? "" : CONF_DEFAULT_INITRD);
	image->cmdline = values_str(v, "cmdline");
	default_str(&image->cmdline, "");
}

static void read_image(struct conf *conf, const struct values *v)
{
	struct conf_image *image = &conf->images[conf->nimages++];

	image->line = v->sec->line;
	image->name = v->sec->title;
	name_check(v);
	image->booted_by = values_str(v, "booted_by");
	image->boot = image->booted_by.s &&
		      !strcmp(image->booted_by.s, "firmware");
	image->cpus = values_nums(v, "cpus", VALUES_MAX_CPU);
	image->ncpus = values_num(v, "ncpus", VALUES_MAX_CPU + 1);
	image->node = values_num(v, "node", VALUES_MAX_NODE);
	image->memory = values_size(v, "memory", image->boot ? CONF_FRAME_SIZE :
				    CONF_MEMORY_UNIT);
	image->region = values_size(v, "region", CONF_FRAME_SIZE);
	image->devices = values_strs(v, "devices");
	read_image_files(image, v);
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
static unsigned int read_mask(const struct conf *conf, const struct values *v,
			      const char *key, unsigned int all)
{
	struct value_strs list = values_strs(v, key);
	unsigned int mask = list.n ? 0 : all;
	int i, image;

	if (!list.n)
		diag_add(v->diag, list.line,
			 "\"%s\" is %s; name images, or {\"*\"} for all", key,
			 values_given(v, key) ? "an empty list" : "missing");
	for (i = 0; i < list.n; i++) {
		if (!strcmp(list.v[i].s, "*")) {
			mask |= all;
			continue;
		}
		image = conf_find_image(conf, list.v[i].s);
		if (image < 0)
			unknown_image(conf, v, &list.v[i], key);
		else
			mask |= 1u << image;
	}
	return mask;
}

static int read_export_owner(const struct conf *conf, const struct values *v)
{
	struct value_str owner = values_str(v, "owner");
	int image = owner.s ? conf_find_image(conf, owner.s) : SHAREDPC_BOOT;

	if (image < 0) {
		unknown_image(conf, v, &owner, "owner");
		return SHAREDPC_BOOT;
	}
	if (owner.s && !conf->images[image].boot && !conf->images[image].region.given)
		diag_add(v->diag, owner.line,
			 "export of image \"%s\", which has no part of the region for its pages; add region = \"128M\" or more to the image on line %d",
			 owner.s, conf->images[image].line);
	return image;
}

static void read_export(struct conf *conf, const struct values *v)
{
	struct conf_export *export = &conf->exports[conf->nexports++];

	export->line = v->sec->line;
	export->name = v->sec->title;
	name_check(v);
	if (!values_given(v, "path"))
		diag_add(v->diag, export->line,
			 "export \"%s\" has no path; add path = \"/...\"",
			 export->name);
	export->path = values_path(v, "path");
	export->image = read_export_owner(conf, v);
	export->to = read_mask(conf, v, "to", ~0u) | 1u << export->image;
	export->ro = values_ro(v, false);
	conf_export_rules(export, v);
	export->quota = values_size(v, "quota", CONF_FRAME_SIZE);
}

static int find_export(const struct conf *conf, const char *name)
{
	int i;

	for (i = 0; i < conf->nexports; i++)
		if (!strcmp(conf->exports[i].name, name))
			return i;
	return -ENOENT;
}

static int read_mount_export(const struct conf *conf, const struct values *v)
{
	struct value_str name = values_str(v, "export");
	int export = name.s ? find_export(conf, name.s) : -ENOENT;

	if (!name.s)
		diag_add(v->diag, name.line, "mount has no export; add export = \"NAME\"");
	else if (export < 0)
		diag_add(v->diag, name.line,
			 "unknown export \"%s\"; add a section export %s { ... } or name another",
			 name.s, name.s);
	return export;
}

static void read_mount(struct conf *conf, const struct values *v)
{
	static const char *const overlays[] = { "none", "tmpfs", NULL };
	struct conf_mount *mount = &conf->mounts[conf->nmounts++];
	const struct conf_export *export = NULL;
	unsigned int all = (1u << conf->nimages) - 1;

	mount->line = v->sec->line;
	mount->export = read_mount_export(conf, v);
	if (mount->export >= 0) {
		export = &conf->exports[mount->export];
		all &= export->to & ~(1u << export->image);
	}
	mount->images = read_mask(conf, v, "images", all);
	if (!values_given(v, "target"))
		diag_add(v->diag, mount->line,
			 "mount has no target; add target = \"/...\"");
	mount->target = values_path(v, "target");
	mount->overlay = values_choice(v, "overlay", overlays, 0);
	mount->overlay_line = values_line(v, "overlay");
	/* What is below an overlay is never written. */
	mount->ro = values_ro(v, mount->overlay || (export && export->ro));
	if (mount->overlay && !mount->ro)
		diag_add(v->diag, values_line(v, "mode"),
			 "mount is \"rw\" below its overlay, which would never be used; remove the mode or the overlay");
	if (export && export->ro && !mount->ro)
		diag_add(v->diag, values_line(v, "mode"),
			 "mount is \"rw\", but export \"%s\" on line %d is \"ro\"; write \"ro\" here or \"rw\" there",
			 export->name, export->line);
}

static void read_sections(struct conf *conf, struct diag *diag, const char *kind, int max,
			  void (*read)(struct conf *conf, const struct values *v))
{
	struct values v = { .scan = conf->scan, .diag = diag };
	int i;

	for (i = 0; (v.sec = scan_section(conf->scan, kind, i)); i++) {
		if (i < max) {
			read(conf, &v);
			continue;
		}
		diag_add(diag, v.sec->line, "more than %d %s sections; remove this one",
			 max, kind);
		return;
	}
}

static void read_all(struct conf *conf, struct diag *diag)
{
	read_sections(conf, diag, "image", CONF_MAX_IMAGES, read_image);
	conf_check_images(conf, diag);
	read_sections(conf, diag, "region", 1, read_region);
	if (!conf->region.line)
		diag_add(diag, 1,
			 "no region; add region { size = \"512M\" nodes = {0} } or another");
	read_sections(conf, diag, "export", CONF_MAX_EXPORTS, read_export);
	read_sections(conf, diag, "mount", CONF_MAX_MOUNTS, read_mount);
	conf_check_exports(conf, diag);
	conf_check_mounts(conf, diag);
}

int conf_read(const char *path, struct conf **out, struct diag *diag)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	int err, before = diag->count;

	if (!conf)
		return -ENOMEM;
	err = scan_file(path, rules, &conf->scan, diag);
	if (!err) {
		conf->file = obstack_copy0(&conf->scan->pool, path, strlen(path));
		read_all(conf, diag);
		err = diag->count == before ? 0 : -EINVAL;
	}
	if (err)
		conf_free(conf);
	else
		*out = conf;
	return err;
}

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	scan_free(conf->scan);
	free(conf);
}
