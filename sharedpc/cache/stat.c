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
	[CACHE_WATCH] = "watch",
	[CACHE_EVENT] = "event",
};

static void show(struct seq_file *seq, const struct cache_stat __percpu *stat)
{
	u64 sum;
	int i, cpu;

	for (i = 0; i < CACHE_COUNTS; i++) {
		sum = 0;
		for_each_possible_cpu(cpu)
			sum += per_cpu_ptr(stat, cpu)->n[i];
		seq_printf(seq, " %s %llu", names[i], sum);
	}
	seq_puts(seq, "\n");
}

void cache_show(struct seq_file *seq)
{
	seq_puts(seq, "names");
	show(seq, &cache_stat);
}

int cache_show_stats(struct seq_file *seq, struct dentry *root)
{
	seq_puts(seq, "statvers=1.0\n\tnames:");
	show(seq, cache_mount_of(root->d_sb)->stat);
	return 0;
}
