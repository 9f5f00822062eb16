/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pid1.h - what the first process of a machine does first: that of the box's plain
 * Debian and that of an image without a disk
 */
#ifndef LIB_PID1_H
#define LIB_PID1_H

#include <signal.h>

/* Block all signals, which are in *@all then, and set PATH and HOME. */
void pid1_start(sigset_t *all);
/*
 * Mount the pseudo file systems, a /run, and make the links in /dev. All are tried;
 * @say tells what failed. 0 or the first -errno.
 */
int pid1_mount_pseudos(void (*say)(const char *fmt, ...));
/* 0 or -errno. */
int pid1_bring_up_loopback(void);
/* In a child, before it executes a program: no signal is blocked, own session. */
void pid1_child(void);

#endif
