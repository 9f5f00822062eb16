/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * limits.h - what the daemon needs of the owner's kernel for itself.
 */
#ifndef PROXYD_LIMITS_H
#define PROXYD_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#define LIMIT_FILES	1048576		/* descriptors of one proxy */
#define LIMIT_MAPS	1048576		/* mappings of one proxy */

/*
 * Raise what is too low and protect the process; says what it cannot. The
 * whole machine's limits only if @machine.
 */
void limits_raise(bool machine);

/* Raise the number in the file @path to @least. 0 or -errno. */
int limit_raise(const char *path, uint64_t least);

#endif
