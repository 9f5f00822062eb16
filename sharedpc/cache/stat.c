// SPDX-License-Identifier: GPL-2.0-only
/*
 * stat.c - how often what was known, for people and tests
 */
#include "cache/cache.h"
#include "cache/stat.h"

DEFINE_PER_CPU(struct cache_stat, cache_stat);

static const char *const names[CACHE_COUNTS] = {
	[CACHE_NAME_HIT] = "name-hit",
	[CACHE_NAME_ASK] = "name-ask",
	[CACHE_ATTR_HIT] = "attr-hit",
	[CACHE_ATTR_ASK] = "attr-ask",
	[CACHE_MAY_HIT] = "may-hit",
	[CACHE_MAY_ASK] = "may-ask",
	[CACHE_OPEN_HIT] = "open-hit",
	[CACHE_OPEN_ASK] = "open-ask",
	[CACHE_LIST_READ] = "list",
	[CACHE_XATTR_HIT] = "xattr-hit",
	[CACHE_XATTR_ASK] = "xattr-ask",
	[CACHE_DIRECT] = "direct",
};

void cache_show(struct seq_file *m)
{
	u64 sum;
	int i, cpu;

	seq_puts(m, "names");
	for (i = 0; i < CACHE_COUNTS; i++) {
		sum = 0;
		for_each_possible_cpu(cpu)
			sum += per_cpu(cache_stat, cpu).n[i];
		seq_printf(m, " %s %llu", names[i], sum);
	}
	seq_puts(m, "\n");
}
