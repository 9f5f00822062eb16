/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * later.h - what nobody needs to wait for.
 *
 * The last close of a removed file frees its blocks, and giving up a window
 * waits for the client, both for seconds if it comes to that. Threads that
 * others wait for (readers, which answer PING; those that take faults) leave
 * that to the threads here, which have nothing else to do.
 */
#ifndef PROXYD_LATER_H
#define PROXYD_LATER_H

/*
 * Start the threads, once, in one that is root and stays it: they act as who
 * starts them does. 0 or -errno.
 */
int later_start(void);
/* Call @run(@a, @b) soon, in one of them; without them or memory at once. */
void later(void (*run)(void *a, void *b), void *a, void *b);
/* Close @fd. */
void later_close(int fd);

#endif
