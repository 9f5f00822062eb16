// SPDX-License-Identifier: GPL-2.0-only
/*
 * scan.c - the strict first pass over a file in libconfuse's syntax.
 *
 * Two steps: the text becomes an array of tokens (here mistakes in characters
 * and strings are found), then the tokens are walked by the grammar in scan.h
 * (braces, missing values). The first structural mistake ends the walk, as
 * what follows it would only be its echo.
 */
#include "boot/text/scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum token_type {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_SIGN,	/* one of { } = , */
};

struct token {
	enum token_type type;
	int line;
	char *text;
};

struct lexer {
	const char *in;		/* NUL-terminated copy of the file */
	size_t pos;
	int line;
	char *clean;		/* what libconfuse gets to see */
	struct token *tokens;
	int count;
	struct diag *diag;
};

static int lexer_push(struct lexer *lex, enum token_type type, size_t start,
		      size_t len)
{
	struct token *grown;
	char *text;

	grown = realloc(lex->tokens, (lex->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	lex->tokens = grown;
	text = strndup(lex->in + start, len);
	if (!text)
		return -ENOMEM;
	lex->tokens[lex->count++] = (struct token){ type, lex->line, text };
	return 0;
}

static void lexer_blank(struct lexer *lex, size_t start, size_t end)
{
	for (; start < end; start++)
		if (lex->clean[start] != '\n')
			lex->clean[start] = ' ';
}

/* At # or //: up to, not including, the end of the line. */
static void lexer_line_comment(struct lexer *lex)
{
	size_t start = lex->pos;

	lex->pos += strcspn(lex->in + lex->pos, "\n");
	lexer_blank(lex, start, lex->pos);
}

static void lexer_block_comment(struct lexer *lex)
{
	size_t start = lex->pos;
	const char *end = strstr(lex->in + start + 2, "*/");
	int line = lex->line;

	if (!end) {
		diag_add(lex->diag, line,
			 "comment is never closed; add \"*/\"");
		lex->pos += strlen(lex->in + start);
	} else {
		lex->pos = end + 2 - lex->in;
	}
	lexer_blank(lex, start, lex->pos);
	for (; start < lex->pos; start++)
		lex->line += lex->in[start] == '\n';
}

/* One character inside a string. Returns how many bytes it takes. */
static size_t lexer_string_char(struct lexer *lex, char quote)
{
	const char *c = lex->in + lex->pos;

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

static int lexer_string(struct lexer *lex)
{
	char quote = lex->in[lex->pos];
	size_t start = ++lex->pos;

	while (lex->in[lex->pos] && lex->in[lex->pos] != '\n') {
		if (lex->in[lex->pos] == quote) {
			lex->pos++;
			return lexer_push(lex, TOKEN_STRING, start,
					  lex->pos - 1 - start);
		}
		lex->pos += lexer_string_char(lex, quote);
	}
	diag_add(lex->diag, lex->line,
		 "string is not closed; add %c before the end of the line",
		 quote);
	return lexer_push(lex, TOKEN_STRING, start, lex->pos - start);
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_-./:", c));
}

static int lexer_word(struct lexer *lex)
{
	const char *word = lex->in + lex->pos;
	size_t start = lex->pos, len = 0;

	while (is_word(word[len]) && strncmp(word + len, "//", 2) &&
	       strncmp(word + len, "/*", 2))
		len++;
	if (word[len] && strchr("#/\"'", word[len]))
		diag_add(lex->diag, lex->line,
			 "\"%.*s\" and \"%c\" touch; put the value in quotes or a space between them",
			 (int)len, word, word[len]);
	lex->pos += len;
	return lexer_push(lex, TOKEN_WORD, start, len);
}

static void lexer_stray(struct lexer *lex)
{
	unsigned char c = lex->in[lex->pos++];

	if (c == '\r')
		diag_add(lex->diag, lex->line,
			 "carriage return; save the file with Unix line ends");
	else if (c == '+' && lex->in[lex->pos] == '=')
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

static int lexer_step(struct lexer *lex)
{
	const char *c = lex->in + lex->pos;

	if (*c == '\n') {
		lex->line++;
		lex->pos++;
	} else if (*c == ' ' || *c == '\t') {
		lex->pos++;
	} else if (*c == '#' || !strncmp(c, "//", 2)) {
		lexer_line_comment(lex);
	} else if (!strncmp(c, "/*", 2)) {
		lexer_block_comment(lex);
	} else if (*c == '"' || *c == '\'') {
		return lexer_string(lex);
	} else if (strchr("{}=,", *c)) {
		lex->pos++;
		return lexer_push(lex, TOKEN_SIGN, lex->pos - 1, 1);
	} else if (is_word(*c)) {
		return lexer_word(lex);
	} else {
		lexer_stray(lex);
	}
	return 0;
}

static int lexer_run(struct lexer *lex)
{
	int err = 0;

	while (!err && lex->in[lex->pos])
		err = lexer_step(lex);
	if (err)
		return err;
	return lexer_push(lex, TOKEN_END, lex->pos, 0);
}

static void lexer_free(struct lexer *lex)
{
	int i;

	for (i = 0; i < lex->count; i++)
		free(lex->tokens[i].text);
	free(lex->tokens);
}

/* The walk over the tokens. @at is the next one. */
struct walk {
	const struct token *at;
	struct scan *scan;
	int cur;		/* index of the section we are in */
	struct diag *diag;
};

static bool is_sign(const struct token *token, char sign)
{
	return token->type == TOKEN_SIGN && token->text[0] == sign;
}

static bool is_value(const struct token *token)
{
	return token->type == TOKEN_WORD || token->type == TOKEN_STRING;
}

static const char *token_name(const struct token *token)
{
	return token->type == TOKEN_END ? "the end of the file" : token->text;
}

static int walk_error(struct walk *walk, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int walk_error(struct walk *walk, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_vadd(walk->diag, line, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int scan_add_section(struct scan *scan, const char *kind,
			    const char *title, int line)
{
	size_t bytes = (scan->nsections + 1) * sizeof(*scan->sections);
	struct scan_section *sec = realloc(scan->sections, bytes);

	if (!sec)
		return -ENOMEM;
	scan->sections = sec;
	sec += scan->nsections++;
	memset(sec, 0, sizeof(*sec));
	sec->line = line;
	sec->kind = strdup(kind);
	if (title)
		sec->title = strdup(title);
	return sec->kind && (sec->title || !title) ? 0 : -ENOMEM;
}

static struct scan_key *scan_add_key(struct scan_section *sec,
				     const struct token *name)
{
	size_t bytes = (sec->nkeys + 1) * sizeof(*sec->keys);
	struct scan_key *key = realloc(sec->keys, bytes);

	if (!key)
		return NULL;
	sec->keys = key;
	key += sec->nkeys++;
	memset(key, 0, sizeof(*key));
	key->line = name->line;
	key->name = strdup(name->text);
	return key->name ? key : NULL;
}

static int walk_value(struct walk *walk, struct scan_key *key)
{
	size_t bytes = (key->nvalues + 1) * sizeof(*key->values);
	int *grown = realloc(key->values, bytes);

	if (!grown)
		return -ENOMEM;
	key->values = grown;
	key->values[key->nvalues++] = walk->at->line;
	walk->at++;
	return 0;
}

/* After "key = {", up to the closing brace. */
static int walk_list(struct walk *walk, struct scan_key *key)
{
	int err;

	key->list = true;
	while (!is_sign(walk->at, '}')) {
		if (!is_value(walk->at) || is_sign(walk->at + 1, '='))
			return walk_error(walk, walk->at->line,
				"\"%s\" inside the list \"%s\" begun on line %d; close the list with \"}\" before it",
				token_name(walk->at), key->name, key->line);
		err = walk_value(walk, key);
		if (err)
			return err;
		if (is_sign(walk->at, ','))
			walk->at++;
		else if (is_value(walk->at) && !is_sign(walk->at + 1, '='))
			return walk_error(walk, walk->at->line,
				"\"%s\" follows a value in the list \"%s\"; put \",\" between values",
				walk->at->text, key->name);
	}
	walk->at++;
	return 0;
}

static int walk_key(struct walk *walk)
{
	const struct token *name = walk->at;
	struct scan_key *key;

	key = scan_add_key(&walk->scan->sections[walk->cur], name);
	if (!key)
		return -ENOMEM;
	walk->at += 2;
	if (is_sign(walk->at, '{')) {
		walk->at++;
		return walk_list(walk, key);
	}
	if (!is_value(walk->at) || is_sign(walk->at + 1, '='))
		return walk_error(walk, name->line,
				  "\"%s\" has no value; write %s = \"...\"",
				  name->text, name->text);
	return walk_value(walk, key);
}

static int walk_section(struct walk *walk)
{
	const struct token *kind = walk->at++;
	const char *title = NULL;
	int err;

	if (is_value(walk->at))
		title = (walk->at++)->text;
	if (walk->cur)
		return walk_error(walk, kind->line,
			"\"%s\" begins inside the section \"%s\" of line %d; close that with \"}\" first",
			kind->text, walk->scan->sections[walk->cur].kind,
			walk->scan->sections[walk->cur].line);
	err = scan_add_section(walk->scan, kind->text, title, kind->line);
	if (err)
		return err;
	walk->cur = walk->scan->nsections - 1;
	walk->at++;
	return 0;
}

static int walk_step(struct walk *walk)
{
	const struct token *at = walk->at;

	if (at->type == TOKEN_WORD && is_sign(at + 1, '='))
		return walk_key(walk);
	if (at->type == TOKEN_WORD &&
	    (is_sign(at + 1, '{') ||
	     (is_value(at + 1) && is_sign(at + 2, '{'))))
		return walk_section(walk);
	if (is_sign(at, '}') && walk->cur) {
		walk->cur = 0;
		walk->at++;
		return 0;
	}
	if (is_sign(at, '}'))
		return walk_error(walk, at->line,
			"\"}\" closes nothing; remove it, or add the \"{\" it belongs to");
	return walk_error(walk, at->line,
		"\"%s\" is neither \"key = value\" nor \"section {\"; check for a missing \"=\", \"{\" or quote",
		at->text);
}

static int walk_run(struct walk *walk)
{
	const struct scan_section *sec;
	int err = scan_add_section(walk->scan, "", NULL, 1);

	while (!err && walk->at->type != TOKEN_END)
		err = walk_step(walk);
	if (err)
		return err;
	sec = &walk->scan->sections[walk->cur];
	if (walk->cur)
		return walk_error(walk, sec->line,
				  "section \"%s\" is never closed; add \"}\"",
				  sec->kind);
	return 0;
}

int scan_text(const char *text, size_t len, struct scan **out,
	      struct diag *diag)
{
	struct scan *scan = calloc(1, sizeof(*scan));
	struct lexer lex = { .line = 1, .diag = diag };
	struct walk walk = { .scan = scan, .diag = diag };
	int err = -ENOMEM, before = diag->count;
	size_t i;

	if (!scan)
		return -ENOMEM;
	scan->text = strndup(text, len);
	lex.in = strndup(text, len);
	if (!scan->text || !lex.in)
		goto out_free;
	lex.clean = scan->text;
	i = strlen(lex.in);
	if (i < len) {
		for (err = 1; i--; )
			err += text[i] == '\n';
		diag_add(diag, err, "byte 0x00; this is not a text file");
		err = -EINVAL;
		goto out_free;
	}
	err = lexer_run(&lex);
	walk.at = lex.tokens;
	if (!err && diag->count == before)
		err = walk_run(&walk);
	if (!err && diag->count != before)
		err = -EINVAL;
out_free:
	lexer_free(&lex);
	free((char *)lex.in);
	if (err)
		scan_free(scan);
	else
		*out = scan;
	return err;
}

void scan_free(struct scan *scan)
{
	int i, j;

	if (!scan)
		return;
	for (i = 0; i < scan->nsections; i++) {
		struct scan_section *sec = &scan->sections[i];

		for (j = 0; j < sec->nkeys; j++) {
			free(sec->keys[j].name);
			free(sec->keys[j].values);
		}
		free(sec->keys);
		free(sec->kind);
		free(sec->title);
	}
	free(scan->sections);
	free(scan->text);
	free(scan);
}

const struct scan_section *scan_section(const struct scan *scan,
					const char *kind, int index)
{
	int i;

	for (i = 0; i < scan->nsections; i++)
		if (!strcmp(scan->sections[i].kind, kind) && !index--)
			return &scan->sections[i];
	return NULL;
}

const struct scan_key *scan_find_key(const struct scan_section *sec,
				     const char *key)
{
	int i;

	for (i = 0; i < sec->nkeys; i++)
		if (!strcmp(sec->keys[i].name, key))
			return &sec->keys[i];
	return NULL;
}

int scan_key_line(const struct scan_section *sec, const char *key)
{
	const struct scan_key *found = scan_find_key(sec, key);

	return found ? found->line : sec->line;
}

int scan_value_line(const struct scan_section *sec, const char *key, int index)
{
	const struct scan_key *found = scan_find_key(sec, key);

	if (!found || index >= found->nvalues)
		return scan_key_line(sec, key);
	return found->values[index];
}
