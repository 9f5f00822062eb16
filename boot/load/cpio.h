/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpio.h - writes cpio archives as the kernel's initramfs reads them (newc)
 */
#ifndef BOOT_CPIO_H
#define BOOT_CPIO_H

#include <stddef.h>
#include <stdio.h>

/*
 * Append a file (mode 0644) or, with NULL data, a directory.  @name has no
 * leading slash.  @out must be at a multiple of 4.  0 or -errno.
 */
int cpio_add(FILE *out, const char *name, const void *data, size_t len);
/* The end mark, padded to 512 bytes: another archive may follow. */
int cpio_end(FILE *out);
/* A whole archive: the directories above @name, the file, the end. 0 or -errno. */
int cpio_archive(FILE *out, const char *name, const void *data, size_t len);

#endif
