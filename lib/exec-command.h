/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One command of the exec server: parse a START, run it, know its descriptors.
 */
#ifndef LIB_EXEC_COMMAND_H
#define LIB_EXEC_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What START asks for. The strings point into the message it came from. */
struct exec_start {
	uint32_t flags;
	uint16_t rows, cols;
	char **argv, **env;	/* NULL-terminated, both in one allocation */
	const char *cwd;	/* "" for the default */
};

struct exec_command {
	pid_t pid;		/* leader of its own session and group; 0: none */
	int pidfd;		/* readable when the command has ended */
	int in, out, err;	/* our ends, non-blocking, -1 when closed */
	bool tty;		/* in and out are the master side of a terminal */
};

/* Check and split a message of @size bytes, 0 or -EPROTO, -ENOMEM. */
int exec_start_parse(struct exec_start *st, char *msg, size_t size);
void exec_start_free(struct exec_start *st);

/*
 * Run it, chrooted into @root unless that is NULL. Returns 0, or the -errno of
 * what failed, with a text of up to @size bytes in @text.
 */
int exec_command_start(struct exec_command *c, const struct exec_start *st,
		       const char *root, char *text, size_t size);

void exec_command_resize(struct exec_command *c, uint16_t rows, uint16_t cols);

/* Reap it: status and signal as in struct ccexec_exit. Call when pidfd says so. */
void exec_command_wait(struct exec_command *c, int *status, int *sig);

/* Close everything; a command that still runs is ended, group and all. */
void exec_command_end(struct exec_command *c);

#endif
