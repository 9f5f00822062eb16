// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmsg.c - finds a kernel's messages in its memory, see kmsg.h
 *
 *	| id n | text, padded to 8 | id n+1 | text ... |
 *
 * A block's length is not stored with it (the descriptors have it, but where
 * they are only the kernel knows), so a block ends where the next id stands.
 * The memory may change while it is read, as its kernel may be running: all
 * reads stay inside [mem, mem + len), the worst is a garbled line.
 */
#include <stdbool.h>
#include <string.h>

#include "boot/load/kmsg.h"

#define BANNER		"Linux version "
#define ID_MASK		(~0ull >> 2)	/* the two top bits are a state */
#define BLOCK_MAX	4096u		/* bytes of one message, at most */
#define SOH		'\001'	/* starts a level, include/linux/kern_levels.h */
#define EARLY		4		/* the command line is in the first few */

/* A message: text without its padding. */
struct message {
	uint64_t id;
	const char *text;
	size_t len;
	bool last;
};

static uint64_t word(const uint8_t *mem, size_t at)
{
	uint64_t w;

	memcpy(&w, mem + at, sizeof(w));
	return w;
}

/*
 * What of a block's bytes is the message.  printk() formats in place, then
 * moves the text over the two bytes of its level, so a message is followed by
 * its own last two bytes and the newline.  An empty continuation leaves the
 * two bytes of its level: SOH and a letter.
 */
static size_t text_len(const char *text, size_t len)
{
	len = strnlen(text, len);
	if (len && text[len - 1] == '\n')
		len--;
	if (len >= 2 && text[len - 2] == SOH)
		len -= 2;
	else if (len >= 4 && !memcmp(text + len - 4, text + len - 2, 2))
		len -= 2;
	return len;
}

/* The block at @at; returns where the next one starts. */
static size_t message_parse(const uint8_t *mem, size_t len, size_t at,
			    struct message *msg)
{
	size_t limit = len - at < BLOCK_MAX ? len : at + BLOCK_MAX;
	size_t next = at + 8;

	msg->id = word(mem, at);
	msg->text = (const char *)mem + at + 8;
	while (next + 8 <= limit && word(mem, next) != ((msg->id + 1) & ID_MASK))
		next += 8;
	msg->last = next + 8 > limit;
	msg->len = text_len(msg->text, next - at - 8);
	return next;
}

/* Is the log whose first block is at @at that of start @token? */
static bool is_start(const uint8_t *mem, size_t len, size_t at, uint64_t token)
{
	char want[KMSG_TOKEN_LEN + 1];
	struct message msg = { .last = false };

	snprintf(want, sizeof(want), KMSG_TOKEN, (unsigned long long)token);
	for (int i = 0; i < EARLY && !msg.last && at + 16 <= len; i++) {
		at = message_parse(mem, len, at, &msg);
		if (memmem(msg.text, msg.len, want, KMSG_TOKEN_LEN))
			return true;
	}
	return false;
}

static int print_all(const uint8_t *mem, size_t len, size_t at, FILE *out)
{
	struct message msg = { .last = false };
	int count = 0;

	while (!msg.last && at + 16 <= len) {
		at = message_parse(mem, len, at, &msg);
		fprintf(out, "%.*s\n", (int)msg.len, msg.text);
		count++;
	}
	return count;
}

int kmsg_print(const void *memory, size_t len, size_t starts, uint64_t token,
	       FILE *out)
{
	const uint8_t *mem = memory;
	uint64_t first;

	memcpy(&first, BANNER, sizeof(first));
	for (size_t at = 8; at + 16 <= len && at - 8 < starts; at += 8) {
		if (word(mem, at) != first ||
		    memcmp(mem + at, BANNER, strlen(BANNER)))
			continue;
		if (is_start(mem, len, at - 8, token))
			return print_all(mem, len, at - 8, out);
	}
	return 0;
}
