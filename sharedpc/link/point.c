// SPDX-License-Identifier: GPL-2.0-only
/*
 * point.c - moments at which this image can be made to stop, for tests
 */
#include <linux/irqflags.h>
#include <linux/panic.h>
#include <linux/processor.h>
#include "link/point.h"

u32 point_armed __read_mostly;
static bool silently;

void point_arm(enum point point, bool silent)
{
	WRITE_ONCE(point_armed, POINT_NONE);
	WRITE_ONCE(silently, silent);
	/* Pairs with point_stop. */
	smp_store_release(&point_armed, point);
}

void point_stop(enum point point)
{
	/* Pairs with point_arm.  It may have been disarmed just now. */
	if (smp_load_acquire(&point_armed) != point)
		return;
	if (!READ_ONCE(silently))
		panic("sharedpc: stopped at point %u, as a test wants", point);
	/* What ends this is a fence. */
	local_irq_disable();
	for (;;)
		cpu_relax();
}
