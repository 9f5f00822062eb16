/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * spawn.h - runs programs and finds one
 */
#ifndef BOOT_SPAWN_H
#define BOOT_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#define SPAWN_TIMEOUT	124	/* as of timeout(1) */

/*
 * Run argv[0], wait.  Its exit status, 128 + n for signal n, 127 when it
 * cannot be run.
 */
int spawn_wait(const char *const argv[]);
/*
 * The same with its output (standard output and error) in @buf, cut off if
 * too long, without the last newline.  After @seconds it is killed, with what
 * it has started: SPAWN_TIMEOUT, and @buf says so.
 */
int spawn_output(const char *const argv[], unsigned int seconds, char *buf,
		 size_t len);
/*
 * Start argv[0] as a daemon: own session, output appended to @log.  Its
 * process id, or -errno.
 */
pid_t spawn_daemon(const char *const argv[], const char *log);
/* Has that daemon, a child of this process, ended? */
bool spawn_reap(pid_t pid);
/* The process that listens on the stream socket @path, as the kernel has it; 0: none. */
pid_t socket_owner(const char *path);

#endif
