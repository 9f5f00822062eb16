// SPDX-License-Identifier: GPL-2.0-only
/*
 * clock.c - CLOCK_REALTIME of all images is the boot image's
 *
 * All images have one TSC.  The boot image says four times a second what its clock is at what
 * count of that, and any image can say how far its own is from there.  An image's kernel sets
 * its clock by that once; to keep it there is for user space, which has adjtimex(2) for it
 * (boot/init/ccinit-clock.c).
 *
 * Clock and count have to be of one moment: Linux' own snapshot says both.  If its clock does
 * not count the TSC they are read one after the other, and the closest of some is taken.
 */
#include <linux/clocksource_ids.h>
#include <linux/delay.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>
#include <asm/tsc.h>
#include "box/ctl.h"
#include "image/clock.h"

#define TRIES		5
#define SINCE_MAX	(1LL << 42)	/* counts: twenty minutes; it says so all the time */

/* What the clock is at what count. */
struct moment {
	u64 tsc;
	s64 ns;
};

static struct moment moment_now(void)
{
	struct system_time_snapshot snap;
	u64 before, after, least = U64_MAX;
	struct moment m = {};
	s64 ns;
	u32 i;

	ktime_get_snapshot(&snap);
	if (snap.cs_id == CSID_X86_TSC)
		return (struct moment) { .tsc = snap.cycles, .ns = snap.real };
	for (i = 0; i < TRIES; i++) {
		before = rdtsc_ordered();
		ns = ktime_get_real_ns();
		after = rdtsc_ordered();
		if (after - before >= least)
			continue;
		least = after - before;
		m = (struct moment) { .tsc = before + least / 2, .ns = ns };
	}
	return m;
}

void clock_publish(void)
{
	struct sharedpc_header *h = ctl_header();
	struct moment m = moment_now();
	u32 seq = h->clock_seq;

	WRITE_ONCE(h->clock_seq, seq + 1);
	smp_wmb();	/* odd before the values: clock_read sees the change */
	h->wall_tsc = m.tsc;
	h->wall_ns = m.ns;
	smp_wmb();	/* values before even */
	WRITE_ONCE(h->clock_seq, seq + 2);
}

/* The boot image's, as it said last. */
static int clock_read(struct moment *m)
{
	struct sharedpc_header *h = ctl_header();
	int tries;
	u32 seq;

	for (tries = 0; tries < 1000; tries++) {
		seq = READ_ONCE(h->clock_seq);
		smp_rmb();	/* pairs with clock_publish */
		m->ns = READ_ONCE(h->wall_ns);
		m->tsc = READ_ONCE(h->wall_tsc);
		smp_rmb();	/* the values before the second look at the count */
		if (!(seq & 1) && seq == READ_ONCE(h->clock_seq))
			return m->ns ? 0 : -ENODATA;
		udelay(1);
	}
	return -ENODATA;
}

int clock_behind(s64 *ns)
{
	struct moment boot, ours = moment_now();
	u32 khz = tsc_khz;
	s64 since;

	if (ctl_is_boot() || !khz || clock_read(&boot))
		return -ENODATA;
	/* It may have said so after our look. */
	since = ours.tsc - boot.tsc;
	if (since > SINCE_MAX || since < -SINCE_MAX)
		return -ENODATA;
	since = since < 0 ? -(s64)mul_u64_u64_div_u64(-since, NSEC_PER_MSEC, khz) :
			    (s64)mul_u64_u64_div_u64(since, NSEC_PER_MSEC, khz);
	*ns = boot.ns + since - ours.ns;
	return 0;
}

void clock_take(void)
{
	struct timespec64 ts;
	s64 ns;

	if (clock_behind(&ns))
		return;
	ts = ns_to_timespec64(ktime_get_real_ns() + ns);
	if (do_settimeofday64(&ts))
		pr_warn("wall clock could not be set\n");
}
