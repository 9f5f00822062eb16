// SPDX-License-Identifier: GPL-2.0-only
/*
 * conf-export.c - how far those go who may mount an export
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "boot/conf/conf-check.h"

#define ID_MAX	UINT32_C(0xfffffffe)	/* the last one means "none" */

/* "CLIENT:OWNER:COUNT" */
static int parse_map(const char *s, struct conf_map *map)
{
	uint64_t n[3];
	int i, end = 0;

	/* Ten digits each: more cannot be right, and would not fit. */
	if (strspn(s, "0123456789:") != strlen(s) ||
	    sscanf(s, "%10" SCNu64 ":%10" SCNu64 ":%10" SCNu64 "%n", &n[0], &n[1], &n[2],
		   &end) != 3 || s[end])
		return -EINVAL;
	for (i = 0; i < 3; i++)
		if (n[i] > ID_MAX)
			return -EINVAL;
	if (!n[2] || n[0] + n[2] - 1 > ID_MAX || n[1] + n[2] - 1 > ID_MAX)
		return -EINVAL;
	*map = (struct conf_map) { .client = n[0], .owner = n[1], .count = n[2] };
	return 0;
}

static bool overlap(uint32_t a, uint32_t b, uint32_t na, uint32_t nb)
{
	return a <= b ? b - a < na : a - b < nb;
}

static bool maps_overlap(const struct conf_map *a, const struct conf_map *b)
{
	return overlap(a->client, b->client, a->count, b->count) ||
	       overlap(a->owner, b->owner, a->count, b->count);
}

static void add_map(struct conf_export *export, const struct values *v,
		    const struct value_str *str)
{
	struct conf_map *map = &export->map[export->nmaps];
	int i;

	if (export->nmaps == CONF_MAX_MAPS) {
		diag_add(v->diag, str->line, "more than %d ranges in \"map\"; remove this one",
			 CONF_MAX_MAPS);
		return;
	}
	if (parse_map(str->s, map)) {
		diag_add(v->diag, str->line,
			 "\"%s\" in \"map\" is no range of users; write \"CLIENT:OWNER:COUNT\", like \"0:100000:65536\"",
			 str->s);
		return;
	}
	for (i = 0; i < export->nmaps; i++)
		if (maps_overlap(&export->map[i], map))
			diag_add(v->diag, str->line,
				 "\"%s\" in \"map\" overlaps another range; nobody can be two users",
				 str->s);
	export->nmaps++;
}

void conf_export_rules(struct conf_export *export, const struct values *v)
{
	static const char *const names[] = { "none", "root", "all", NULL };
	struct value_strs list = values_strs(v, "map");
	int i;

	for (i = 0; i < list.n; i++)
		add_map(export, v, &list.v[i]);
	export->squash = values_choice(v, "squash", names, CONF_SQUASH_ROOT);
	export->nodev = values_bool(v, "nodev", true);
	export->nosuid = values_bool(v, "nosuid", true);
}
