/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmsg.h - the messages of a kernel, read out of its memory from outside
 *
 * For images that die before they have a console.  The kernel keeps its
 * messages in one buffer, each behind an 8-byte id that counts up by one
 * (kernel/printk/printk_ringbuffer.c, struct prb_data_block).  That is enough
 * to find them: look for the first message every kernel prints, then follow
 * the ids.  It works from the kernel's very first line, needs no symbols and
 * no co-operation; it does not know the times of the messages.
 *
 * Memory of earlier lives of the image may still hold their messages.  So
 * every start has a token on its command line, which is the second message.
 */
#ifndef BOOT_KMSG_H
#define BOOT_KMSG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What cmdline.c puts on the command line. */
#define KMSG_TOKEN	"ccluster.start=%016llx"
#define KMSG_TOKEN_LEN	(15 + 16)

/*
 * Print the messages of the start @token found in @mem (8-byte aligned), of which
 * the first one begins in the first @starts bytes, one line each.  Number of
 * messages, 0: there are none.
 */
int kmsg_print(const void *mem, size_t len, size_t starts, uint64_t token,
	       FILE *out);

#endif
