/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mounts.h - what this image has mounted of others, and how often it had to ask
 */
#ifndef BOOT_CCCTL_MOUNTS_H
#define BOOT_CCCTL_MOUNTS_H

#include <jansson.h>

/* As text, on standard output; nothing if there are none. */
void mounts_print(void);
/* A list of objects: source, path, and each counter. */
json_t *mounts_json(void);

#endif
