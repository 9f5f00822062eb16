// SPDX-License-Identifier: GPL-2.0-only
/*
 * log.c - what proxyd says, to stderr.
 *
 * One write per line, so that lines of several processes do not mix. What
 * peers send reaches a line only as numbers or as quoted, escaped text.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proxyd/life/log.h"
#include "sharedpc_abi.h"

static char who[SHAREDPC_NAME_MAX + 2];

void log_name(const char *name)
{
	who[0] = 0;
	if (name)
		snprintf(who, sizeof(who), "[%.*s]", SHAREDPC_NAME_MAX - 1, name);
}

static void escape(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

void log_say(const char *fmt, ...)
{
	int keep = errno;
	char text[600], line[700];
	va_list ap;
	int n;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	escape(text);
	n = snprintf(line, sizeof(line), "proxyd%s: %s\n", who, text);
	if (n > 0 && write(STDERR_FILENO, line, n) < 0)
		errno = keep;	/* nobody is left to be told */
	errno = keep;
}
