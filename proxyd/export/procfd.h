/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * procfd.h - from an O_PATH descriptor to what it names, by /proc/self/fd.
 *
 * The link leads to the very file, whatever its name is by now, and the
 * owner's kernel checks the caller's rights as for any open.
 */
#ifndef PROXYD_PROCFD_H
#define PROXYD_PROCFD_H

#include <limits.h>

#define PROCFD_PATH	32	/* bytes that hold "/proc/self/fd/N" */

/* Once in each process, before the others. 0 or -errno. */
int procfd_init(void);
/* Open @fd's file again with @flags (O_CLOEXEC is added). fd or -errno. */
int procfd_open(int fd, int flags);
/* Directory and name for the *at() calls without AT_SYMLINK_NOFOLLOW. */
int procfd_dir(void);
const char *procfd_name(int fd, char name[PROCFD_PATH]);
/* For calls that take only a path. */
const char *procfd_path(int fd, char path[PROCFD_PATH]);
/* Where @fd's file is now, for a log: its path, or "?".  Leaves errno alone. */
const char *procfd_where(int fd, char where[PATH_MAX]);

#endif
