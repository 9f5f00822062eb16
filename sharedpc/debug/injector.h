/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * injector.h - /sys/kernel/debug/sharedpc/inject
 */
#ifndef INJECTOR_H
#define INJECTOR_H

struct dentry;

void injector_init(struct dentry *dir);

#endif
