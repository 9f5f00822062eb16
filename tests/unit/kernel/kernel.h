/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel.h - the kernel that is none: what its tests can ask of it
 *
 * Time goes faster than the kernel's, by kernel_jiffy_us.  Wherever a kernel's word
 * orders something between threads, kernel_jitter() may hold this one up for a moment,
 * as a seed says: SEED=N, which is printed.  What the threads then do is for the
 * scheduler to say, so a seed repeats a mood, not a run.
 */
#ifndef TEST_KERNEL_H
#define TEST_KERNEL_H

#include <linux/types.h>

struct mm_struct;

struct task_struct {
	bool killed;			/* a fatal signal is pending */
	struct mm_struct *mm;
};

extern _Thread_local struct task_struct kernel_task;
#define current (&kernel_task)

extern unsigned int kernel_jiffy_us;	/* what a jiffy takes; HZ of them are a second */
extern unsigned int kernel_moody;	/* one of so many words holds its thread up; 0: none */
extern unsigned int kernel_short;	/* one of so many allocations fails; 0: none */
extern bool kernel_unlocked;		/* spinlocks lock nothing: a control */
extern bool kernel_wakeless;		/* who is to be woken alone sleeps on: a control */
extern bool kernel_acyclic;		/* numbers are given again at once: a control */
extern bool kernel_bh_always;		/* bottom halves are never off: a control */

u32 kernel_random(void);		/* of this thread */
void kernel_reseed(u64 with);		/* a process of its own goes another way */
static inline bool kernel_chance(u32 of)
{
	return kernel_random() % of == 0;
}

void kernel_jitter(void);
void kernel_nap(unsigned int us);	/* of real time */
/*
 * Let the others run for @ms, and on until they have done @enough (NULL: at once), 20 times
 * that at most.
 */
void kernel_run(u32 ms, bool (*enough)(void));
void kernel_kill(struct task_struct *task, bool yes);

/* Between them this thread is a soft interrupt: it may not sleep. */
void kernel_softirq_enter(void);
void kernel_softirq_exit(void);
void kernel_bh_off(void);	/* none on this CPU until as many kernel_bh_on() */
void kernel_bh_on(void);
void might_sleep(void);

void kernel_reclaim(gfp_t gfp);		/* who may wait for memory does */
bool kernel_no_memory(void);		/* this time there is none */
u64 kernel_refused(void);		/* so often there was none */
long kernel_allocated(void);		/* by kmalloc, and not freed */
void kernel_fail(const char *what) __attribute__((noreturn));

/*
 * A control: this program, once more, with the number @control (not 0), has to fail and
 * say what matches @say, in one of some tries: who looks for what happens seldom may miss
 * it once.  So does one that looks for what is not there show that it would see it.
 */
#define kernel_control(control, say) kernel_control_fails(control, #control, say)
bool kernel_control_fails(int control, const char *name, const char *say);
/* This program, once more, with that number: it has to pass. */
bool kernel_again(int control);
/* Comes first; by SEED, or another one each time.  The control that this is to be, or 0. */
int kernel_begin(int argc, char **argv);

#endif
