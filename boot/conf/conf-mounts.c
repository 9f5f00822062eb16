// SPDX-License-Identifier: GPL-2.0-only
/*
 * conf-mounts.c - what contradicts itself in the exports and mounts of
 * partitions.conf.
 *
 * A client learns of its mounts from its kernel's command line, so names of
 * theirs have no byte that means something there.
 */
#include "boot/conf/conf-check.h"

#include <ctype.h>
#include <string.h>

/* Can @path, of a mount or of what it mounts, be said to a client? */
static void check_plain(const struct value_str *path, const char *key,
			struct diag *diag)
{
	const char *c;

	for (c = path->s ? path->s : ""; *c; c++) {
		if (!isspace((unsigned char)*c) && !iscntrl((unsigned char)*c) &&
		    !strchr(",\"'", *c))
			continue;
		diag_add(diag, path->line,
			 "%s \"%s\" has a blank, a comma, a quote or a control character; choose one without",
			 key, path->s);
		return;
	}
}

static bool below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && (!path[len] || path[len] == '/');
}

/* Directories that an image needs as they are. */
static void check_mount_target(const struct conf_mount *mount,
			       const struct conf_image *image, struct diag *diag)
{
	static const char * const kernel[] = { "/proc", "/sys", "/dev" };
	static const char * const own[] = { "/run", "/tmp" };
	static const char * const boot[] = { "/usr/lib/ccluster", "/usr/bin",
		"/usr/sbin", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/boot",
		"/var/lib/ccluster" };
	const char *hides = NULL, *target = mount->target.s;
	size_t i;

	for (i = 0; i < sizeof(kernel) / sizeof(kernel[0]); i++)
		if (below(target, kernel[i]))
			hides = kernel[i];
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!strcmp(target, own[i]))
			hides = own[i];
	for (i = 0; image->boot && i < sizeof(boot) / sizeof(boot[0]); i++)
		if (below(boot[i], target))
			hides = boot[i];
	if (hides)
		diag_add(diag, mount->target.line,
			 "target \"%s\" on image \"%s\" would hide its %s; choose another target",
			 target, image->name, hides);
}

void conf_check_exports(const struct conf *conf, struct diag *diag)
{
	int i, j;

	for (i = 0; i < conf->nexports; i++) {
		const struct conf_export *export = &conf->exports[i];

		check_plain(&export->path, "path", diag);
		for (j = 0; export->path.s && j < i; j++) {
			const struct conf_export *other = &conf->exports[j];

			if (!other->path.s || export->image != other->image ||
			    strcmp(export->path.s, other->path.s))
				continue;
			diag_add(diag, export->path.line,
				 "path \"%s\" is already exported as \"%s\" on line %d; keep one of them",
				 export->path.s, other->name, other->path.line);
		}
	}
}

static void check_mount_rights(const struct conf *conf,
			       const struct conf_mount *mount, int image,
			       struct diag *diag)
{
	const struct conf_export *export = &conf->exports[mount->export];
	const char *name = conf->images[image].name;
	const char *target = mount->target.s;

	if (!(export->to & 1u << image))
		diag_add(diag, mount->line,
			 "mount of export \"%s\" by image \"%s\", which it is not given to; add \"%s\" to \"to\" of the export on line %d",
			 export->name, name, name, export->line);
	if (!target)
		return;
	if (!strcmp(target, "/") && image != export->image &&
	    export->image != SHAREDPC_BOOT)
		diag_add(diag, mount->target.line,
			 "root of image \"%s\" is an export of \"%s\"; an image starts from the boot image, mount an export of that",
			 name, conf->images[export->image].name);
	if (image != export->image)
		return;
	if (!strcmp(target, "/"))
		diag_add(diag, mount->target.line,
			 "target \"/\" on image \"%s\", which has its own root; choose another target",
			 name);
	else if (export->path.s && !strcmp(target, export->path.s))
		diag_add(diag, mount->target.line,
			 "target \"%s\" on image \"%s\" hides the directory it exports; choose another target",
			 target, name);
}

/* What another image exports may be mounted late, and would hide what is below. */
static void check_other_mounts(const struct conf *conf, int index, int image,
			       struct diag *diag)
{
	const struct conf_mount *mount = &conf->mounts[index];
	const char *name = conf->images[image].name;
	int i;

	for (i = 0; mount->target.s && i < conf->nmounts; i++) {
		const struct conf_mount *other = &conf->mounts[i];
		int owner = other->export < 0 ? SHAREDPC_BOOT :
			    conf->exports[other->export].image;

		if (i == index || !(other->images & 1u << image) || !other->target.s)
			continue;
		if (strcmp(other->target.s, mount->target.s)) {
			if (owner != SHAREDPC_BOOT && below(mount->target.s, other->target.s))
				diag_add(diag, mount->target.line,
					 "target \"%s\" on image \"%s\" is below \"%s\" (line %d), which is there only when image \"%s\" is; choose another target",
					 mount->target.s, name, other->target.s,
					 other->line, conf->images[owner].name);
		} else if (i < index) {
			diag_add(diag, mount->target.line,
				 "target \"%s\" on image \"%s\" is already used by the mount on line %d; choose another target",
				 mount->target.s, name, other->line);
		}
	}
}

static int count_mounts(const struct conf *conf, int image)
{
	int i, n = 0;

	for (i = 0; i < conf->nmounts; i++)
		n += conf->mounts[i].images >> image & 1;
	return n;
}

static bool has_root(const struct conf *conf, int image)
{
	int i;

	for (i = 0; i < conf->nmounts; i++)
		if (conf->mounts[i].images & 1u << image &&
		    conf->mounts[i].target.s &&
		    !strcmp(conf->mounts[i].target.s, "/"))
			return true;
	return false;
}

/* An overlay looks at what is below it as root, for everybody. */
static void check_overlay(const struct conf_mount *mount,
			  const struct conf_export *export, struct diag *diag)
{
	if (export->squash == CONF_SQUASH_NONE && !export->nmaps)
		return;
	diag_add(diag, mount->overlay_line,
		 "overlay on export \"%s\", where root is nobody; add squash = \"none\" to line %d and no map, or remove the overlay",
		 export->name, export->line);
}

static void check_mount(const struct conf *conf, int index, struct diag *diag)
{
	const struct conf_mount *mount = &conf->mounts[index];
	int image;

	check_plain(&mount->target, "target", diag);
	if (mount->overlay && mount->export >= 0)
		check_overlay(mount, &conf->exports[mount->export], diag);
	for (image = 0; image < conf->nimages; image++) {
		if (!(mount->images & 1u << image))
			continue;
		if (mount->export >= 0)
			check_mount_rights(conf, mount, image, diag);
		if (mount->target.s)
			check_mount_target(mount, &conf->images[image], diag);
		if (mount->overlay && conf->images[image].boot)
			diag_add(diag, mount->overlay_line,
				 "overlay on image \"%s\", which firmware boots; only the others can have one",
				 conf->images[image].name);
		check_other_mounts(conf, index, image, diag);
	}
}

void conf_check_mounts(const struct conf *conf, struct diag *diag)
{
	int i;

	for (i = 0; i < conf->nmounts; i++)
		check_mount(conf, i, diag);
	for (i = 0; i < conf->nimages; i++) {
		const struct conf_image *image = &conf->images[i];

		if (!image->boot && !has_root(conf, i))
			diag_add(diag, image->line,
				 "image \"%s\" has no root; add a mount with target = \"/\" for it",
				 image->name);
		if (!image->boot && count_mounts(conf, i) > CONF_MAX_IMAGE_MOUNTS)
			diag_add(diag, image->line,
				 "image \"%s\" has %d mounts; %d are the limit of one image",
				 image->name, count_mounts(conf, i),
				 CONF_MAX_IMAGE_MOUNTS);
	}
}
