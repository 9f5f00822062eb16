/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log.h - what proxyd says, to stderr: "proxyd[web]: text", one line each.
 */
#ifndef PROXYD_LOG_H
#define PROXYD_LOG_H

/* Name used in brackets from now on (copied); NULL: the pid's role is none. */
void log_name(const char *name);
/* One line, without newline. Keeps errno. */
void log_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
