/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conf-values.h - typed values out of one section, private to the parsers.
 *
 * Everything in the files is a string to libconfuse; these functions turn one
 * key's strings into numbers, sizes, names and paths, and report what is wrong
 * with a value on the line of that value. A key that is not there leaves the
 * result "not given"; whether that is allowed is the caller's business.
 */
#ifndef BOOT_CONF_VALUES_H
#define BOOT_CONF_VALUES_H

#include "boot/conf/conf.h"
#include "boot/conf/strict.h"

#define CONF_MAX_CPU	8191	/* the kernel's largest NR_CPUS is 8192 */
#define CONF_MAX_NODE	1023
#define CONF_MAX_PATH	4095

/* One section: libconfuse's values and the scan's lines. */
struct values {
	cfg_t *sec;
	const struct scan_section *scan;
	struct diag *diag;
};

/* All return 0, -EINVAL (reported) or -ENOMEM. */
int values_str(const struct values *v, const char *key, struct conf_str *out);
int values_strs(const struct values *v, const char *key, struct conf_strs *out);
int values_path(const struct values *v, const char *key, struct conf_str *out);
int values_size(const struct values *v, const char *key, struct conf_num *out);
int values_num(const struct values *v, const char *key, uint64_t max,
	       struct conf_num *out);
/* "3" and "0-3"; ranges expanded; a number given twice is a mistake. */
int values_nums(const struct values *v, const char *key, uint64_t max,
		struct conf_nums *out);
/* "rw" or "ro"; *@ro keeps its value when not given. */
int values_mode(const struct values *v, bool *ro);

bool values_given(const struct values *v, const char *key);

/* Name of an image or export. NULL when fine, else what is wrong with it. */
const char *conf_name_error(const char *name);
/* Absolute and without "//", "/./", "/../" or "/" at its end; NULL if fine. */
const char *conf_path_error(const char *path);

/* The one range "A-B" or "A", numbers 0..@max. 0, -EINVAL or -ERANGE. */
int conf_parse_range(const char *s, uint64_t max, uint64_t *first,
		     uint64_t *last);

#endif
