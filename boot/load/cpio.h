/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpio.h - cpio archives as the kernel's initramfs reads them (newc)
 */
#ifndef BOOT_CPIO_H
#define BOOT_CPIO_H

#include <stddef.h>
#include <stdio.h>

/* Where an image that exports something finds its configuration. */
#define INITRD_CONF	"etc/ccluster/partitions.conf"

/*
 * Append a file (mode 0644) or, with NULL data, a directory.  @name has no
 * leading slash.  @out must be at a multiple of 4.  0 or -errno.
 */
int cpio_add(FILE *out, const char *name, const void *data, size_t len);
/* The end mark, padded to 512 bytes: another archive may follow. */
int cpio_end(FILE *out);
/* A whole archive: the directories above @name, the file, the end. 0 or -errno. */
int cpio_archive(FILE *out, const char *name, const void *data, size_t len);
/*
 * The archive @initrd of @size bytes, and behind it one with the file at @path as
 * @name (no leading slash; its directories are made): *@out, malloc'ed, of *@out_size
 * bytes.  0, or -errno of reading the file; -ENOMEM.
 */
int initrd_add(const void *initrd, size_t size, const char *name, const char *path,
	       void **out, size_t *out_size);

#endif
