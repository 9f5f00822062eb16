/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pinned.h - frames that this client cannot give back yet
 */
#ifndef PINNED_H
#define PINNED_H

#include <linux/mm_types.h>
#include "client/session.h"

void pinned_init(void);
int pinned_add(struct page *page, const struct session *s, u64 file, u64 index);
void pinned_lose(u32 owner);
/*
 * 0, with what @answer has to say of it; else the owner could not be told, and must not
 * reuse these pages.
 */
int pinned_tell(u32 owner, const struct sharedpc_msg *revoke, struct sharedpc_msg *answer);
void pinned_freed(u32 owner, const struct sharedpc_msg *msg);
bool pinned_look(u32 owner);	/* true: some are left */
void pinned_forget(u32 owner);
u64 pinned_count(u32 owner);

#endif
