// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan-file.c - the saved plan.
 *
 * libconfuse's syntax again, read through the same strict front end:
 *
 *	revision = 1
 *	conf = '/etc/ccluster/partitions.conf'
 *	conf_hash = '0123456789abcdef'
 *	block_size = '128M'
 *	ctl = '1:0x11d600000-0x11fffffff'		# node:first-last
 *	image web {
 *		cpus = {'1@0/1'}			# cpu@node/apic id
 *		mem = {'0:0x50000000-0x5fffffff'}
 *		region = {'1:0x120000000-0x13fffffff'}
 *		low = '0:0x10000-0x1ffff'
 *		kernel = '/boot/vmlinuz' ...
 *	}
 *	export root { path = '/' to = {'web'} mode = 'rw' }
 *	mount { image = 'web' export = 'root' source = 'boot:/' ... }
 *
 * Images stand in the order of their ids. Strings are single-quoted, in which
 * libconfuse expands nothing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot/text/values.h"
#include "boot/plan/plan.h"
#include "boot/text/save.h"
#include "boot/text/strict.h"

#define STR(name)	CFG_STR(name, NULL, CFGF_NODEFAULT)
#define LIST(name)	CFG_STR_LIST(name, NULL, CFGF_NODEFAULT)

static cfg_opt_t image_opts[] = {
	LIST("cpus"), LIST("mem"), LIST("region"), STR("low"), STR("kernel"), STR("initrd"),
	STR("cmdline"), LIST("devices"), CFG_END()
};

static cfg_opt_t export_opts[] = {
	STR("path"), STR("owner"), LIST("to"), STR("mode"), CFG_END()
};

static cfg_opt_t mount_opts[] = {
	STR("image"), STR("export"), STR("source"), STR("target"),
	STR("mode"), STR("overlay"), CFG_END()
};

static cfg_opt_t plan_opts[] = {
	STR("revision"), STR("conf"), STR("conf_hash"), STR("block_size"),
	STR("ctl"),
	CFG_SEC("image", image_opts, CFGF_TITLE | CFGF_MULTI),
	CFG_SEC("export", export_opts, CFGF_TITLE | CFGF_MULTI),
	CFG_SEC("mount", mount_opts, CFGF_MULTI),
	CFG_END()
};

static void put_quoted(FILE *out, const char *s)
{
	fputc('\'', out);
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			fputc('\\', out);
		fputc(*s, out);
	}
	fputc('\'', out);
}

static void put_key(FILE *out, const char *key, const char *value)
{
	fprintf(out, "\t%s = ", key);
	put_quoted(out, value);
	fputc('\n', out);
}

static void put_range(FILE *out, const struct range *range)
{
	fprintf(out, "'%d:0x%" PRIx64 "-0x%" PRIx64 "'", range->node,
		range->start, range->start + range->size - 1);
}

static void put_ranges(FILE *out, const char *key, const struct range *ranges,
		       int n)
{
	int i;

	fprintf(out, "%s = {", key);
	for (i = 0; i < n; i++) {
		fputs(i ? ", " : "", out);
		put_range(out, &ranges[i]);
	}
	fputs("}\n", out);
}

static void put_image(FILE *out, const struct plan_image *image)
{
	int i;

	fprintf(out, "\nimage %s {\n\tcpus = {", image->name);
	for (i = 0; i < image->ncpus; i++)
		fprintf(out, "%s'%d@%d/%" PRIu32 "'", i ? ", " : "",
			image->cpus[i].cpu, image->cpus[i].node,
			image->cpus[i].apic_id);
	fprintf(out, "}\n\t");
	put_ranges(out, "mem", image->mem, image->nmem);
	if (image->nregion) {
		fputc('\t', out);
		put_ranges(out, "region", image->region, image->nregion);
	}
	if (image->low.size) {
		fprintf(out, "\tlow = ");
		put_range(out, &image->low);
		fputc('\n', out);
	}
	put_key(out, "kernel", image->kernel);
	put_key(out, "initrd", image->initrd);
	put_key(out, "cmdline", image->cmdline);
	fprintf(out, "\tdevices = {");
	for (i = 0; i < image->ndevices; i++) {
		fputs(i ? ", " : "", out);
		put_quoted(out, image->devices[i]);
	}
	fprintf(out, "}\n}\n");
}

static void put_export(FILE *out, const struct plan *plan,
		       const struct plan_export *export)
{
	const char *sep = "";
	int id;

	fprintf(out, "\nexport %s {\n", export->name);
	put_key(out, "path", export->path);
	put_key(out, "owner", plan->images[export->image].name);
	fprintf(out, "\tto = {");
	for (id = 0; id < plan->nimages; id++) {
		if (!(export->to & 1u << id))
			continue;
		fputs(sep, out);
		put_quoted(out, plan->images[id].name);
		sep = ", ";
	}
	fprintf(out, "}\n");
	put_key(out, "mode", export->ro ? "ro" : "rw");
	fprintf(out, "}\n");
}

static void put_mounts(FILE *out, const struct plan_image *image)
{
	int i;

	for (i = 0; i < image->nmounts; i++) {
		const struct plan_mount *mount = &image->mounts[i];

		fprintf(out, "\nmount {\n");
		put_key(out, "image", image->name);
		put_key(out, "export", mount->export);
		put_key(out, "source", mount->source);
		put_key(out, "target", mount->target);
		put_key(out, "mode", mount->ro ? "ro" : "rw");
		put_key(out, "overlay", mount->overlay ? "yes" : "no");
		fprintf(out, "}\n");
	}
}

static int write_plan(FILE *out, const void *data)
{
	const struct plan *plan = data;
	char size[24];
	int i;

	fprintf(out, "# Written by ccctl partition; what runs now. Do not edit.\n");
	fprintf(out, "revision = %d\nconf = ", PLAN_REVISION);
	put_quoted(out, plan->conf_file);
	fprintf(out, "\nconf_hash = '%s'\nblock_size = '%s'\nctl = ",
		plan->conf_hash,
		values_size_str(plan->block_size, size, sizeof(size)));
	put_range(out, &plan->ctl);
	fputc('\n', out);
	for (i = 0; i < plan->nimages; i++)
		put_image(out, &plan->images[i]);
	for (i = 0; i < plan->nexports; i++)
		put_export(out, plan, &plan->exports[i]);
	for (i = 0; i < plan->nimages; i++)
		put_mounts(out, &plan->images[i]);
	return ferror(out) ? -EIO : 0;
}

int plan_save(const struct plan *plan, const char *path)
{
	return save_file(path, write_plan, plan);
}

/* From here on: reading. Every mistake means a file that is not ours. */
static int damaged(const struct values *v, const char *key)
{
	diag_add(v->diag, scan_key_line(v->scan, key),
		 "\"%s\" is missing or damaged; run ccctl partition again", key);
	return -EINVAL;
}

static int get_str(const struct values *v, const char *key, char **out)
{
	struct value_str str;
	int err = values_str(v, key, &str);

	if (err)
		return err;
	*out = str.s;
	return str.s ? 0 : damaged(v, key);
}

static int parse_range(const char *s, struct range *range)
{
	uint64_t last;
	int used = 0;

	if (sscanf(s, "%d:0x%" SCNx64 "-0x%" SCNx64 "%n", &range->node,
		   &range->start, &last, &used) != 3 || s[used] ||
	    range->node < 0 || range->node > TOPO_MAX_NODE ||
	    last <= range->start || last >= 1ULL << 56)
		return -EINVAL;
	range->size = last - range->start + 1;
	return 0;
}

static int value_range(const struct values *v, const char *key,
		     struct range *range)
{
	char *s = NULL;
	int err = get_str(v, key, &s);

	if (!err && parse_range(s, range))
		err = damaged(v, key);
	free(s);
	return err;
}

static int get_ranges(const struct values *v, const char *key,
		      struct range **ranges, int *n, int max)
{
	int i, count = values_given(v, key) ? cfg_size(v->sec, key) : 0;

	if (!count || count > max)
		return damaged(v, key);
	*ranges = calloc(count, sizeof(**ranges));
	if (!*ranges)
		return -ENOMEM;
	*n = count;
	for (i = 0; i < count; i++)
		if (parse_range(cfg_getnstr(v->sec, key, i), &(*ranges)[i]))
			return damaged(v, key);
	return 0;
}

static int get_cpus(const struct values *v, struct plan_image *image)
{
	int i, n = values_given(v, "cpus") ? cfg_size(v->sec, "cpus") : 0;

	if (!n)
		return damaged(v, "cpus");
	image->cpus = calloc(n, sizeof(*image->cpus));
	if (!image->cpus)
		return -ENOMEM;
	image->ncpus = n;
	for (i = 0; i < n; i++) {
		const char *s = cfg_getnstr(v->sec, "cpus", i);
		struct plan_cpu *cpu = &image->cpus[i];
		int used = 0;

		if (sscanf(s, "%d@%d/%" SCNu32 "%n", &cpu->cpu, &cpu->node,
			   &cpu->apic_id, &used) != 3 || s[used] ||
		    cpu->cpu < 0 || cpu->cpu > VALUES_MAX_CPU || cpu->node < 0)
			return damaged(v, "cpus");
	}
	return 0;
}

static int get_devices(const struct values *v, struct plan_image *image)
{
	int i, n = values_given(v, "devices") ? cfg_size(v->sec, "devices") : 0;

	image->devices = calloc(n + 1, sizeof(char *));
	if (!image->devices)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		image->devices[i] = strdup(cfg_getnstr(v->sec, "devices", i));
		if (!image->devices[i])
			return -ENOMEM;
		image->ndevices++;
	}
	return 0;
}

static int get_image(struct plan *plan, const struct values *v)
{
	struct plan_image *image = &plan->images[plan->nimages];
	int err;

	if (plan->nimages == PLAN_MAX_IMAGES)
		return damaged(v, "image");
	image->id = plan->nimages++;
	image->name = strdup(v->scan->title);
	if (!image->name)
		return -ENOMEM;
	if (values_name_error(image->name))
		return damaged(v, "image");
	err = get_cpus(v, image);
	if (!err)
		err = get_ranges(v, "mem", &image->mem, &image->nmem,
				 image->id ? 1 : INT32_MAX);
	if (!err && (!image->id || values_given(v, "region")))
		err = get_ranges(v, "region", &image->region, &image->nregion,
				 image->id ? 1 : SHAREDPC_REGIONS_MAX - PLAN_MAX_IMAGES + 1);
	if (!err && image->id)
		err = value_range(v, "low", &image->low);
	if (!err)
		err = get_str(v, "kernel", &image->kernel);
	if (!err)
		err = get_str(v, "initrd", &image->initrd);
	if (!err)
		err = get_str(v, "cmdline", &image->cmdline);
	return err ? err : get_devices(v, image);
}

/* The image that @key names. */
static int get_image_ref(struct plan *plan, const struct values *v,
			 const char *key, int *id)
{
	struct plan_image *image;
	char *name = NULL;
	int err = get_str(v, key, &name);

	if (err)
		return err;
	image = plan_find(plan, name);
	free(name);
	if (!image)
		return damaged(v, key);
	*id = image->id;
	return 0;
}

static int get_export(struct plan *plan, const struct values *v)
{
	size_t bytes = (plan->nexports + 1) * sizeof(*plan->exports);
	struct plan_export *export = realloc(plan->exports, bytes);
	int i, err;

	if (!export)
		return -ENOMEM;
	plan->exports = export;
	export += plan->nexports++;
	memset(export, 0, sizeof(*export));
	export->name = strdup(v->scan->title);
	if (!export->name)
		return -ENOMEM;
	err = get_str(v, "path", &export->path);
	if (!err)
		err = get_image_ref(plan, v, "owner", &export->image);
	if (!err)
		err = values_mode(v, &export->ro);
	for (i = 0; !err && values_given(v, "to") &&
	     i < (int)cfg_size(v->sec, "to"); i++) {
		const struct plan_image *image;

		image = plan_find(plan, cfg_getnstr(v->sec, "to", i));
		if (!image)
			return damaged(v, "to");
		export->to |= 1u << image->id;
	}
	return err;
}

static int get_mount(struct plan *plan, const struct values *v)
{
	struct plan_image *image;
	struct plan_mount *mount;
	int id, err = get_image_ref(plan, v, "image", &id);

	if (err)
		return err;
	image = &plan->images[id];
	mount = realloc(image->mounts, (image->nmounts + 1) * sizeof(*mount));
	if (!mount)
		return -ENOMEM;
	image->mounts = mount;
	mount += image->nmounts++;
	memset(mount, 0, sizeof(*mount));
	err = get_str(v, "export", &mount->export);
	if (!err)
		err = get_str(v, "source", &mount->source);
	if (!err)
		err = get_str(v, "target", &mount->target);
	if (!err)
		err = values_mode(v, &mount->ro);
	return err ? err : values_bool(v, "overlay", &mount->overlay);
}

static int get_head(struct plan *plan, const struct values *v)
{
	struct value_num revision = { 0 }, block = { 0 };
	char *hash = NULL;
	int err = values_num(v, "revision", UINT32_MAX, &revision);

	if (!err && revision.value != PLAN_REVISION) {
		diag_add(v->diag, revision.line,
			 "plan has revision %" PRIu64 ", this ccctl knows %d; run ccctl partition again",
			 revision.value, PLAN_REVISION);
		err = -EINVAL;
	}
	if (!err)
		err = get_str(v, "conf", &plan->conf_file);
	if (!err)
		err = get_str(v, "conf_hash", &hash);
	if (!err && strlen(hash) != sizeof(plan->conf_hash) - 1)
		err = damaged(v, "conf_hash");
	if (!err)
		strcpy(plan->conf_hash, hash);
	free(hash);
	if (!err)
		err = values_size(v, "block_size", &block);
	plan->block_size = block.value;
	if (!err)
		err = value_range(v, "ctl", &plan->ctl);
	return err;
}

static int get_sections(struct plan *plan, const struct strict *strict,
			struct diag *diag, const char *kind,
			int (*get)(struct plan *plan, const struct values *v))
{
	struct values v = { .diag = diag };
	int i, err = 0;

	for (i = 0; !err; i++) {
		v.scan = scan_section(strict->scan, kind, i);
		if (!v.scan)
			return 0;
		v.sec = cfg_getnsec(strict->cfg, kind, i);
		err = get(plan, &v);
	}
	return err;
}

int plan_load(const char *path, struct plan **out, struct diag *diag)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	struct strict strict;
	struct values head;
	int err;

	if (!plan)
		return -ENOMEM;
	err = strict_parse(path, plan_opts, &strict, diag);
	if (err)
		goto out_free;
	head = (struct values){ strict.cfg, scan_section(strict.scan, "", 0),
				diag };
	err = get_head(plan, &head);
	if (!err)
		err = get_sections(plan, &strict, diag, "image", get_image);
	if (!err && plan->nimages < 2)
		err = damaged(&head, "image");
	if (!err)
		err = get_sections(plan, &strict, diag, "export", get_export);
	if (!err)
		err = get_sections(plan, &strict, diag, "mount", get_mount);
	strict_free(&strict);
out_free:
	if (err)
		plan_free(plan);
	else
		*out = plan;
	return err;
}
