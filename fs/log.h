/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log.h - where a ccfs process in the background says what went wrong
 *
 * To standard error until ccfs_log_background(), from then on to the kernel's
 * log, which every image has, whatever its user space.
 */
#ifndef CCFS_LOG_H
#define CCFS_LOG_H

#include <stdarg.h>

/* One line, without newline. */
void ccfs_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void ccfs_vlog(const char *fmt, va_list ap);

/* From here on to the kernel's log, as "ccfs @source: ...". */
void ccfs_log_background(const char *source);

#endif
