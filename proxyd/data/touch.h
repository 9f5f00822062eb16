/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * touch.h - a store to a mapped page that changes nothing.
 *
 * The page fault of a store may wait for as long as the file system likes: for the
 * journal, for write-back, for a thaw. Taken in the kernel on somebody's behalf it
 * holds the lock of the memory map, behind which all that maps or unmaps waits, and then
 * all faults. Taken by the store of a program it holds the lock of that one mapping.
 */
#ifndef PROXYD_TOUCH_H
#define PROXYD_TOUCH_H

/* Once, before any thread touches. 0 or -errno. */
int touch_init(void);
/*
 * Store to the byte at @p of a shared mapping what it has. 0; -EFAULT: it is past the
 * end of the file, or the file system cannot.
 */
int touch_write(void *p);

#endif
