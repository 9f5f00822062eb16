/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fds.h - how many descriptors this process has open, to be compared
 */
#ifndef TEST_FDS_H
#define TEST_FDS_H

#include <dirent.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static inline int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

#endif
