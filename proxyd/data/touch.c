// SPDX-License-Identifier: GPL-2.0-only
/*
 * touch.c - a store to a mapped page that changes nothing, see touch.h
 *
 * What fails is told by SIGBUS, which the toucher expects and nobody else does.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "proxyd/data/touch.h"

static __thread sigjmp_buf failed;
static __thread volatile sig_atomic_t touching;

static void bus_error(int sig)
{
	if (touching)
		siglongjmp(failed, 1);
	/* not ours: it comes again, and ends the process */
	signal(sig, SIG_DFL);
}

int touch_init(void)
{
	struct sigaction act = { .sa_handler = bus_error, .sa_flags = SA_NODEFER };

	sigemptyset(&act.sa_mask);
	return sigaction(SIGBUS, &act, NULL) ? -errno : 0;
}

int touch_write(void *p)
{
	char *byte = p;

	if (sigsetjmp(failed, 0)) {
		touching = 0;
		return -EFAULT;
	}
	touching = 1;
	/*
	 * A load first: what is to be read is read now, since a fault that waits for a
	 * disk is begun anew, with the memory map's lock.
	 */
	(void)*(volatile char *)byte;
	/* Clients store there too: one indivisible operation, which no compiler drops. */
	asm volatile("lock; orb $0, %0" : "+m" (*byte) : : "cc");
	touching = 0;
	return 0;
}
