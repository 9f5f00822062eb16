/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEBUG_H
#define DEBUG_H

void debug_init(void);
void debug_exit(void);

#endif
