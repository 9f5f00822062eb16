/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * log.h - in front of every file of the module: its messages carry its name
 */
#define pr_fmt(fmt) "sharedpc: " fmt
