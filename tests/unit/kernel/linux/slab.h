/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_SLAB_H
#define TEST_KERNEL_SLAB_H

#include <linux/types.h>
#include "kernel.h"

#define GFP_KERNEL	1U	/* may sleep */
#define GFP_NOWAIT	0U
#define GFP_ATOMIC	0U
#define __GFP_NOWARN	0U

void *kzalloc(size_t size, gfp_t gfp);
#define kmalloc(size, gfp) kzalloc(size, gfp)
void kfree(const void *p);

#endif
