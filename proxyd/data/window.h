/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * window.h - mappings of a file, known to sharedpc.ko. The caller holds
 * file->map for writing, except for window_find().
 */
#ifndef PROXYD_WINDOW_H
#define PROXYD_WINDOW_H

#include "proxyd/data/file.h"

/* The window that page @index lies in, or NULL. */
struct window *window_find(struct file *file, uint64_t index);
/* Make it. 0 or -errno. */
int window_add(int dev, struct file *file, uint64_t index);
/* Make all windows again, of file->fd. On failure some are gone. */
int windows_replace(int dev, struct file *file);
/* Take every frame back from the client and forget the windows. */
void windows_remove(int dev, struct file *file);

#endif
