/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * json.h - writes JSON
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdio.h>

/* @s in double quotes; bytes from 0x80 on are taken for UTF-8 and kept. */
void json_string(FILE *out, const char *s);

#endif
