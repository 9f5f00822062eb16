/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.h - what happens to files that a client watches
 *
 * For each mount of a client a group of fsnotify with marks on what is watched there, as
 * inotify has one for each of its descriptors, and a queue of what they have heard, which
 * the mount's proxy takes to the client.  All may sleep, but for report_removed.
 */
#ifndef REPORT_H
#define REPORT_H

#include <linux/fs.h>
#include <linux/poll.h>
#include "sharedpc_ioctl.h"

struct reports;

/* Of a mount that is served from where @fd is, by this process.  -EBADF, -ENOMEM. */
struct reports *report_open(int fd);
void report_close(struct reports *r);

/* REPORT and EVENTS of sharedpc_ioctl.h. */
int report_want(struct reports *r, const struct sharedpc_report *want);
int report_take(struct reports *r, struct sharedpc_events *events);
__poll_t report_poll(struct reports *r, struct file *file, poll_table *wait);

/* The directory @inode has just been removed, which fsnotify says of its parent only. */
void report_removed(struct inode *inode);

/* All have been closed: until the last has gone, which may take as long as somebody's permission. */
void report_exit(void);

#endif
