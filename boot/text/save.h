/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * save.h - replace a file whole or not at all.
 *
 * The new contents go to PATH.new in the same directory, to the disk, and are
 * then renamed over PATH: a crash leaves the old file or the new one. Missing
 * parent directories are made.
 */
#ifndef BOOT_SAVE_H
#define BOOT_SAVE_H

#include <stdio.h>

/* @write puts @data to its stream: 0 or -errno. Returns 0 or -errno. */
int save_file(const char *path, int (*write)(FILE *out, const void *data),
	      const void *data);

/*
 * For a change that may have to be taken back: keep @path as PATH.old before it
 * is replaced. Without a @path there is no PATH.old afterwards. 0 or -errno.
 */
int save_keep(const char *path);
/*
 * Put PATH.old back in @path's place; without one, @path was not there before
 * save_keep() and is removed. 0 or -errno.
 */
int save_restore(const char *path);

/* Make the directories above @path (shorter than PATH_MAX). 0 or -errno. */
int save_make_parents(const char *path);

#endif
