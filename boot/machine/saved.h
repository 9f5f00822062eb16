/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * saved.h - what the saved files, plan and topology, have in common.
 *
 * Both are JSON, written and read by jansson: sizes and addresses are numbers of
 * bytes, a CPU is {cpu, node, apic_id}, a range is {start, size, node}. The
 * writing functions give NULL when out of memory or when a string is not
 * UTF-8, which json_pack() hands up; the reading ones refuse whatever they
 * would not write.
 */
#ifndef BOOT_SAVED_H
#define BOOT_SAVED_H

#include <jansson.h>

#include "boot/machine/topology.h"

/* Write @root, to @path atomically and durably, and give it back. 0 or -errno. */
int saved_write(json_t *root, FILE *out);
int saved_save(json_t *root, const char *path);
/* Put @item at the end of *@list, which is NULL if that fails. */
void saved_append(json_t **list, json_t *item);
json_t *saved_range(const struct range *range);
json_t *saved_ranges(const struct range *ranges, int n);
json_t *saved_cpus(const struct topo_cpu *cpus, int n);

/*
 * The file @path. 0 and *@root (json_decref() it), -EINVAL with the mistake in @diag,
 * or another -errno when it cannot be read.
 */
int saved_read(const char *path, json_t **root, struct diag *diag);
/* 0 or -EINVAL. */
int saved_get_range(json_t *item, void *range, void *unused);
/*
 * A list: *@items, @size bytes each, malloced, and *@n of them, read by @get, which is
 * given @ctx. 0, -EINVAL, or -ENOMEM.
 */
int saved_get_list(json_t *list, size_t size, void *items, int *n,
		   int (*get)(json_t *item, void *to, void *ctx), void *ctx);
int saved_get_ranges(json_t *list, struct range **ranges, int *n);
int saved_get_cpus(json_t *list, struct topo_cpu **cpus, int *n);

#endif
