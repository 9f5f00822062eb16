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
	return scan_find_key(v->scan, key);
}

int values_str(const struct values *v, const char *key, struct value_str *out)
{
	const char *s = values_given(v, key) ? cfg_getstr(v->sec, key) : NULL;

	out->line = scan_value_line(v->scan, key, 0);
	out->s = s ? strdup(s) : NULL;
	return s && !out->s ? -ENOMEM : 0;
}

int values_strs(const struct values *v, const char *key, struct value_strs *out)
{
	int i, n = values_given(v, key) ? cfg_size(v->sec, key) : 0;

	out->line = scan_key_line(v->scan, key);
	out->v = calloc(n ? n : 1, sizeof(*out->v));
	if (!out->v)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		out->v[i].s = strdup(cfg_getnstr(v->sec, key, i));
		out->v[i].line = scan_value_line(v->scan, key, i);
		if (!out->v[i].s)
			return -ENOMEM;
		out->n++;
	}
	return 0;
}

int values_path(const struct values *v, const char *key, struct value_str *out)
{
	int err = values_str(v, key, out);
	const char *wrong;

	if (err || !out->s)
		return err;
	wrong = values_path_error(out->s);
	if (!wrong)
		return 0;
	diag_add(v->diag, out->line, "%s \"%s\" %s", key, out->s, wrong);
	return -EINVAL;
}

int values_size(const struct values *v, const char *key, struct value_num *out)
{
	struct value_str str;
	int err = values_str(v, key, &str);

	out->line = str.line;
	if (err || !str.s)
		return err;
	out->given = true;
	err = values_parse_size(str.s, &out->value);
	if (err == -ERANGE)
		diag_add(v->diag, str.line,
			 "%s \"%s\" is more than 64 bits hold; write a size like \"512M\"",
			 key, str.s);
	else if (err)
		diag_add(v->diag, str.line,
			 "%s \"%s\" is not a size; write a number with K, M, G or T, like \"512M\"",
			 key, str.s);
	free(str.s);
	return err ? -EINVAL : 0;
}

int values_num(const struct values *v, const char *key, uint64_t max,
	       struct value_num *out)
{
	struct value_str str;
	int err = values_str(v, key, &str);

	out->line = str.line;
	if (err || !str.s)
		return err;
	out->given = true;
	err = parse_u64(str.s, str.s + strlen(str.s), &out->value);
	if (err || out->value > max) {
		diag_add(v->diag, str.line,
			 "%s \"%s\" is not a number from 0 to %" PRIu64 "; write a plain number",
			 key, str.s, max);
		err = -EINVAL;
	}
	free(str.s);
	return err;
}

static int nums_add(struct value_nums *nums, uint64_t value, int line)
{
	struct value_num *grown;

	grown = realloc(nums->v, (nums->n + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	nums->v = grown;
	nums->v[nums->n++] = (struct value_num){ value, line, true };
	return 0;
}

static int nums_add_range(const struct values *v, const char *key,
			  struct value_nums *nums, uint64_t first,
			  uint64_t last, int line)
{
	int i, err = 0;

	for (; !err && first <= last; first++) {
		for (i = 0; i < nums->n; i++)
			if (nums->v[i].value == first)
				break;
		if (i == nums->n) {
			err = nums_add(nums, first, line);
			continue;
		}
		diag_add(v->diag, line,
			 "%" PRIu64 " is twice in \"%s\"; list it once",
			 first, key);
		return -EINVAL;
	}
	return err;
}

int values_nums(const struct values *v, const char *key, uint64_t max,
		struct value_nums *out)
{
	int i, n = values_given(v, key) ? cfg_size(v->sec, key) : 0;
	int err, bad = 0;

	out->line = scan_key_line(v->scan, key);
	if (!n && values_given(v, key)) {
		diag_add(v->diag, out->line,
			 "\"%s\" is an empty list; list at least one number, or a range like {\"0-3\"}",
			 key);
		return -EINVAL;
	}
	for (i = 0; i < n; i++) {
		const char *s = cfg_getnstr(v->sec, key, i);
		int line = scan_value_line(v->scan, key, i);
		uint64_t first, last;

		err = values_parse_range(s, max, &first, &last);
		if (err) {
			diag_add(v->diag, line,
				 "\"%s\" in \"%s\" is not a number from 0 to %" PRIu64 " or a range like \"0-3\"; write plain numbers",
				 s, key, max);
			bad = -EINVAL;
			continue;
		}
		err = nums_add_range(v, key, out, first, last, line);
		if (err == -ENOMEM)
			return err;
		if (err)
			bad = err;
	}
	return bad;
}

/* "a", "b" or "c" */
static void names_join(const char *const *names, char *buf, size_t len)
{
	size_t used = 0;
	int i;

	for (i = 0; names[i] && used < len; i++)
		used += snprintf(buf + used, len - used, "%s\"%s\"",
				 !i ? "" : names[i + 1] ? ", " : " or ", names[i]);
}

int values_choice(const struct values *v, const char *key, const char *const *names,
		  int *out)
{
	char known[128] = "";
	struct value_str str;
	int i, err = values_str(v, key, &str);

	if (err || !str.s)
		return err;
	for (i = 0; names[i] && strcmp(names[i], str.s); i++)
		;
	if (names[i]) {
		*out = i;
	} else {
		names_join(names, known, sizeof(known));
		diag_add(v->diag, str.line, "%s \"%s\" is unknown; write %s", key,
			 str.s, known);
		err = -EINVAL;
	}
	free(str.s);
	return err;
}

int values_mode(const struct values *v, bool *ro)
{
	static const char *const names[] = { "rw", "ro", NULL };
	int n = *ro, err = values_choice(v, "mode", names, &n);

	*ro = n;
	return err;
}

int values_bool(const struct values *v, const char *key, bool *out)
{
	static const char *const names[] = { "no", "yes", NULL };
	int n = *out, err = values_choice(v, key, names, &n);

	*out = n;
	return err;
}
