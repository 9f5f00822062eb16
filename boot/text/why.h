/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * why.h - the reason of a failure, on its way to whoever prints it
 *
 * Functions that can fail in ways that a user must understand take a struct
 * why and return -errno; commands print why->text.  The text is one line
 * without a newline and says what is wrong and, where that helps, what would
 * be right.
 */
#ifndef BOOT_WHY_H
#define BOOT_WHY_H

#include <stdarg.h>
#include <stdio.h>

struct why {
	char text[512];
};

/* Set the text (cut off if too long); returns @err, so: return why_set(...). */
static inline __attribute__((format(printf, 3, 4)))
int why_set(struct why *why, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

#endif
