/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ask.h - requests of ccfs to a proxy
 */
#ifndef ASK_H
#define ASK_H

#include "client/session.h"

/* @ask as in ASK, which see; ends early when *@left is set. */
int ask_run(struct session *s, struct sharedpc_ask *ask, const bool *left);

#endif
