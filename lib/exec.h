/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running commands elsewhere: client and server of include/ccexec.h.
 *
 *   exec_client_run()	a program that stands for the command: passes on
 *			stdin, stdout, stderr and signals, returns the status
 *   exec_serve()	the other end, for one connection
 *
 * Both work on any pollable descriptor and switch it to O_NONBLOCK; it stays
 * the caller's. Neither prints anything.
 */
#ifndef LIB_EXEC_H
#define LIB_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exec_request {
	char *const *argv;	/* NULL-terminated, at least one string */
	char *const *envp;	/* NULL-terminated, or NULL: nothing */
	const char *cwd;	/* absolute, or NULL: the server's default */
	uint32_t flags;		/* CCEXEC_TTY, CCEXEC_ENV_ADD */
	bool port;		/* fd is a virtio port's: bytes of others may be there */
	int in, out, err;	/* descriptors to pass on; in may be -1 */
	unsigned int silence_ms; /* give up after this long without an answer;
				  * 0: 60 s. EXEC_NO_PING: never, and send
				  * nothing that the user did not cause
				  */
};

#define EXEC_NO_PING	(~0u)

struct exec_result {
	int status;		/* 0 to 255; 128 + n: ended by signal n */
	char text[256];		/* with an error: what failed */
};

/**
 * exec_client_run() - run a command through a connected descriptor
 * @fd:		connection to an exec server
 * @rq:		what to run
 * @res:	filled in before it returns
 *
 * While it runs, SIGINT, TERM, HUP, QUIT, USR1, USR2 and WINCH of this process
 * go to the command. Returns 0 if the command ran and ended, else -errno and a
 * text in @res->text; then @res->status is what a shell would return: 127
 * (command not found), 126 (cannot be run), 255 (connection lost).
 */
int exec_client_run(int fd, const struct exec_request *rq, struct exec_result *res);

struct exec_server {
	const char *root;	/* commands are chrooted here; NULL: they are not */
	bool port;		/* virtio port: resynchronise, serve for ever */
};

/**
 * exec_serve() - serve one connection
 *
 * Runs one command and returns, on a port one after the other until the port
 * itself fails. A peer that goes away takes the command's process group with
 * it. Returns 0, or -errno: -EPROTO for a peer that does not keep to the
 * protocol, -ETIMEDOUT for one that asks for nothing within 30 s.
 */
int exec_serve(int fd, const struct exec_server *srv);

#endif
