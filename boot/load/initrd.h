/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * initrd.h - an initrd with a file more
 */
#ifndef BOOT_INITRD_H
#define BOOT_INITRD_H

#include <stddef.h>

/* Where an image that exports something finds its configuration. */
#define INITRD_CONF	"etc/ccluster/partitions.conf"

/*
 * The archive @initrd of @size bytes, and behind it one with the file at @path as
 * @name (no leading slash; its directories are made): *@out, malloc'ed, of *@out_size
 * bytes.  0, or -errno of reading the file; -ENOMEM.
 */
int initrd_add(const void *initrd, size_t size, const char *name, const char *path,
	       void **out, size_t *out_size);

#endif
