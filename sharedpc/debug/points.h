/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * points.h - /sys/kernel/debug/sharedpc/point
 */
#ifndef POINTS_H
#define POINTS_H

struct dentry;

void points_init(struct dentry *dir);

#endif
