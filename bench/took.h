/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * took.h - how long each of many took, for programs of bench/
 */
#ifndef BENCH_TOOK_H
#define BENCH_TOOK_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

/* ns */
static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static int took_compare(const void *a, const void *b)
{
	return *(uint64_t *)a < *(uint64_t *)b ? -1 : *(uint64_t *)a > *(uint64_t *)b;
}

/* Print "MEDIAN MIN" of @n, which are sorted. */
static int took_show(uint64_t *took, int n)
{
	qsort(took, n, sizeof(took[0]), took_compare);
	printf("%llu %llu\n", (unsigned long long)took[n / 2], (unsigned long long)took[0]);
	return 0;
}

#endif
