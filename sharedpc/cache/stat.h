/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stat.h - a line of counters: what was known, and what was asked; without FUSE: direct
 */
#ifndef CACHE_STAT_H
#define CACHE_STAT_H

#include <linux/seq_file.h>

void cache_show(struct seq_file *m);

#endif
