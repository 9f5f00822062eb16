/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * value.h - a value of a file, with the line that it came from
 *
 * The line is for the messages of whoever looks at it later.
 */
#ifndef BOOT_VALUE_H
#define BOOT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sharedpc_abi.h"

#define VALUES_MAX_NAME	(SHAREDPC_NAME_MAX - 1)	/* of an image or export */

struct value_str {
	const char *s;	/* NULL: not given and no default */
	int line;	/* of the value; of the section when not given */
};

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

/*
 * "4096", "64K", "512M", "2G", "1T" (powers of 1024) to bytes.
 * -EINVAL not a size, -ERANGE it does not fit 64 bits.
 */
int values_parse_size(const char *s, uint64_t *bytes);
/* Bytes as the shortest exact size, "512M", into @buf. Returns @buf. */
const char *values_size_str(uint64_t bytes, char *buf, size_t len);

#endif
