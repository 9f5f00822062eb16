/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hello.h - the first message of a connection: which export it is to be.
 */
#ifndef PROXYD_HELLO_H
#define PROXYD_HELLO_H

#include <stddef.h>
#include <stdint.h>

#include "ccfs_proto.h"
#include "msg.h"
#include "proxyd/export/export.h"

struct proxy;

/* What was asked for and granted; it has not been answered yet. */
struct hello {
	uint64_t id;		/* of the request */
	uint32_t flags;		/* CCFS_WELCOME_*, without WORDS */
	struct export_rules rules;
	int root;		/* the export, a mount of its own; O_PATH */
};

/*
 * @in, whose cred has been taken, says HELLO to @proxy: fill in @hello, whose root is
 * the caller's then, or return -errno and maybe @why. -EPROTO: it is malformed.
 */
int hello_open(const struct proxy *proxy, struct msg *in, struct hello *hello,
	       char *why, size_t len);
/* The refusal of request @id with @error (-errno) and @why, "": only that. */
void hello_refusal(const struct proxy *proxy, uint64_t id, int error, const char *why,
		   struct msg *out);
/*
 * Read the first message of @fd, and refuse it on the spot if it is to be refused.
 * Takes as long as the peer and the file system like: see alarm(2). 0 or -errno.
 */
int hello_read(const struct proxy *proxy, int fd, struct hello *hello);

#endif
