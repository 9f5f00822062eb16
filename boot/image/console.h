/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * console.h - the console of an image, read and fed from the boot image
 *
 * The image writes an overwriting ring in ctl (sharedpc_abi.h).  A reader
 * holds a position, the count of bytes since the image started; bytes that
 * have been overwritten meanwhile are skipped and counted.  When the image has
 * been started again (its slot's epoch), reading begins anew.  Before the image
 * has its console driver, its messages are read from its kernel's own buffer
 * (kmsg.h).
 */
#ifndef BOOT_CONSOLE_H
#define BOOT_CONSOLE_H

#include <stdbool.h>
#include <stdio.h>

#include "boot/image/box.h"

struct console_reader {
	const struct sharedpc_console *con;
	const struct sharedpc_slot *slot;
	uint32_t epoch;		/* of the life that pos is of; 0: not known */
	uint64_t pos;		/* next byte to read */
	uint64_t lost;		/* bytes overwritten before they were read */
};

/* Of the image with @slot, from the first byte that is still there. */
void console_open(struct console_reader *r, const struct sharedpc_console *con,
		  const struct sharedpc_slot *slot);
/* Copy up to @len bytes to @buf, move on.  Bytes copied, 0: none there. */
size_t console_read(struct console_reader *r, char *buf, size_t len);
/* Put bytes into the input ring; returns how many fitted. */
size_t console_write(struct sharedpc_console *con, const char *buf, size_t len);

/*
 * Everything that image has said, or NULL when out of memory; malloc'ed.  Its
 * memory is searched for 10 s at most.
 */
char *console_text(const struct box *box, const struct plan_image *img,
		   size_t *len);
/* The last @lines of it. */
void console_print_tail(const struct box *box, const struct plan_image *img,
			int lines, FILE *out);
/* Did the kernel panic before it could say so in its slot? */
bool console_has_panic(const struct box *box, const struct plan_image *img);

#endif
