/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe.h - opens for writing and new attributes, as the kernel comes to them
 */
#ifndef PROBE_H
#define PROBE_H

struct inode;

/*
 * From now on @changed is called, for all file systems, in the task that does it:
 * for each open for writing, when the file's i_writecount has gone up and the open
 * has not returned, and after each change that notify_change() makes.  It may not
 * sleep.  0, or -errno: this kernel cannot be listened to so.
 */
int probe_begin(void (*changed)(const struct inode *inode));
/* Nobody is in @changed any more.  May sleep. */
void probe_end(void);

#endif
