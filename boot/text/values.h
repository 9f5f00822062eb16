/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * values.h - typed values out of one section of a file.
 *
 * Everything in the files is a string to libconfuse; these functions turn one
 * key's strings into numbers, sizes, names and paths, and report what is wrong
 * with a value on the line of that value. A key that is not there leaves the
 * result "not given"; whether that is allowed is the caller's business.
 */
#ifndef BOOT_VALUES_H
#define BOOT_VALUES_H

#include <errno.h>

#include "boot/text/strict.h"
#include "boot/text/value.h"

#define VALUES_MAX_CPU	8191	/* the kernel's largest NR_CPUS is 8192 */
#define VALUES_MAX_NODE	1023
#define VALUES_MAX_PATH	4095

/* One section: libconfuse's values and the scan's lines. */
struct values {
	cfg_t *sec;
	const struct scan_section *scan;
	struct diag *diag;
};

/* All return 0, -EINVAL (reported) or -ENOMEM. */
int values_str(const struct values *v, const char *key, struct value_str *out);
int values_strs(const struct values *v, const char *key, struct value_strs *out);
int values_path(const struct values *v, const char *key, struct value_str *out);
int values_size(const struct values *v, const char *key, struct value_num *out);
int values_num(const struct values *v, const char *key, uint64_t max,
	       struct value_num *out);
/* "3" and "0-3"; ranges expanded; a number given twice is a mistake. */
int values_nums(const struct values *v, const char *key, uint64_t max,
		struct value_nums *out);
/*
 * One of @names, which ends with NULL: its index in *@out, which keeps its value when
 * the key is not given.
 */
int values_choice(const struct values *v, const char *key, const char *const *names,
		  int *out);
/* "rw" or "ro", "yes" or "no"; *@out keeps its value when not given. */
int values_mode(const struct values *v, bool *ro);
int values_bool(const struct values *v, const char *key, bool *out);

/* A mistake is reported and the reading goes on; what else went wrong ends it. */
static inline int values_fatal(int err)
{
	return err == -EINVAL ? 0 : err;
}

bool values_given(const struct values *v, const char *key);

/* Name of an image or export. NULL when fine, else what is wrong with it. */
const char *values_name_error(const char *name);
/* Absolute and without "//", "/./", "/../" or "/" at its end; NULL if fine. */
const char *values_path_error(const char *path);

/* The one range "A-B" or "A", numbers 0..@max. 0, -EINVAL or -ERANGE. */
int values_parse_range(const char *s, uint64_t max, uint64_t *first,
		     uint64_t *last);

#endif
