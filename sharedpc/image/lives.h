/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lives.h - which lives of the images have begun, and ended for certain
 */
#ifndef LIVES_H
#define LIVES_H

#include <linux/types.h>
#include "sharedpc_wire.h"

/*
 * @let_go: take back all that the image had, which has ended.  May sleep.
 */
int lives_init(void (*let_go)(u32 id));
void lives_exit(void);

/* The life that image @id is in, or was: 0, not known here (lives_learn). */
u32 lives_now(u32 id);
/* Certain: no CPU of image @id runs in the life @epoch any more. */
bool lives_ended(u32 id, u32 epoch);

/* Ask the boot image which life @id is in.  0; -ETIMEDOUT, -ENOTCONN: no answer.  Sleeps. */
int lives_learn(u32 id);

/*
 * Stop image @id's CPUs for certain, if it still lives the life @epoch.  0:
 * nothing of that life runs any more; else that is not known.  Bounded, and waits for no
 * image but the boot image.
 */
int lives_fence(u32 id, u32 epoch);

/*
 * Boot image: a life of @id begins: its number.  It has ended.  Then: wait until nobody has
 * anything of it any more, as long as that takes.
 */
u32 lives_begin(u32 id);
void lives_end(u32 id);
void lives_let_go(u32 id);
/* Boot image: how to stop CPUs (sharedpc_kapi.h). */
void lives_set_fence(int (*fence)(u32 id, u32 epoch));
/* Boot image: we have seen that @id is up. */
void lives_met(u32 id);

/* Messages: LIFE and LEFT, soft interrupt; LIVES, the same; LEAVE, the listening thread. */
void lives_asked(u32 image, const struct sharedpc_msg *msg);
void lives_left(u32 image, const struct sharedpc_msg *msg);
void lives_told(u32 image, const struct sharedpc_msg *msg);
void lives_leave(u32 image, const struct sharedpc_msg *msg);

#endif
