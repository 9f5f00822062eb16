// SPDX-License-Identifier: GPL-2.0-only
/*
 * strict.c - libconfuse made strict: read, scan, parse, report.
 *
 * Order: the file is read whole, scanned (scan.h), compared with the option
 * table (unknown, repeated, missing titles: all of them at once), and only then
 * parsed by libconfuse, whose own messages land in the same list.
 *
 * libconfuse's error call-back has no user pointer, hence the one static
 * variable: parsing is not for several threads at a time.
 */
#include "boot/text/strict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct diag *strict_diag;

static void strict_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	diag_vadd(strict_diag, cfg->line, fmt, ap);
}

int strict_read_file(const char *path, char **text, size_t *len)
{
	FILE *in = fopen(path, "re");
	int err = 0;

	if (!in)
		return -errno;
	*text = malloc(STRICT_MAX_FILE + 1);
	if (!*text) {
		err = -ENOMEM;
		goto out_close;
	}
	*len = fread(*text, 1, STRICT_MAX_FILE + 1, in);
	if (ferror(in))
		err = errno ? -errno : -EIO;
	else if (*len > STRICT_MAX_FILE)
		err = -EFBIG;
	if (err)
		free(*text);
out_close:
	fclose(in);
	return err;
}

/* FNV-1a, 64 bits: tells an edited file, no defence against an attacker. */
static void hash_text(const char *text, size_t len, char *hash)
{
	uint64_t sum = 0xcbf29ce484222325ULL;

	while (len--) {
		sum ^= (unsigned char)*text++;
		sum *= 0x100000001b3ULL;
	}
	snprintf(hash, 17, "%016" PRIx64, sum);
}

int strict_hash_file(const char *path, char *hash)
{
	char *text;
	size_t len;
	int err = strict_read_file(path, &text, &len);

	if (err)
		return err;
	hash_text(text, len, hash);
	free(text);
	return 0;
}

static cfg_opt_t *find_opt(cfg_opt_t *opts, const char *name)
{
	for (; opts->name; opts++)
		if (!strcmp(opts->name, name))
			return opts;
	return NULL;
}

/* "size, nodes": what may stand in @opts, sections or keys. */
static void known_names(cfg_opt_t *opts, bool sections, char *buf, size_t len)
{
	size_t used = 0;

	buf[0] = '\0';
	for (; opts->name; opts++) {
		if ((opts->type == CFGT_SEC) != sections || used >= len)
			continue;
		used += snprintf(buf + used, len - used, "%s%s",
				 used ? ", " : "", opts->name);
	}
}

static void check_keys(const struct scan_section *sec, cfg_opt_t *opts,
		       const char *where, struct diag *diag)
{
	char known[256];
	int i, j;

	for (i = 0; i < sec->nkeys; i++) {
		const struct scan_key *key = &sec->keys[i];
		cfg_opt_t *opt = find_opt(opts, key->name);

		for (j = 0; j < i; j++)
			if (!strcmp(sec->keys[j].name, key->name))
				break;
		if (j < i) {
			diag_add(diag, key->line,
				 "duplicate key \"%s\", already given on line %d; keep one of them",
				 key->name, sec->keys[j].line);
			continue;
		}
		if (!opt || opt->type == CFGT_SEC) {
			known_names(opts, false, known, sizeof(known));
			diag_add(diag, key->line, "unknown key \"%s\" in %s; %s%s",
				 key->name, where,
				 known[0] ? "known keys are " : "keys belong inside a section",
				 known);
			continue;
		}
		if (key->list && !(opt->flags & CFGF_LIST))
			diag_add(diag, key->line,
				 "\"%s\" is a list; it takes one value, write it without braces",
				 key->name);
	}
}

static void check_section(const struct scan *scan, int index, cfg_opt_t *opts,
			  struct diag *diag)
{
	const struct scan_section *sec = &scan->sections[index];
	cfg_opt_t *opt = find_opt(opts, sec->kind);
	char known[256];
	int i;

	if (!opt || opt->type != CFGT_SEC) {
		known_names(opts, true, known, sizeof(known));
		diag_add(diag, sec->line,
			 "unknown section \"%s\"; known sections are %s",
			 sec->kind, known);
		return;
	}
	if ((opt->flags & CFGF_TITLE) && !sec->title)
		diag_add(diag, sec->line, "\"%s\" has no name; write %s NAME {",
			 sec->kind, sec->kind);
	if (!(opt->flags & CFGF_TITLE) && sec->title)
		diag_add(diag, sec->line,
			 "\"%s\" takes no name, found \"%s\"; write %s {",
			 sec->kind, sec->title, sec->kind);
	for (i = 0; i < index; i++) {
		const struct scan_section *other = &scan->sections[i];

		if (strcmp(other->kind, sec->kind))
			continue;
		if (!(opt->flags & CFGF_MULTI))
			break;
		if (sec->title && other->title &&
		    !strcmp(sec->title, other->title))
			break;
	}
	if (i < index)
		diag_add(diag, sec->line,
			 "duplicate %s%s%s%s, already given on line %d; %s",
			 sec->kind, sec->title ? " \"" : "",
			 sec->title ? sec->title : "", sec->title ? "\"" : "",
			 scan->sections[i].line,
			 opt->flags & CFGF_TITLE ? "choose another name" :
			 "keep one of them");
	check_keys(sec, opt->subopts, sec->kind, diag);
}

static int check_scan(const struct scan *scan, cfg_opt_t *opts,
		      struct diag *diag)
{
	int i, before = diag->count;

	check_keys(&scan->sections[0], opts, "the file outside of sections",
		   diag);
	for (i = 1; i < scan->nsections; i++)
		check_section(scan, i, opts, diag);
	return diag->count == before ? 0 : -EINVAL;
}

static int parse_text(struct strict *out, cfg_opt_t *opts, struct diag *diag)
{
	int before = diag->count;

	out->cfg = cfg_init(opts, CFGF_NONE);
	if (!out->cfg)
		return -ENOMEM;
	strict_diag = diag;
	cfg_set_error_function(out->cfg, strict_error);
	if (!cfg_parse_buf(out->cfg, out->scan->text) && diag->count == before)
		return 0;
	if (diag->count == before)
		diag_add(diag, out->cfg->line,
			 "syntax error; see partitions.conf(5)");
	return -EINVAL;
}

int strict_parse(const char *path, cfg_opt_t *opts, struct strict *out,
		 struct diag *diag)
{
	char *text;
	size_t len;
	int err;

	memset(out, 0, sizeof(*out));
	err = strict_read_file(path, &text, &len);
	if (err)
		return err;
	hash_text(text, len, out->hash);
	err = scan_text(text, len, &out->scan, diag);
	free(text);
	if (!err)
		err = check_scan(out->scan, opts, diag);
	if (!err)
		err = parse_text(out, opts, diag);
	if (err)
		strict_free(out);
	return err;
}

void strict_free(struct strict *strict)
{
	if (strict->cfg)
		cfg_free(strict->cfg);
	scan_free(strict->scan);
	strict->cfg = NULL;
	strict->scan = NULL;
}
