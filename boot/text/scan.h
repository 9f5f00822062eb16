/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scan.h - the language of partitions.conf.
 *
 *	file    = { key | section }
 *	section = WORD [ title ] "{" { key } "}"
 *	key     = WORD "=" ( value | "{" [ value { "," value } [ "," ] ] "}" )
 *	value   = WORD | "string" | 'string'
 *
 * Comments are # and // to the end of the line, and C's. A string is UTF-8 and ends on
 * the line where it begins; \" and \\ are its only escapes. Nothing is guessed, and
 * every section, key and value has its line. The caller's rules say what may be in the
 * file; everything else in it is a mistake: unknown or repeated keys and sections, a
 * missing title, a list where one value belongs.
 *
 * What is read lives as long as the struct scan; being out of memory ends the program,
 * as in diag.h.
 */
#ifndef BOOT_SCAN_H
#define BOOT_SCAN_H

#include <obstack.h>
#include <stdbool.h>
#include <stddef.h>

#include "boot/text/diag.h"

#define SCAN_MAX_FILE	(1u << 20)	/* bytes; larger files are refused */

/* A value, with the line that it came from: for the messages of whoever looks at it. */
struct value_str {
	const char *s;	/* NULL: not given and no default */
	int line;	/* of the value; of the section when not given */
};

/* A kind of section. The last rule of a file has no kind. */
struct scan_rule {
	const char *kind;
	bool title;		/* it has one, or else none */
	bool multi;		/* there may be several */
	const char *keys;	/* with one value: "size, mode" */
	const char *lists;	/* with any number */
};

struct scan_key {
	struct scan_key *next;
	const char *name;
	int line;
	bool list;		/* written with braces */
	struct value_str *values;
	int nvalues;
};

struct scan_section {
	struct scan_section *next;
	const struct scan_rule *rule;	/* NULL: the file's top level */
	const char *kind;
	const char *title;		/* or NULL */
	int line;
	struct scan_key *keys;
};

struct scan {
	char *text;
	struct obstack pool;
	struct scan_section top;
	char hash[17];		/* FNV-1a of the file's bytes, hexadecimal */
};

/*
 * Read @path. 0 and *@out (scan_free() it), -EINVAL with the mistakes in @diag, or
 * another -errno when it cannot be read.
 */
int scan_file(const char *path, const struct scan_rule *rules, struct scan **out,
	      struct diag *diag);
void scan_free(struct scan *scan);
/* The hash that scan_file() would compute, into hash[17]. 0 or -errno. */
int scan_hash_file(const char *path, char *hash);

/* The @index'th section of @kind in file order, or NULL. */
const struct scan_section *scan_section(const struct scan *scan, const char *kind,
					int index);
const struct scan_key *scan_find_key(const struct scan_section *sec, const char *name);

#endif
