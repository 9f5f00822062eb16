/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * array.h - arrays that grow by one, for lists that are short
 */
#ifndef BOOT_ARRAY_H
#define BOOT_ARRAY_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Put @item, @size bytes, behind the @count in *@array, a pointer. 0 or -ENOMEM. */
static inline int array_append(void *array, int *count, size_t size, const void *item)
{
	char *grown = reallocarray(*(void **)array, *count + 1, size);

	if (!grown)
		return -ENOMEM;
	memcpy(grown + *count * size, item, size);
	*(void **)array = grown;
	(*count)++;
	return 0;
}

#endif
