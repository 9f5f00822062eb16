/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * values.h - typed values out of one section of a file.
 *
 * Everything in a file is a string to scan.h; these functions turn one key's
 * strings into numbers, sizes, names and paths, and report what is wrong
 * with a value on the line of that value. A key that is not there leaves the
 * result "not given"; whether that is allowed is the caller's business. One that is
 * wrong is given: size 0, number 1, the default, or what is right of a list.
 */
#ifndef BOOT_VALUES_H
#define BOOT_VALUES_H

#include <stdint.h>

#include "boot/text/scan.h"
#include "sharedpc_abi.h"

#define VALUES_MAX_NAME	(SHAREDPC_NAME_MAX - 1)	/* of an image or export */
#define VALUES_MAX_CPU	8191	/* the kernel's largest NR_CPUS is 8192 */
#define VALUES_MAX_NODE	1023
#define VALUES_MAX_PATH	4095

struct value_num {
	uint64_t value;
	int line;
	bool given;
};

struct value_nums {
	struct value_num *v;
	int n;		/* 0: not given */
	int line;	/* of the key */
};

struct value_strs {
	const struct value_str *v;
	int n;
	int line;
};

/* One section. */
struct values {
	struct scan *scan;
	const struct scan_section *sec;
	struct diag *diag;
};

bool values_given(const struct values *v, const char *key);
/* Line of the value of @key, or of the section when it is not there. */
int values_line(const struct values *v, const char *key);

struct value_str values_str(const struct values *v, const char *key);
struct value_strs values_strs(const struct values *v, const char *key);
struct value_str values_path(const struct values *v, const char *key);
/* A multiple of @unit bytes, at least one. */
struct value_num values_size(const struct values *v, const char *key, unsigned int unit);
struct value_num values_num(const struct values *v, const char *key, uint64_t max);
/* "3" and "0-3"; ranges expanded; a number given twice is a mistake. */
struct value_nums values_nums(const struct values *v, const char *key, uint64_t max);
/* The index of one of @names, which ends with NULL; @none when the key is not given. */
int values_choice(const struct values *v, const char *key, const char *const *names,
		  int none);
/* "rw" or "ro", "yes" or "no". */
bool values_ro(const struct values *v, bool none);
bool values_bool(const struct values *v, const char *key, bool none);

/* Name of an image or export. NULL when fine, else what is wrong with it. */
const char *values_name_error(const char *name);
/* Absolute and without "//", "/./", "/../" or "/" at its end; NULL if fine. */
const char *values_path_error(const char *path);

/* The one range "A-B" or "A", numbers 0..@max. 0, -EINVAL or -ERANGE. */
int values_parse_range(const char *s, uint64_t max, uint64_t *first,
		     uint64_t *last);
/*
 * "4096", "64K", "512M", "2G", "1T" (powers of 1024) to bytes.
 * -EINVAL not a size, -ERANGE it does not fit 64 bits.
 */
int values_parse_size(const char *s, uint64_t *bytes);
/* Bytes as the shortest exact size, "512M", into @buf. Returns @buf. */
const char *values_size_str(uint64_t bytes, char *buf, size_t len);

#endif
