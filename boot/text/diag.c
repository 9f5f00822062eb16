// SPDX-License-Identifier: GPL-2.0-only
/*
 * diag.c - mistakes found in a file, kept until all of them are known.
 *
 * See diag.h. The list is small (a file with a hundred mistakes is rare), so
 * nothing here is clever: an array that grows by one, sorted once at the end.
 */
#include "boot/text/diag.h"

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

void diag_vadd(struct diag *diag, int line, const char *fmt, va_list ap)
{
	size_t bytes = (diag->count + 1) * sizeof(*diag->entries);
	struct diag_entry *entry;
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	diag->entries = must(realloc(diag->entries, bytes));
	entry = &diag->entries[diag->count++];
	entry->line = line;
	entry->text = must(text);
}

void diag_add(struct diag *diag, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_vadd(diag, line, fmt, ap);
	va_end(ap);
}

/* Insertion sort: stable, which qsort() is not, and the list is short. */
void diag_sort(struct diag *diag)
{
	int i, j, kept = 0;

	for (i = 1; i < diag->count; i++) {
		struct diag_entry entry = diag->entries[i];

		for (j = i; j && diag->entries[j - 1].line > entry.line; j--)
			diag->entries[j] = diag->entries[j - 1];
		diag->entries[j] = entry;
	}
	for (i = 0; i < diag->count; i++) {
		struct diag_entry *entry = &diag->entries[i];

		for (j = 0; j < kept; j++)
			if (diag->entries[j].line == entry->line &&
			    !strcmp(diag->entries[j].text, entry->text))
				break;
		if (j < kept)
			free(entry->text);
		else
			diag->entries[kept++] = *entry;
	}
	diag->count = kept;
}

int diag_print(struct diag *diag, FILE *out)
{
	int i;

	diag_sort(diag);
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
