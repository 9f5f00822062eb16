// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan.c - partitions.conf and a topology become physical ranges and CPUs.
 *
 * plan_make() goes: images and their names, CPUs, memory (place.h does the
 * placing), low memory, the boot image's rest, exports and mounts. Each step
 * reports what does not fit; the first step that fails ends the making, as the
 * later ones build on it.
 */
#include "boot/plan/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "boot/plan/place.h"
#include "boot/text/array.h"
#include "sharedpc_words.h"

#define GIB4	(4ULL << 30)

struct maker {
	const struct conf *conf;
	const struct topology *topo;
	struct plan *plan;
	struct diag *diag;
	bool *used;	/* [i]: topo->cpus[i] has an owner */
};

static uint64_t mib(uint64_t bytes)
{
	return bytes >> 20;
}

/* A copy of @s that the plan owns; NULL when out of memory, or for bytes that are no text. */
static const char *own(struct plan *plan, const char *s)
{
	json_t *copy = json_string(s);

	return json_array_append_new(plan->strings, copy) ? NULL : json_string_value(copy);
}

static int make_image(struct plan *plan, const struct conf_image *conf, int id)
{
	struct plan_image *image = &plan->images[id];
	int i;

	image->id = id;
	image->name = own(plan, conf->name);
	image->kernel = own(plan, conf->kernel.s);
	image->initrd = own(plan, conf->initrd.s);
	image->cmdline = own(plan, conf->cmdline.s);
	image->devices = calloc(conf->devices.n + 1, sizeof(char *));
	if (!image->name || !image->kernel || !image->initrd ||
	    !image->cmdline || !image->devices)
		return -ENOMEM;
	for (i = 0; i < conf->devices.n; i++) {
		image->devices[i] = own(plan, conf->devices.v[i].s);
		if (!image->devices[i])
			return -ENOMEM;
		image->ndevices++;
	}
	return 0;
}

static int give_cpu(struct plan_image *image, const struct topo_cpu *cpu)
{
	return array_append(&image->cpus, &image->ncpus, sizeof(*cpu), cpu);
}

static int take_listed(struct maker *m, int id)
{
	const struct value_nums *list = &m->conf->images[id].cpus;
	const struct topo_cpu *cpu;
	int i, err = 0;

	for (i = 0; !err && i < list->n; i++) {
		cpu = topology_cpu(m->topo, list->v[i].value);
		if (!cpu)
			return -EINVAL;		/* conf_check_machine() said so */
		m->used[cpu - m->topo->cpus] = true;
		err = give_cpu(&m->plan->images[id], cpu);
	}
	return err;
}

/* The lowest numbered free CPUs of the node. CPU 0 is the boot image's only. */
static int take_counted(struct maker *m, int id)
{
	const struct conf_image *conf = &m->conf->images[id];
	uint64_t want = conf->ncpus.value;
	int i, err = 0;

	for (i = 0; !err && want && i < m->topo->ncpus; i++) {
		const struct topo_cpu *cpu = &m->topo->cpus[i];

		if (m->used[i] || (uint64_t)cpu->node != conf->node.value ||
		    (!cpu->cpu && id))
			continue;
		m->used[i] = true;
		err = give_cpu(&m->plan->images[id], cpu);
		want--;
	}
	if (err || !want)
		return err;
	return diag_add(m->diag, conf->ncpus.line,
			"ncpus is %" PRIu64 ", but node %" PRIu64 " has only %" PRIu64 " CPUs left for image \"%s\"; give fewer, or another node",
			conf->ncpus.value, conf->node.value,
			conf->ncpus.value - want, conf->name);
}

static int make_cpus(struct maker *m)
{
	const struct conf_image *boot = &m->conf->images[0];
	int i, err = 0;

	for (i = 0; !err && i < m->conf->nimages; i++)
		err = take_listed(m, i);
	for (i = 0; !err && i < m->conf->nimages; i++)
		if (m->conf->images[i].ncpus.given)
			err = take_counted(m, i);
	if (!err && m->plan->images[0].cpus[0].cpu && boot->ncpus.given)
		err = diag_add(m->diag, boot->ncpus.line,
			       "node %" PRIu64 " does not have CPU 0, which the boot image must have; name the node that has",
			       boot->node.value);
	for (i = 0; !err && i < m->topo->ncpus; i++)
		if (!m->used[i])
			err = give_cpu(&m->plan->images[0], &m->topo->cpus[i]);
	return err;
}

static int image_node(const struct maker *m, int id)
{
	const struct conf_image *conf = &m->conf->images[id];

	return conf->node.given ? (int)conf->node.value : m->plan->images[id].cpus[0].node;
}

/* A part of the region on @nodes nodes: whole memory blocks on each. */
static int check_part(const struct maker *m, const struct value_num *size, int nodes)
{
	uint64_t unit = m->topo->block_size * nodes;
	uint64_t down = size->value / unit * unit;
	char block[24], below[24], above[24], hint[96];

	if (down == size->value)
		return 0;
	values_size_str(m->topo->block_size, block, sizeof(block));
	values_size_str(down, below, sizeof(below));
	values_size_str(down + unit, above, sizeof(above));
	if (down)
		snprintf(hint, sizeof(hint), "the next sizes are \"%s\" and \"%s\"",
			 below, above);
	else
		snprintf(hint, sizeof(hint), "the smallest size is \"%s\"",
			 above);
	return diag_add(m->diag, size->line,
		"region size is not a multiple of the memory block (%s) on each of its %d nodes; %s",
		block, nodes, hint);
}

static int check_region(const struct maker *m)
{
	const struct conf *conf = m->conf;
	int i, parts = conf->region.nodes.n;
	int err = check_part(m, &conf->region.size, conf->region.nodes.n);

	for (i = 1; i < conf->nimages; i++) {
		if (!conf->images[i].region.value)
			continue;
		err = check_part(m, &conf->images[i].region, 1) ?: err;
		parts++;
	}
	if (parts <= SHAREDPC_REGIONS_MAX)
		return err;
	return diag_add(m->diag, conf->region.line,
		"the region has %d parts, of images and on nodes; %d are the limit", parts,
		SHAREDPC_REGIONS_MAX);
}

#define MAX_ITEMS	(SHAREDPC_REGIONS_MAX + 1 + PLAN_MAX_IMAGES)

static int report_full(const struct maker *m, const struct place_item *item, uint64_t left)
{
	const char *quote = item->image ? "\"" : "";
	char size[24];

	return diag_add(m->diag, item->line,
		"%s%s%s%s%s needs %s on node %d, which has %" PRIu64 "M of RAM, %" PRIu64 "M of it left; reduce a size, or choose another node",
		item->what, item->image ? " " : "", quote, item->image ? item->image : "",
		quote, values_size_str(item->size, size, sizeof(size)), item->node,
		mib(topology_ram(m->topo, item->node)), mib(left));
}

/* The boot image's parts of the region, ctl, the others' parts, then their memory. */
static int make_memory(struct maker *m)
{
	const struct conf_region *region = &m->conf->region;
	const struct value_nums *nodes = &region->nodes;
	struct place_item items[MAX_ITEMS];
	struct plan *plan = m->plan;
	uint64_t left = 0;
	int i, n = 0, bad = 0, err;

	for (i = 0; i < nodes->n; i++)
		items[n++] = (struct place_item){
			nodes->v[i].value, region->size.value / nodes->n,
			m->topo->block_size, &plan->images[0].region[i],
			"region", NULL, region->size.line };
	items[n++] = (struct place_item){
		nodes->v[0].value,
		plan_ctl_size(plan->nimages, topology_ram(m->topo, -1)), PLAN_ALIGN,
		&plan->ctl, "the control area beside the region", NULL,
		region->size.line };
	for (i = 1; i < plan->nimages; i++) {
		const struct conf_image *conf = &m->conf->images[i];

		if (plan->images[i].nregion)
			items[n++] = (struct place_item){
				image_node(m, i), conf->region.value, m->topo->block_size,
				plan->images[i].region, "the region of image", conf->name,
				conf->region.line };
	}
	for (i = 1; i < plan->nimages; i++) {
		const struct conf_image *conf = &m->conf->images[i];

		items[n++] = (struct place_item){
			image_node(m, i), conf->memory.value, PLAN_ALIGN,
			plan->images[i].mem, "image", conf->name, conf->memory.line };
	}
	err = place_items(m->topo, items, n, &bad, &left);
	return err == -ENOSPC ? report_full(m, &items[bad], left) : err;
}

/* 64 KiB below 1 MiB for each client, at 64 KiB * id where RAM is. */
static int make_low(struct maker *m)
{
	uint64_t start = 0;
	int id;

	for (id = 1; id < m->plan->nimages; id++) {
		do {
			start += PLAN_LOW_SIZE;
		} while (start < PLAN_LOW_END &&
			 !topology_is_ram(m->topo, start, PLAN_LOW_SIZE));
		if (start >= PLAN_LOW_END)
			return diag_add(m->diag, 0,
				"no 64K of RAM left below 576K for image \"%s\"; this firmware leaves room for %d images besides the boot image",
				m->plan->images[id].name, id - 1);
		m->plan->images[id].low = (struct range){ start, PLAN_LOW_SIZE,
							  0 };
	}
	return 0;
}

int plan_uses(const struct plan *plan, struct plan_use *uses)
{
	int i, j, n = 0;

	uses[n++] = (struct plan_use){ plan->ctl, PLAN_USE_CTL, NULL };
	for (i = 0; i < plan->nimages; i++) {
		const struct plan_image *image = &plan->images[i];

		for (j = 0; j < image->nregion; j++)
			uses[n++] = (struct plan_use){ image->region[j], PLAN_USE_REGION, image };
		if (!i)
			continue;
		uses[n++] = (struct plan_use){ image->low, PLAN_USE_LOW, image };
		uses[n++] = (struct plan_use){ image->mem[0], PLAN_USE_MEM, image };
	}
	/* The range is their first member. */
	qsort(uses, n, sizeof(*uses), range_compare);
	return n;
}

int plan_extents(const struct plan *plan, struct range *out, int max)
{
	struct plan_use uses[PLAN_MAX_USES];
	int i, n = plan_uses(plan, uses), joined = 0;

	for (i = 1; i < n; i++) {
		struct range *last = &uses[joined].range;

		if (last->start + last->size == uses[i].range.start)
			last->size += uses[i].range.size;
		else
			uses[++joined] = uses[i];
	}
	n = joined + 1;
	for (i = 0; i < n && i < max; i++)
		out[i] = uses[i].range;
	return n;
}

static int check_extents(struct maker *m)
{
	struct range extents[PLAN_MAX_USES];
	int i, high = 0, n = plan_extents(m->plan, extents, PLAN_MAX_USES);

	for (i = 0; i < n; i++)
		high += extents[i].start >= PLAN_FLOOR;
	if (high <= PLAN_MAX_EXTENTS)
		return 0;
	return diag_add(m->diag, m->conf->region.line,
		"slices and region lie in %d separate ranges of memory, %d are the limit; put them on fewer nodes",
		high, PLAN_MAX_EXTENTS);
}

/* What is left is the boot image's, if it is enough. */
static int make_rest(struct maker *m)
{
	const struct conf_image *conf = &m->conf->images[0];
	struct plan_image *boot = &m->plan->images[0];
	struct plan_use uses[PLAN_MAX_USES];
	struct range taken[PLAN_MAX_USES];
	uint64_t sum, dma = 0;
	int i, err, n = plan_uses(m->plan, uses);

	/* Not plan_extents(): what is joined may lie on two nodes. */
	for (i = 0; i < n; i++)
		taken[i] = uses[i].range;
	err = place_rest(m->topo, taken, n, &boot->mem, &boot->nmem);
	if (err)
		return err;
	qsort(boot->mem, boot->nmem, sizeof(*boot->mem), range_compare);
	sum = range_sum(boot->mem, boot->nmem, -1);
	for (i = 0; i < boot->nmem; i++) {
		const struct range *mem = &boot->mem[i];

		if (mem->start < GIB4)
			dma += mem->start + mem->size < GIB4 ? mem->size :
			       GIB4 - mem->start;
	}
	if (conf->memory.given && sum < conf->memory.value)
		return diag_add(m->diag, conf->memory.line,
			"only %" PRIu64 "M of %" PRIu64 "M are left to boot image \"%s\", which wants %" PRIu64 "M; reduce the region or another image",
			mib(sum), mib(topology_ram(m->topo, -1)), conf->name,
			mib(conf->memory.value));
	if (dma < PLAN_BOOT_DMA)
		return diag_add(m->diag, conf->line,
			"only %" PRIu64 "M below 4G are left to boot image \"%s\", which needs %uM there for its devices; reduce the region or another image",
			mib(dma), conf->name, PLAN_BOOT_DMA >> 20);
	return 0;
}

static int make_exports(struct maker *m)
{
	const struct conf *conf = m->conf;
	int i;

	m->plan->exports = calloc(conf->nexports + 1,
				  sizeof(*m->plan->exports));
	if (!m->plan->exports)
		return -ENOMEM;
	for (i = 0; i < conf->nexports; i++) {
		struct plan_export *export = &m->plan->exports[i];

		m->plan->nexports++;
		export->name = own(m->plan, conf->exports[i].name);
		export->path = own(m->plan, conf->exports[i].path.s);
		if (!export->name || !export->path)
			return -ENOMEM;
		export->image = conf->exports[i].image;
		export->to = conf->exports[i].to & ((1u << conf->nimages) - 1);
		export->ro = conf->exports[i].ro;
	}
	return 0;
}

static int path_depth(const char *path)
{
	int depth = 0;

	for (; *path; path++)
		depth += path[0] == '/' && path[1];
	return depth;
}

static int compare_mount(const void *a, const void *b)
{
	const struct plan_mount *x = a, *y = b;
	int depth = path_depth(x->target) - path_depth(y->target);

	return depth ? depth : strcmp(x->target, y->target);
}

static int make_mount(struct plan *plan, struct plan_image *image,
		      const struct conf_mount *conf)
{
	const struct plan_export *export = &plan->exports[conf->export];
	struct plan_mount mount = { .export = export->name, .ro = conf->ro,
				    .overlay = conf->overlay };
	char *source;

	if (asprintf(&source, "%s:%s", plan->images[export->image].name, export->path) < 0)
		return -ENOMEM;
	mount.source = own(plan, source);
	free(source);
	mount.target = own(plan, conf->target.s);
	if (!mount.target || !mount.source)
		return -ENOMEM;
	return array_append(&image->mounts, &image->nmounts, sizeof(mount), &mount);
}

static int make_mounts(struct maker *m)
{
	const struct conf *conf = m->conf;
	struct plan_image *image;
	int i, j, err = 0;

	for (i = 0; !err && i < conf->nimages; i++) {
		image = &m->plan->images[i];
		for (j = 0; !err && j < conf->nmounts; j++)
			if (conf->mounts[j].images & 1u << i)
				err = make_mount(m->plan, image,
						 &conf->mounts[j]);
		if (!err && image->nmounts)
			qsort(image->mounts, image->nmounts,
			      sizeof(*image->mounts), compare_mount);
	}
	return err;
}

/* Room for the ranges that the image gets. */
static int make_ranges(const struct maker *m, struct plan_image *image)
{
	const struct conf *conf = m->conf;

	image->nregion = !image->id ? conf->region.nodes.n :
		conf->images[image->id].region.value ? 1 : 0;
	image->region = calloc(image->nregion + 1, sizeof(*image->region));
	if (!image->region || !image->id)
		return image->region ? 0 : -ENOMEM;
	image->nmem = 1;
	image->mem = calloc(1, sizeof(*image->mem));
	return image->mem ? 0 : -ENOMEM;
}

static int make_images(struct maker *m)
{
	const struct conf *conf = m->conf;
	struct plan *plan = m->plan;
	char *path = conf->file[0] == '/' ? strdup(conf->file) : realpath(conf->file, NULL);
	int i, err = 0;

	if (!path)
		return -errno;
	/* The plan is for proxyd as well, which runs elsewhere and later. */
	plan->conf_file = own(plan, path);
	free(path);
	memcpy(plan->conf_hash, conf->scan->hash, sizeof(plan->conf_hash));
	plan->block_size = m->topo->block_size;
	plan->nimages = conf->nimages;
	if (!plan->conf_file)
		return -EILSEQ;
	for (i = 0; !err && i < conf->nimages; i++) {
		err = make_image(plan, &conf->images[i], i);
		if (!err)
			err = make_ranges(m, &plan->images[i]);
	}
	return err;
}

int plan_make(const struct conf *conf, const struct topology *topo,
	      struct plan **out, struct diag *diag)
{
	static int (*const steps[])(struct maker *m) = {
		make_images, make_cpus, make_memory, make_low, check_extents,
		make_rest, make_exports, make_mounts,
	};
	struct maker m = { .conf = conf, .topo = topo, .diag = diag };
	int err = -ENOMEM;
	size_t i;

	m.plan = calloc(1, sizeof(*m.plan));
	m.used = calloc(topo->ncpus, sizeof(*m.used));
	if (!m.plan || !m.used)
		goto out_free;
	m.plan->strings = json_array();
	err = check_region(&m);
	for (i = 0; !err && i < sizeof(steps) / sizeof(steps[0]); i++)
		err = steps[i](&m);
out_free:
	free(m.used);
	if (err)
		plan_free(m.plan);
	else
		*out = m.plan;
	return err;
}

void plan_free(struct plan *plan)
{
	int i;

	if (!plan)
		return;
	for (i = 0; i < PLAN_MAX_IMAGES; i++) {
		free(plan->images[i].cpus);
		free(plan->images[i].mem);
		free(plan->images[i].region);
		free(plan->images[i].devices);
		free(plan->images[i].mounts);
	}
	free(plan->exports);
	json_decref(plan->strings);
	free(plan);
}

struct plan_image *plan_find(struct plan *plan, const char *name)
{
	int i;

	for (i = 0; i < plan->nimages; i++)
		if (!strcmp(plan->images[i].name, name))
			return &plan->images[i];
	return NULL;
}

bool plan_exports(const struct plan *plan, const struct plan_image *image)
{
	int i;

	for (i = 0; i < plan->nexports; i++)
		if (plan->exports[i].image == image->id)
			return true;
	return false;
}

uint64_t plan_ctl_size(int nimages, uint64_t memory)
{
	uint64_t size = SHAREDPC_CTL_SIZE;

	size += nimages * sharedpc_words_size(memory);
	return (size + PLAN_ALIGN - 1) / PLAN_ALIGN * PLAN_ALIGN;
}

uint64_t plan_region_size(const struct plan *plan)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < plan->nimages; i++)
		sum += range_sum(plan->images[i].region, plan->images[i].nregion, -1);
	return sum;
}
