/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * signals.h - between two steps that belong together ccctl does not end
 */
#ifndef BOOT_SIGNALS_H
#define BOOT_SIGNALS_H

#include <signal.h>

/*
 * Block what would end ccctl (INT, TERM, HUP, QUIT, PIPE), for programs that it
 * starts as well, until signals_release(@old).
 */
void signals_hold(sigset_t *old);
void signals_release(const sigset_t *old);

#endif
