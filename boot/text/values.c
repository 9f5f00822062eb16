// SPDX-License-Identifier: GPL-2.0-only
/*
 * values.c - typed values out of one section.
 *
 * Numbers are plain decimal (0x for hexadecimal where addresses are meant),
 * without sign, blanks or trailing characters: strtoull() alone would take
 * "-1" and " 7". Sizes are a number with an optional K, M, G or T.
 */
#include "boot/text/values.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* All of [@s, @end) is one number. 0, -EINVAL or -ERANGE. */
static int parse_u64(const char *s, const char *end, uint64_t *value)
{
	int base = s + 2 < end && s[0] == '0' && s[1] == 'x' ? 16 : 10;
	const char *c = base == 16 ? s + 2 : s;
	char *stop;

	if (c == end || !isxdigit((unsigned char)*c))
		return -EINVAL;
	errno = 0;
	*value = strtoull(c, &stop, base);
	if (stop != end)
		return -EINVAL;
	return errno == ERANGE ? -ERANGE : 0;
}

int values_parse_size(const char *s, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	const char *end = s + strlen(s);
	const char *unit = end == s ? NULL : strchr(units, end[-1]);
	int shift = 0, err;

	if (unit && *unit) {
		shift = 10 * (unit - units + 1);
		end--;
	}
	err = parse_u64(s, end, bytes);
	if (err)
		return err;
	if (*bytes > UINT64_MAX >> shift)
		return -ERANGE;
	*bytes <<= shift;
	return 0;
}

const char *values_size_str(uint64_t bytes, char *buf, size_t len)
{
	static const char units[] = "KMGT";
	int unit = 0;

	while (unit < 4 && bytes && !(bytes & 1023)) {
		bytes >>= 10;
		unit++;
	}
	if (unit)
		snprintf(buf, len, "%" PRIu64 "%c", bytes, units[unit - 1]);
	else
		snprintf(buf, len, "%" PRIu64, bytes);
	return buf;
}

int values_parse_range(const char *s, uint64_t max, uint64_t *first,
		     uint64_t *last)
{
	const char *end = s + strlen(s);
	const char *dash = strchr(s, '-');
	int err;

	err = parse_u64(s, dash ? dash : end, first);
	if (!err && dash)
		err = parse_u64(dash + 1, end, last);
	else if (!err)
		*last = *first;
	if (err)
		return err;
	if (*last < *first)
		return -EINVAL;
	return *last > max ? -ERANGE : 0;
}

const char *values_name_error(const char *name)
{
	size_t len = strlen(name);

	if (!len)
		return "is empty";
	if (len > VALUES_MAX_NAME)
		return "is too long";
	if (name[0] == '-' || name[len - 1] == '-')
		return "begins or ends with \"-\"";
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
		return "has other characters than a-z, 0-9 and \"-\"";
	if (!strcmp(name, "firmware"))
		return "is reserved";
	return NULL;
}

const char *values_path_error(const char *path)
{
	size_t len = strlen(path);

	if (path[0] != '/')
		return "is not absolute; begin it with \"/\"";
	if (len > VALUES_MAX_PATH)
		return "is too long; 4095 bytes are the limit";
	if (len > 1 && path[len - 1] == '/')
		return "ends with \"/\"; remove that";
	if (strstr(path, "//"))
		return "has \"//\"; write a single \"/\"";
	if (strstr(path, "/./") || strstr(path, "/../") ||
	    (len >= 2 && !strcmp(path + len - 2, "/.")) ||
	    (len >= 3 && !strcmp(path + len - 3, "/..")))
		return "has a \".\" or \"..\"; write the path without";
	return NULL;
}

bool values_given(const struct values *v, const char *key)
{
	return scan_find_key(v->sec, key);
}

struct value_strs values_strs(const struct values *v, const char *key)
{
	const struct scan_key *found = scan_find_key(v->sec, key);

	if (!found)
		return (struct value_strs){ .line = v->sec->line };
	return (struct value_strs){ found->values, found->nvalues, found->line };
}

struct value_str values_str(const struct values *v, const char *key)
{
	struct value_strs list = values_strs(v, key);

	return list.n ? list.v[0] : (struct value_str){ .line = list.line };
}

int values_line(const struct values *v, const char *key)
{
	return values_str(v, key).line;
}

struct value_str values_path(const struct values *v, const char *key)
{
	struct value_str str = values_str(v, key);
	const char *wrong = str.s ? values_path_error(str.s) : NULL;

	if (wrong)
		diag_add(v->diag, str.line, "%s \"%s\" %s", key, str.s, wrong);
	return str;
}

/* @num was read from @key, which is to be a multiple of @unit, and more than 0. */
static void check_unit(const struct values *v, const char *key, struct value_num *num,
		       unsigned int unit)
{
	uint64_t down = num->value / unit * unit;
	char what[24], below[24], above[24];

	values_size_str(unit, what, sizeof(what));
	values_size_str(down + unit, above, sizeof(above));
	if (num->value < unit)
		diag_add(v->diag, num->line,
			 "%s of %" PRIu64 " bytes is smaller than %s; give a size like \"512M\"",
			 key, num->value, what);
	else if (num->value != down)
		diag_add(v->diag, num->line,
			 "%s of %" PRIu64 " bytes is not a multiple of %s; the next sizes are \"%s\" and \"%s\"",
			 key, num->value, what,
			 values_size_str(down, below, sizeof(below)), above);
	if (num->value != down)
		num->value = 0;
}

struct value_num values_size(const struct values *v, const char *key, unsigned int unit)
{
	struct value_str str = values_str(v, key);
	struct value_num num = { .line = str.line, .given = str.s };
	int err = str.s ? values_parse_size(str.s, &num.value) : 0;

	if (err == -ERANGE)
		diag_add(v->diag, str.line,
			 "%s \"%s\" is more than 64 bits hold; write a size like \"512M\"",
			 key, str.s);
	else if (err)
		diag_add(v->diag, str.line,
			 "%s \"%s\" is not a size; write a number with K, M, G or T, like \"512M\"",
			 key, str.s);
	else if (str.s)
		check_unit(v, key, &num, unit);
	if (err)
		num.value = 0;
	return num;
}

struct value_num values_num(const struct values *v, const char *key, uint64_t max)
{
	struct value_str str = values_str(v, key);
	struct value_num num = { .line = str.line, .given = str.s };

	if (str.s && (parse_u64(str.s, str.s + strlen(str.s), &num.value) ||
		      num.value > max)) {
		diag_add(v->diag, str.line,
			 "%s \"%s\" is not a number from 0 to %" PRIu64 "; write a plain number",
			 key, str.s, max);
		num.value = 1;
	}
	return num;
}

/* The numbers of a range at the end of those that grow in the pool. */
static void add_range(const struct values *v, const char *key, uint64_t first,
		      uint64_t last, int line)
{
	struct obstack *pool = &v->scan->pool;

	for (; first <= last; first++) {
		const struct value_num *have = obstack_base(pool);
		size_t n = obstack_object_size(pool) / sizeof(*have);
		struct value_num num = { first, line, true };

		for (; n--; have++)
			if (have->value == first) {
				diag_add(v->diag, line,
					 "%" PRIu64 " is twice in \"%s\"; list it once",
					 first, key);
				return;
			}
		obstack_grow(pool, &num, sizeof(num));
	}
}

struct value_nums values_nums(const struct values *v, const char *key, uint64_t max)
{
	struct value_strs list = values_strs(v, key);
	struct value_nums nums = { .line = list.line };
	uint64_t first, last;
	int i;

	if (!list.n && values_given(v, key))
		diag_add(v->diag, nums.line,
			 "\"%s\" is an empty list; list at least one number, or a range like {\"0-3\"}",
			 key);
	for (i = 0; i < list.n; i++) {
		if (!values_parse_range(list.v[i].s, max, &first, &last))
			add_range(v, key, first, last, list.v[i].line);
		else
			diag_add(v->diag, list.v[i].line,
				 "\"%s\" in \"%s\" is not a number from 0 to %" PRIu64 " or a range like \"0-3\"; write plain numbers",
				 list.v[i].s, key, max);
	}
	nums.n = obstack_object_size(&v->scan->pool) / sizeof(*nums.v);
	nums.v = obstack_finish(&v->scan->pool);
	return nums;
}

int values_choice(const struct values *v, const char *key, const char *const *names,
		  int none)
{
	struct value_str str = values_str(v, key);
	char known[128] = "";
	size_t used = 0;
	int i;

	if (!str.s)
		return none;
	for (i = 0; names[i]; i++) {
		if (!strcmp(names[i], str.s))
			return i;
		/* "a", "b" or "c" */
		used += snprintf(known + used, sizeof(known) - used, "%s\"%s\"",
				 !i ? "" : names[i + 1] ? ", " : " or ", names[i]);
	}
	diag_add(v->diag, str.line, "%s \"%s\" is unknown; write %s", key, str.s, known);
	return none;
}

bool values_ro(const struct values *v, bool none)
{
	return values_choice(v, "mode", (const char *const[]){ "rw", "ro", NULL }, none);
}

bool values_bool(const struct values *v, const char *key, bool none)
{
	return values_choice(v, key, (const char *const[]){ "no", "yes", NULL }, none);
}
