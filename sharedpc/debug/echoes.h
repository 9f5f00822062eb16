/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * echoes.h - /sys/kernel/debug/sharedpc/: what a message there and back costs
 */
#ifndef ECHOES_H
#define ECHOES_H

struct dentry;

void echoes_init(struct dentry *dir);
void echoes_exit(void);		/* the directory is gone */

#endif
