/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * console.h - a client's console, in shared memory
 */
#ifndef CONSOLE_H
#define CONSOLE_H

int tty_console_init(void);
void tty_console_exit(void);
void tty_console_kick(void);	/* any context: look for input */

#endif
