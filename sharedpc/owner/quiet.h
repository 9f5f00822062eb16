/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * quiet.h - what a proxy opens and closes for itself, and who watches does not hear
 */
#ifndef QUIET_H
#define QUIET_H

#include "sharedpc_ioctl.h"

/* A descriptor or the error: REOPEN and HUSH of sharedpc_ioctl.h. */
int quiet_reopen(const struct sharedpc_reopen *want);
int quiet_hush(int fd);

#endif
