// SPDX-License-Identifier: GPL-2.0-only
/*
 * pids.c - no two processes of the box have the same PID
 *
 * A mutex that processes share has its holder's thread id in it, and a lock of a file its
 * holder's PID: both mean somebody only if nobody on another image is called the same.  So
 * each image has PIDS numbers of its own, and each of its lives a part of them, in turn: what
 * an earlier life has left behind is not taken for something of this one.
 *
 * The kernel gives PIDs in turn, from a cursor on.  ftrace calls us before each, and we keep
 * the cursor where it belongs; MARGIN, for those that are given on other CPUs at that moment
 * and for numbers that are in use.  pid_max has to be PID_MAX_LIMIT, which user space sees to
 * (ccinit, ccctl): until then the cursor has no effect.
 *
 * Threads of the kernel, and whatever was started before this, have other numbers; so has
 * who asks for one (clone3's set_tid), and what an image has beyond some 125,000 tasks at once.
 */
#include <linux/build_bug.h>
#include <linux/idr.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/threads.h>
#include "box/ctl.h"
#include "box/trace.h"
#include "image/pids.h"

#define LIVES	4
#define PIDS	(PID_MAX_LIMIT / SHAREDPC_IMAGES_MAX)	/* of an image */
#define PART	(PIDS / LIVES)				/* of a life */
#define MARGIN	4096

static_assert(__same_type(alloc_pid, struct pid *(struct pid_namespace *, pid_t *, size_t)));

static u32 first, last;

static void at_alloc(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
		     struct ftrace_regs *regs)
{
	u32 cursor = idr_get_cursor(&init_pid_ns.idr);

	if (cursor < first || cursor > last)
		idr_set_cursor(&init_pid_ns.idr, first);
}

static struct trace alloc = TRACE("alloc_pid", at_alloc);

int pids_begin(void)
{
	first = ctl_self * PIDS + ctl_epoch % LIVES * PART;
	last = first + PART - MARGIN;
	first += RESERVED_PIDS + 1;	/* where the kernel goes on after its last */
	return trace_begin(&alloc);
}

void pids_end(void)
{
	trace_end(&alloc);
}
