/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * container.h - from a part of a structure to the structure
 */
#ifndef LIB_CONTAINER_H
#define LIB_CONTAINER_H

#include <stddef.h>

/* The @type whose @member @ptr points to. */
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#endif
