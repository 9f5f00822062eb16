// SPDX-License-Identifier: GPL-2.0-only
/*
 * conf-check.c - what contradicts itself in the images of partitions.conf.
 *
 * Nothing here knows the machine: these are contradictions in the file itself.
 * The message is always on the later of two contradicting lines and names the
 * earlier one. Exports and mounts are in conf-mounts.c.
 */
#include "boot/conf/conf-check.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

/* Find the boot image; everything else hangs on it. */
static void check_boot_image(const struct conf *conf, struct diag *diag)
{
	int i, boot = -1;

	for (i = 0; i < conf->nimages; i++) {
		const struct conf_image *image = &conf->images[i];

		if (!image->boot)
			continue;
		if (boot >= 0)
			diag_add(diag, image->booted_by.line,
				 "image \"%s\" is a second boot image, \"%s\" on line %d is the first; remove booted_by here",
				 image->name, conf->images[boot].name,
				 conf->images[boot].line);
		else
			boot = i;
	}
	if (boot < 0)
		diag_add(diag, conf->nimages ? conf->images[0].line : 1,
			 "no boot image; add booted_by = \"firmware\" to the image that keeps CPU 0");
	else if (conf->nimages == 1)
		diag_add(diag, conf->images[0].line,
			 "no image besides the boot image \"%s\"; add at least one",
			 conf->images[0].name);
}

/* Or the first, if there is none. */
static const struct conf_image *boot_image(const struct conf *conf)
{
	int i;

	for (i = 0; i < conf->nimages; i++)
		if (conf->images[i].boot)
			return &conf->images[i];
	return &conf->images[0];
}

/* What leads to the machine that firmware started is called so everywhere. */
static void check_name(const struct conf *conf, const struct conf_image *image,
		       struct diag *diag)
{
	if (boot_image(conf)->boot && !image->boot &&
	    !strcmp(image->name, "boot"))
		diag_add(diag, image->line,
			 "name \"boot\" of an image that firmware does not start; choose another");
}

static void check_booted_by(const struct conf *conf,
			    const struct conf_image *image, struct diag *diag)
{
	const struct value_str *by = &image->booted_by;
	int index;

	if (image->boot || !by->s)
		return;
	index = conf_find_image(conf, by->s);
	if (index < 0)
		diag_add(diag, by->line,
			 "unknown image \"%s\" in \"booted_by\"; name the boot image \"%s\", or remove the line",
			 by->s, boot_image(conf)->name);
	else if (!conf->images[index].boot)
		diag_add(diag, by->line,
			 "booted_by names \"%s\", which is not the boot image; so far only \"%s\" can boot others, or remove the line",
			 by->s, boot_image(conf)->name);
}

/* Who has @cpu among the images before @index? Its line, or 0. */
static int cpu_owner(const struct conf *conf, int index, uint64_t cpu,
		     const char **name)
{
	int i, j;

	for (i = 0; i < index; i++) {
		const struct conf_image *image = &conf->images[i];

		*name = image->name;
		for (j = 0; j < image->cpus.n; j++)
			if (image->cpus.v[j].value == cpu)
				return image->cpus.v[j].line;
	}
	return 0;
}

static void check_cpu_list(const struct conf *conf, int index,
			   struct diag *diag)
{
	const struct conf_image *image = &conf->images[index];
	const char *other = NULL;
	bool zero = false;
	int i, line;

	for (i = 0; i < image->cpus.n; i++) {
		const struct value_num *cpu = &image->cpus.v[i];

		zero |= !cpu->value;
		line = cpu_owner(conf, index, cpu->value, &other);
		if (!cpu->value && !image->boot)
			diag_add(diag, cpu->line,
				 "CPU 0 given to image \"%s\"; CPU 0 must stay with the boot image, choose another",
				 image->name);
		else if (line)
			diag_add(diag, cpu->line,
				 "CPU %" PRIu64 " is already given to image \"%s\" on line %d; choose one that is free",
				 cpu->value, other, line);
	}
	if (image->boot && image->cpus.n && !zero)
		diag_add(diag, image->cpus.line,
			 "boot image \"%s\" does not list CPU 0; add 0, firmware starts the machine there",
			 image->name);
}

static void check_cpus(const struct conf *conf, int index, struct diag *diag)
{
	const struct conf_image *image = &conf->images[index];
	uint64_t n = image->cpus.n ? (uint64_t)image->cpus.n : image->ncpus.value;

	check_cpu_list(conf, index, diag);
	if (image->cpus.n && image->ncpus.given)
		diag_add(diag, image->ncpus.line,
			 "both cpus (line %d) and ncpus; keep one of them",
			 image->cpus.line);
	if (!image->cpus.n && !image->ncpus.given &&
	    image->cpus.line == image->line)
		diag_add(diag, image->line,
			 "image \"%s\" has no CPUs; add cpus = {1}, or ncpus = 1 and node = 0",
			 image->name);
	if (image->ncpus.given && !image->ncpus.value)
		diag_add(diag, image->ncpus.line,
			 "ncpus is zero; an image needs at least one CPU");
	if (!image->boot && n > CONF_MAX_IMAGE_CPUS)
		diag_add(diag, image->cpus.n ? image->cpus.line : image->ncpus.line,
			 "%" PRIu64 " CPUs for image \"%s\"; %d are the limit of one image",
			 n, image->name, CONF_MAX_IMAGE_CPUS);
	if (image->ncpus.given && !image->node.given)
		diag_add(diag, image->ncpus.line,
			 "ncpus without a node; add node = 0 or another to take the CPUs from");
}

static void check_memory(const struct conf_image *image, struct diag *diag)
{
	char size[24];

	if (image->boot) {
		if (image->region.given)
			diag_add(diag, image->region.line,
				 "region of boot image \"%s\"; its part is what the section region { ... } says, remove the line",
				 image->name);
		if (image->cpus.n && image->node.given)
			diag_add(diag, image->node.line,
				 "node for boot image \"%s\"; it gets what is left on all nodes, remove the line",
				 image->name);
		return;
	}
	if (!image->memory.given)
		diag_add(diag, image->line,
			 "image \"%s\" has no memory; add memory = \"256M\" or another size",
			 image->name);
	else if (image->memory.value && image->memory.value < CONF_MIN_MEMORY)
		diag_add(diag, image->memory.line,
			 "memory of %s is too little to boot Linux; give at least 64M",
			 values_size_str(image->memory.value, size,
				       sizeof(size)));
}

/* "0000:00:04.0", lower case: domain, bus, device 0-1f, function 0-7. */
static bool bdf_valid(const char *s)
{
#define X "[0-9a-f]"
	return !fnmatch(X X X X ":" X X ":[01]" X ".[0-7]", s, 0);
#undef X
}

static void check_devices(const struct conf *conf, int index,
			  struct diag *diag)
{
	const struct conf_image *image = &conf->images[index];
	int i, j, k;

	for (i = 0; i < image->devices.n; i++) {
		const struct value_str *dev = &image->devices.v[i];

		if (!bdf_valid(dev->s)) {
			diag_add(diag, dev->line,
				 "device \"%s\" is not a PCI address; write it like \"0000:00:04.0\", lower case",
				 dev->s);
			continue;
		}
		for (j = 0; j <= index; j++) {
			const struct value_strs *list = &conf->images[j].devices;
			int end = j == index ? i : list->n;

			for (k = 0; k < end; k++)
				if (!strcmp(list->v[k].s, dev->s))
					diag_add(diag, dev->line,
						 "device \"%s\" is already given to image \"%s\" on line %d; a device has one owner",
						 dev->s, conf->images[j].name,
						 list->v[k].line);
		}
	}
}

/* From here on it is the first; the others stay in the file's order. */
static void put_boot_first(struct conf *conf)
{
	struct conf_image boot = *boot_image(conf);

	memmove(&conf->images[1], &conf->images[0],
		(boot_image(conf) - conf->images) * sizeof(boot));
	conf->images[0] = boot;
}

void conf_check_images(struct conf *conf, struct diag *diag)
{
	int i;

	check_boot_image(conf, diag);
	for (i = 0; i < conf->nimages; i++) {
		check_name(conf, &conf->images[i], diag);
		check_booted_by(conf, &conf->images[i], diag);
		check_cpus(conf, i, diag);
		check_memory(&conf->images[i], diag);
		check_devices(conf, i, diag);
		conf_check_cmdline(&conf->images[i], diag);
	}
	put_boot_first(conf);
}
