/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * watch.h - an owner listens to its own kernel, and counts words up
 *
 * All may sleep.
 */
#ifndef WATCH_H
#define WATCH_H

#include <linux/fs.h>
#include <linux/types.h>
#include "sharedpc_ioctl.h"

struct watch;

/*
 * Watch the file system that @want->fd lies in, or share in a watch that there
 * is; fills in @want.  The watch lasts until watch_close.  -EBADF; -EOPNOTSUPP:
 * changes of names in it are not all reported, or there are no words.
 */
struct watch *watch_open(struct sharedpc_watch *want);
void watch_close(struct watch *watch);

/* NAME and LOOK of sharedpc_ioctl.h; @cred has the right to see all. */
int watch_name(struct sharedpc_name *want);
int watch_look(struct sharedpc_look *want, const struct cred *cred);

/* What fsnotify reports, with its own arguments, is counted by the end of this. */
void watch_count(u32 mask, const struct inode *inode, const struct inode *dir,
		 const struct qstr *name);

int watch_init(void);
void watch_exit(void);

/* Off, changes are not counted: tests show that they would notice. */
extern bool watch_counting;
/* Changes counted, for people. */
u64 watch_changes(void);

#endif
