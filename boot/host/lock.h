/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lock.h - one ccctl at a time changes the box, and between two steps that belong
 * together it does not end
 *
 * A start is several steps (CPUs, LEND, the slice, START) and between them an
 * image looks as one that has died does; so whoever changes anything holds one
 * lock until it exits.  It is a flock(2): the kernel releases it, however its
 * holder ends, and no program that ccctl runs inherits it.
 */
#ifndef BOOT_LOCK_H
#define BOOT_LOCK_H

#include <signal.h>
#include <sys/types.h>

#include "boot/text/why.h"

#define LOCK_FILE	"/run/ccluster/lock"

/*
 * Take the lock at @path for the rest of this process's life.  Another has
 * it: call @waiting once with that one's process id (0: not known), try for
 * @seconds.  0 or -errno with @why, -ETIMEDOUT when it does not get free.
 */
int lock_take(const char *path, unsigned int seconds,
	      void (*waiting)(pid_t holder), struct why *why);

/*
 * Block what would end ccctl (INT, TERM, HUP, QUIT, PIPE), for programs that it
 * starts as well, until signals_release(@old).
 */
void signals_hold(sigset_t *old);
void signals_release(const sigset_t *old);

#endif
