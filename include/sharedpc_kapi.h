/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sharedpc_kapi.h - what sharedpc.ko offers to ccboot.ko on the boot image
 *
 * All of these may sleep, except that the fence that is registered is called
 * from any sleepable context with file-system locks held: it must not wait
 * for I/O or for another image.
 */
#ifndef SHAREDPC_KAPI_H
#define SHAREDPC_KAPI_H

#include <linux/types.h>

/* The control area, mapped write-back; NULL unless this is the boot image. */
void *sharedpc_ctl(void);

/*
 * Image @id is about to run: clears its slot and console, counts its epoch
 * up, sets STARTING.  -EINVAL: no such image, or it is the boot image;
 * -EBUSY: it runs.
 */
int sharedpc_image_start(u32 id, const char *name);

/* The epoch of the life that image @id is in, or was; its slot is only its word. */
u32 sharedpc_image_life(u32 id);

/*
 * The CPUs of image @id have had INIT and stay there: nothing that it could
 * write is written any more.  Sets @state, tells the other images.  Does not wait.
 */
void sharedpc_image_gone(u32 id, u32 state);
/*
 * Then: takes back what it held, resets its sockets, ends its proxies, and waits until no
 * image has anything of it left, as long as that takes.
 */
void sharedpc_image_let_go(u32 id);

/* Ring the doorbell of image @id, if it has one: its console has input. */
void sharedpc_image_ring(u32 id);

/*
 * How to stop the CPUs of image @id for certain, if it still lives the life
 * @epoch (0 at once if not); NULL: nobody can.  It may sleep, and answers within seconds: 0:
 * they are stopped; -errno: they may still run.
 */
void sharedpc_set_fence(int (*fence)(u32 id, u32 epoch));

#endif
