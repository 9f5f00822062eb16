/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * words.h - for how long what is answered holds good
 *
 * sharedpc.ko has a word in shared memory for each name and for each file's
 * attributes, which it counts up when they change. What an answer says is sent
 * along with the word's value from before it was read, so that a client can see
 * whether it still holds. Each connection watches the file system of its export
 * through a device of its own; the watch ends with the connection.
 *
 * A value of 0 means: not to be remembered. That is what all of them are
 * without sharedpc.ko, for a file system that changes behind this kernel's back,
 * and whenever the module fails.
 *
 * The module wants CAP_SYS_ADMIN: not to be called while the thread acts as
 * somebody else (cred.h).
 */
#ifndef PROXYD_WORDS_H
#define PROXYD_WORDS_H

#include <stdint.h>
#include <sys/stat.h>

#include "ccfs_proto.h"

struct words {
	int dev;		/* /dev/sharedpc that watches; -1: there are none */
};

/*
 * Watch the file system of @root (O_PATH), before anything of it is read, and
 * say so in @welcome: flags, bits and salt.
 */
void words_watch(struct words *w, int root, struct ccfs_welcome *welcome);
void words_exit(struct words *w);

/* The value for @name in @dir, to be asked for before the name is looked up. */
uint64_t words_name_gen(const struct words *w, int dir, const char *name);
/*
 * Read what is known of the file at @fd, its word first; in @st st_dev, st_ino, st_mode and
 * st_nlink. 0 or -errno.
 */
int words_stat(const struct words *w, int fd, struct stat *st,
	       struct ccfs_attr *attr);

#endif
