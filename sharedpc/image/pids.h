/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pids.h - no two processes of the box have the same PID
 */
#ifndef PIDS_H
#define PIDS_H

/* From here on; the image's life is known.  0 or -errno. */
int pids_begin(void);
void pids_end(void);

#endif
