// SPDX-License-Identifier: GPL-2.0-only
/*
 * diag.c - mistakes found in a file, kept until all of them are known.
 *
 * See diag.h. The list is small (a file with a hundred mistakes is rare), so
 * nothing here is clever: an array that grows by one and is kept in order.
 */
#include "boot/text/diag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		exit(1);
	}
	return p;
}

void diag_init(struct diag *diag, const char *file)
{
	memset(diag, 0, sizeof(*diag));
	diag->file = must(strdup(file));
}

int diag_add(struct diag *diag, int line, const char *fmt, ...)
{
	int at = diag->count, i;
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	must(text);
	while (at && diag->entries[at - 1].line > line)
		at--;
	for (i = at; i && diag->entries[i - 1].line == line; i--)
		if (!strcmp(diag->entries[i - 1].text, text)) {
			free(text);
			return -EINVAL;
		}
	diag->entries = must(reallocarray(diag->entries, diag->count + 1,
					  sizeof(*diag->entries)));
	memmove(&diag->entries[at + 1], &diag->entries[at],
		(diag->count++ - at) * sizeof(*diag->entries));
	diag->entries[at] = (struct diag_entry){ line, text };
	return -EINVAL;
}

int diag_print(const struct diag *diag, FILE *out)
{
	int i;

	for (i = 0; i < diag->count; i++) {
		const struct diag_entry *entry = &diag->entries[i];

		if (entry->line)
			fprintf(out, "%s:%d: %s\n", diag->file, entry->line,
				entry->text);
		else
			fprintf(out, "%s: %s\n", diag->file, entry->text);
	}
	return diag->count;
}

void diag_free(struct diag *diag)
{
	int i;

	for (i = 0; i < diag->count; i++)
		free(diag->entries[i].text);
	free(diag->entries);
	free(diag->file);
	memset(diag, 0, sizeof(*diag));
}
