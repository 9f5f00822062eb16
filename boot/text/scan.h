/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scan.h - the strict first pass over a file in libconfuse's syntax.
 *
 * libconfuse parses the file, but it is lenient where a partition must not be:
 * it takes an unclosed section, drops characters it does not know, lets the
 * last of two equal keys win, expands ${VARIABLES}, and miscounts lines after
 * a C comment. This pass refuses all that with its line, and remembers on
 * which line each section, key and value stands.
 *
 *	file    = { key | section }
 *	section = WORD [ title ] "{" { key } "}"
 *	key     = WORD "=" ( value | "{" [ value { "," value } [ "," ] ] "}" )
 *	value   = WORD | "string" | 'string'
 *
 * Comments are # and // to the end of the line, and C's. A string ends on the
 * line where it begins; \" and \\ are its only escapes.
 */
#ifndef BOOT_SCAN_H
#define BOOT_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "boot/text/diag.h"

struct scan_key {
	char *name;
	int line;
	bool list;	/* written with braces */
	int *values;	/* line of each value */
	int nvalues;
};

struct scan_section {
	char *kind;	/* "" for the file's top level, always sections[0] */
	char *title;	/* or NULL */
	int line;
	struct scan_key *keys;
	int nkeys;
};

struct scan {
	char *text;	/* the file with comments blanked, same lines */
	struct scan_section *sections;
	int nsections;
};

/*
 * Scan @len bytes at @text. 0 and *@out (scan_free() it), or -EINVAL with the
 * mistakes in @diag.
 */
int scan_text(const char *text, size_t len, struct scan **out,
	      struct diag *diag);
void scan_free(struct scan *scan);

/* The @index'th section of @kind in file order, or NULL. */
const struct scan_section *scan_section(const struct scan *scan,
					const char *kind, int index);
/* Line of @key, or the section's line when it is not there. */
int scan_key_line(const struct scan_section *sec, const char *key);
/* Line of the @index'th value of @key, or scan_key_line(). */
int scan_value_line(const struct scan_section *sec, const char *key, int index);
const struct scan_key *scan_find_key(const struct scan_section *sec,
				     const char *key);

#endif
