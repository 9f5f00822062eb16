/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * le.h - little-endian numbers out of bytes, which need not be aligned
 */
#ifndef LIB_LE_H
#define LIB_LE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t le_get32(const void *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return le32toh(value);
}

static inline uint64_t le_get64(const void *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return le64toh(value);
}

#endif
