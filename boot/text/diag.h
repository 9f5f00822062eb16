/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * diag.h - mistakes found in a file, kept until all of them are known.
 *
 * A parser or a check adds each mistake with the line it is on; main prints
 * them in the order of their lines, each once, in the one form
 *
 *	FILE:LINE: what is wrong; what would be right
 *
 * Rules: adding never fails visibly (out of memory ends the program, as
 * nothing sensible can follow); line 0 means the file as a whole and prints
 * as "FILE: ...".
 */
#ifndef BOOT_DIAG_H
#define BOOT_DIAG_H

#include <stdarg.h>
#include <stdio.h>

struct diag_entry {
	int line;	/* 1.., or 0: the file as a whole */
	char *text;	/* without file, line and newline */
};

struct diag {
	char *file;
	struct diag_entry *entries;	/* in the order of their lines */
	int count;
};

/* Start an empty list for mistakes in @file (copied). */
void diag_init(struct diag *diag, const char *file);
/* Put it behind those of its line, once. Returns -EINVAL, so: return diag_add(...). */
int diag_add(struct diag *diag, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Print all to @out. Returns the number of mistakes. */
int diag_print(const struct diag *diag, FILE *out);
void diag_free(struct diag *diag);

#endif
