// SPDX-License-Identifier: GPL-2.0-only
/*
 * scan.c - the language of partitions.conf, see scan.h
 *
 * Two passes over the text. In the first all tokens are looked at, and every mistake in
 * characters and strings is found; if there is none, the second goes by the grammar.
 * The first structural mistake ends that, as what follows would only be its echo.
 * Words and strings stay in the text and end with a NUL once the next token is known.
 */
#include "boot/text/scan.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "boot/text/slurp.h"

#define obstack_chunk_alloc	malloc
#define obstack_chunk_free	free

#define WORD	'w'
#define STRING	's'
#define END	'\0'

struct token {
	char type;	/* WORD, STRING, END, or one of { } = , */
	int line;
	char *text;
	size_t len;
};

struct lexer {
	char *at;
	int line;
	struct diag *diag;
};

static void lexer_block_comment(struct lexer *lex)
{
	char *end = strstr(lex->at + 2, "*/");

	if (!end)
		diag_add(lex->diag, lex->line, "comment is never closed; add \"*/\"");
	end = end ? end + 2 : lex->at + strlen(lex->at);
	for (; lex->at < end; lex->at++)
		lex->line += *lex->at == '\n';
}

static void lexer_skip(struct lexer *lex)
{
	for (;; lex->at += strspn(lex->at, " \t")) {
		if (*lex->at == '#' || !strncmp(lex->at, "//", 2))
			lex->at += strcspn(lex->at, "\n");
		if (!strncmp(lex->at, "/*", 2)) {
			lexer_block_comment(lex);
		} else if (*lex->at == '\n') {
			lex->line++;
			lex->at++;
		} else if (*lex->at != ' ' && *lex->at != '\t') {
			return;
		}
	}
}

/* One character inside a string. Returns how many bytes it takes. */
static size_t lexer_string_char(struct lexer *lex, char quote)
{
	const char *c = lex->at;

	if (c[0] == '\\') {
		if (c[1] == '\\' || c[1] == quote)
			return 2;
		diag_add(lex->diag, lex->line,
			 "\"\\\" in a string; write \"\\\\\" for a backslash, \"\\%c\" for a quote, nothing else is escaped",
			 quote);
	} else if (quote == '"' && c[0] == '$' && c[1] == '{') {
		diag_add(lex->diag, lex->line,
			 "\"${\" in a string; variables are not expanded here, write the value itself");
	} else if ((unsigned char)c[0] < ' ' || c[0] == 0x7f) {
		diag_add(lex->diag, lex->line,
			 "control character 0x%02x in a string; only printable characters are allowed",
			 (unsigned char)c[0]);
	}
	return 1;
}

static void lexer_string(struct lexer *lex, struct token *token)
{
	char quote = *lex->at++;
	json_t *utf8;

	token->type = STRING;
	token->text = lex->at;
	while (*lex->at && *lex->at != '\n' && *lex->at != quote)
		lex->at += lexer_string_char(lex, quote);
	token->len = lex->at - token->text;
	/* The plan, in JSON, has no other text. */
	utf8 = json_stringn(token->text, token->len);
	if (!utf8)
		diag_add(lex->diag, lex->line, "string is not UTF-8; write it in that");
	json_decref(utf8);
	if (*lex->at == quote)
		lex->at++;
	else
		diag_add(lex->diag, lex->line,
			 "string is not closed; add %c before the end of the line",
			 quote);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_-./:", c));
}

static void lexer_word(struct lexer *lex, struct token *token)
{
	char *c = lex->at;

	while (is_word(*c) && strncmp(c, "//", 2) && strncmp(c, "/*", 2))
		c++;
	token->type = WORD;
	token->len = c - token->text;
	if (*c && strchr("#/\"'", *c))
		diag_add(lex->diag, lex->line,
			 "\"%.*s\" and \"%c\" touch; put the value in quotes or a space between them",
			 (int)token->len, token->text, *c);
	lex->at = c;
}

static void lexer_stray(struct lexer *lex)
{
	unsigned char c = *lex->at++;

	if (c == '\r')
		diag_add(lex->diag, lex->line,
			 "carriage return; save the file with Unix line ends");
	else if (c == '+' && *lex->at == '=')
		diag_add(lex->diag, lex->line,
			 "\"+=\" is not supported; give the whole value once with \"=\"");
	else if (c < ' ' || c >= 0x7f)
		diag_add(lex->diag, lex->line,
			 "byte 0x%02x outside of a string; only printable ASCII is allowed here",
			 c);
	else
		diag_add(lex->diag, lex->line,
			 "\"%c\" outside of a string; put the value in quotes",
			 c);
}

static struct token lexer_next(struct lexer *lex)
{
	struct token token;

	for (;;) {
		lexer_skip(lex);
		token = (struct token){ *lex->at, lex->line, lex->at, 1 };
		if (token.type == END) {
			token.text = "the end of the file";
			token.len = strlen(token.text);
			return token;
		}
		if (token.type == '"' || token.type == '\'')
			lexer_string(lex, &token);
		else if (strchr("{}=,", token.type))
			lex->at++;
		else if (is_word(token.type))
			lexer_word(lex, &token);
		else {
			lexer_stray(lex);
			continue;
		}
		return token;
	}
}

struct parser {
	struct lexer lex;
	struct token now, next;
	const struct scan_rule *rules;
	struct scan *scan;
	struct scan_section *sec;	/* where we are */
	struct diag *diag;
};

static bool is_value(const struct token *token)
{
	return token->type == WORD || token->type == STRING;
}

/* A string without the escapes in it. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; *to++ = *s++)
		s += *s == '\\';
	*to = '\0';
}

static void advance(struct parser *p)
{
	p->now = p->next;
	p->next = lexer_next(&p->lex);
	if (is_value(&p->now))
		p->now.text[p->now.len] = '\0';
	if (p->now.type == STRING)
		unescape(p->now.text);
}

/* Is @name one of @list, "a, b"? */
static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (; *list; list += strcspn(list, ","), list += strspn(list, ", "))
		if (!strncmp(list, name, len) && (!list[len] || list[len] == ','))
			return true;
	return false;
}

static void check_key(struct parser *p, const struct scan_key *key)
{
	const struct scan_key *other = scan_find_key(p->sec, key->name);
	const struct scan_rule *rule = p->sec->rule;

	if (other)
		diag_add(p->diag, key->line,
			 "duplicate key \"%s\", already given on line %d; keep one of them",
			 key->name, other->line);
	else if (!rule)
		diag_add(p->diag, key->line,
			 "unknown key \"%s\" in the file outside of sections; keys belong inside a section",
			 key->name);
	else if (!rule->kind)
		;	/* which was said */
	else if (!listed(rule->keys, key->name) && !listed(rule->lists, key->name))
		diag_add(p->diag, key->line,
			 "unknown key \"%s\" in %s; known keys are %s, %s",
			 key->name, rule->kind, rule->keys, rule->lists);
	else if (key->list && !listed(rule->lists, key->name))
		diag_add(p->diag, key->line,
			 "\"%s\" is a list; it takes one value, write it without braces",
			 key->name);
}

static void parse_value(struct parser *p)
{
	struct value_str value = { p->now.text, p->now.line };

	obstack_grow(&p->scan->pool, &value, sizeof(value));
	advance(p);
}

/* After "key = {", up to the closing brace. */
static int parse_list(struct parser *p, const struct scan_key *key)
{
	while (p->now.type != '}') {
		if (!is_value(&p->now) || p->next.type == '=')
			return diag_add(p->diag, p->now.line,
				"\"%.*s\" inside the list \"%s\" begun on line %d; close the list with \"}\" before it",
				(int)p->now.len, p->now.text, key->name, key->line);
		parse_value(p);
		if (p->now.type == ',')
			advance(p);
		else if (is_value(&p->now) && p->next.type != '=')
			return diag_add(p->diag, p->now.line,
				"\"%s\" follows a value in the list \"%s\"; put \",\" between values",
				p->now.text, key->name);
	}
	advance(p);
	return 0;
}

/* At the "=" behind @name. */
static int parse_key(struct parser *p, const struct token *name)
{
	struct scan_key *key = obstack_alloc(&p->scan->pool, sizeof(*key)), **end;
	int err = 0;

	advance(p);
	*key = (struct scan_key){ .name = name->text, .line = name->line,
				  .list = p->now.type == '{' };
	if (key->list) {
		advance(p);
		err = parse_list(p, key);
	} else if (!is_value(&p->now) || p->next.type == '=') {
		err = diag_add(p->diag, name->line, "\"%s\" has no value; write %s = \"...\"",
			       name->text, name->text);
	} else {
		parse_value(p);
	}
	key->nvalues = obstack_object_size(&p->scan->pool) / sizeof(*key->values);
	key->values = obstack_finish(&p->scan->pool);
	if (err)
		return err;
	check_key(p, key);
	for (end = &p->sec->keys; *end; end = &(*end)->next)
		;
	*end = key;
	return 0;
}

/* The rule for sections called @kind; the last if there is none. */
static const struct scan_rule *find_rule(const struct parser *p, const struct token *kind)
{
	const struct scan_rule *rule = p->rules;
	char known[256] = "";
	size_t used = 0;

	for (; rule->kind; rule++) {
		if (!strcmp(rule->kind, kind->text))
			return rule;
		used += snprintf(known + used, sizeof(known) - used, "%s%s",
				 used ? ", " : "", rule->kind);
	}
	diag_add(p->diag, kind->line, "unknown section \"%s\"; known sections are %s",
		 kind->text, known);
	return rule;
}

static void check_section(struct parser *p, const struct scan_section *sec)
{
	const struct scan_rule *rule = sec->rule;
	const struct scan_section *other = &p->scan->top;

	if (rule->title && !sec->title)
		diag_add(p->diag, sec->line, "\"%s\" has no name; write %s NAME {",
			 rule->kind, rule->kind);
	if (!rule->title && sec->title)
		diag_add(p->diag, sec->line,
			 "\"%s\" takes no name, found \"%s\"; write %s {",
			 rule->kind, sec->title, rule->kind);
	while ((other = other->next))
		if (other->rule == rule &&
		    (!rule->multi || (sec->title && other->title &&
				      !strcmp(sec->title, other->title))))
			break;
	if (other)
		diag_add(p->diag, sec->line,
			 "duplicate %s%s%s%s, already given on line %d; %s",
			 rule->kind, sec->title ? " \"" : "",
			 sec->title ? sec->title : "", sec->title ? "\"" : "",
			 other->line, rule->title ? "choose another name" :
						    "keep one of them");
}

/* At the "{" behind @kind and @title. */
static int parse_section(struct parser *p, const struct token *kind, const char *title)
{
	struct scan_section *sec = obstack_alloc(&p->scan->pool, sizeof(*sec)), *last;

	*sec = (struct scan_section){ .kind = kind->text, .title = title,
				      .line = kind->line };
	if (p->sec != &p->scan->top)
		return diag_add(p->diag, kind->line,
			"\"%s\" begins inside the section \"%s\" of line %d; close that with \"}\" first",
			kind->text, p->sec->kind, p->sec->line);
	sec->rule = find_rule(p, kind);
	if (sec->rule->kind)
		check_section(p, sec);
	for (last = &p->scan->top; last->next; last = last->next)
		;
	last->next = sec;
	p->sec = sec;
	advance(p);
	return 0;
}

static int parse_step(struct parser *p)
{
	struct token name = p->now;
	const char *title = NULL;

	advance(p);
	if (name.type == '}' && p->sec != &p->scan->top) {
		p->sec = &p->scan->top;
		return 0;
	}
	if (name.type == '}')
		return diag_add(p->diag, name.line,
			"\"}\" closes nothing; remove it, or add the \"{\" it belongs to");
	if (name.type == WORD && p->now.type == '=')
		return parse_key(p, &name);
	if (name.type == WORD && is_value(&p->now)) {
		title = p->now.text;
		advance(p);
	}
	if (name.type == WORD && p->now.type == '{')
		return parse_section(p, &name, title);
	return diag_add(p->diag, name.line,
		"\"%.*s\" is neither \"key = value\" nor \"section {\"; check for a missing \"=\", \"{\" or quote",
		(int)name.len, name.text);
}

static int parse(struct parser *p)
{
	struct lexer first = p->lex;
	int err = 0, before = p->diag->count;

	while (lexer_next(&first).type != END)
		;
	if (p->diag->count != before)
		return -EINVAL;
	p->sec = &p->scan->top;
	p->next = lexer_next(&p->lex);
	advance(p);
	while (!err && p->now.type != END)
		err = parse_step(p);
	if (!err && p->sec != &p->scan->top)
		diag_add(p->diag, p->sec->line, "section \"%s\" is never closed; add \"}\"",
			 p->sec->kind);
	return p->diag->count == before ? 0 : -EINVAL;
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

int scan_hash_file(const char *path, char *hash)
{
	char *text;
	size_t len;
	int err = slurp_file(path, SCAN_MAX_FILE, &text, &len);

	if (err)
		return err;
	hash_text(text, len, hash);
	free(text);
	return 0;
}

int scan_file(const char *path, const struct scan_rule *rules, struct scan **out,
	      struct diag *diag)
{
	struct parser p = { .rules = rules, .diag = diag };
	char *text;
	size_t len;
	int err = slurp_file(path, SCAN_MAX_FILE, &text, &len);

	if (err)
		return err;
	p.scan = calloc(1, sizeof(*p.scan));
	if (!p.scan) {
		free(text);
		return -ENOMEM;
	}
	obstack_init(&p.scan->pool);
	p.scan->text = text;
	p.scan->top.line = 1;
	hash_text(text, len, p.scan->hash);
	p.lex = (struct lexer){ text, 1, diag };
	if (strlen(text) < len) {
		for (; *p.lex.at; p.lex.at++)
			p.lex.line += *p.lex.at == '\n';
		err = diag_add(diag, p.lex.line, "byte 0x00; this is not a text file");
	} else {
		err = parse(&p);
	}
	if (err)
		scan_free(p.scan);
	else
		*out = p.scan;
	return err;
}

void scan_free(struct scan *scan)
{
	if (!scan)
		return;
	obstack_free(&scan->pool, NULL);
	free(scan->text);
	free(scan);
}

const struct scan_section *scan_section(const struct scan *scan, const char *kind,
					int index)
{
	const struct scan_section *sec = scan->top.next;

	for (; sec; sec = sec->next)
		if (!strcmp(sec->kind, kind) && !index--)
			return sec;
	return NULL;
}

const struct scan_key *scan_find_key(const struct scan_section *sec, const char *name)
{
	const struct scan_key *key = sec->keys;

	while (key && strcmp(key->name, name))
		key = key->next;
	return key;
}
