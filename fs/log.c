// SPDX-License-Identifier: GPL-2.0-only
/*
 * log.c - what ccfs has to say, see log.h
 *
 * /dev/kmsg takes one line in one write and limits the rate by itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fs/log.h"

static int kmsg = -1;
static const char *name;

void ccfs_vlog(const char *fmt, va_list ap)
{
	char text[512], line[640];
	int n;

	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	if (kmsg < 0) {
		fprintf(stderr, "mount.ccfs: %s\n", text);
		return;
	}
	n = snprintf(line, sizeof(line), "<6>ccfs %.100s: %s\n", name, text);
	if (write(kmsg, line, n) != n)
		return;		/* there is no other place to say it */
}

void ccfs_log(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ccfs_vlog(fmt, ap);
	va_end(ap);
}

void ccfs_log_background(const char *source)
{
	name = source;
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
}
