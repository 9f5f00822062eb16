/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * strict.h - libconfuse made strict: read, scan, parse, report.
 *
 * partitions.conf, the plan and topology files are all read through this. The
 * caller's option table says what may be in the file; everything else in it is
 * a mistake: unknown or repeated keys, unknown or repeated sections, a missing
 * title, a list where one value belongs.
 */
#ifndef BOOT_STRICT_H
#define BOOT_STRICT_H

#include <confuse.h>

#include "boot/text/diag.h"
#include "boot/text/scan.h"

#define STRICT_MAX_FILE	(1u << 20)	/* bytes; larger files are refused */

struct strict {
	cfg_t *cfg;
	struct scan *scan;
	char hash[17];		/* FNV-1a of the file's bytes, hexadecimal */
};

/*
 * Parse @path by @opts (libconfuse's table; all values are strings).
 * 0: *@out is filled, strict_free() it. -EINVAL: the mistakes are in @diag.
 * Another -errno: the file cannot be read.
 */
int strict_parse(const char *path, cfg_opt_t *opts, struct strict *out,
		 struct diag *diag);
void strict_free(struct strict *strict);

/* All of @path, malloced; -EFBIG: it is larger than STRICT_MAX_FILE. 0 or -errno. */
int strict_read_file(const char *path, char **text, size_t *len);
/* The hash strict_parse() would compute, into hash[17]. 0 or -errno. */
int strict_hash_file(const char *path, char *hash);

#endif
