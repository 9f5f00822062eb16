// SPDX-License-Identifier: GPL-2.0-only
/*
 * hook.c - where Linux' futex calls come by here
 *
 * ftrace sends a call of one of Linux' functions to ours instead, which calls what comes
 * behind the place where ftrace did that.  Only calls for shared memory: PRIVATE ones see
 * nothing of it but the test of a flag (but for waitv, whose flags are each word's).
 *
 *	__futex_wait		FUTEX_WAIT, FUTEX_WAIT_BITSET, futex_wait(2)
 *	futex_wake		FUTEX_WAKE ..., futex_wake(2), the end of a robust mutex's holder
 *	futex_wake_op		FUTEX_WAKE_OP
 *	futex_requeue		FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, futex_requeue(2)
 *	sys_futex_waitv		futex_waitv(2)
 *
 * Who would be requeued is woken, if one of the two is a file's word: under the other word's
 * name nobody on another image would find it.  Priority inheritance stays within an image.
 *
 * A page that an owner is just taking back has no mapping, for which Linux says EFAULT: it
 * is asked again.
 *
 * Their arguments are 6.12's (Kbuild refuses another base).  The real functions are called by
 * static calls, since an indirect one must not land behind an ENDBR.
 */
#include <uapi/linux/futex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>
#include "box/ctl.h"
#include "box/trace.h"
#include "futex/dead.h"
#include "futex/futex.h"

/* kernel/futex/futex.h */
#define FLAGS_SHARED	0x0010
#define FLAGS_STRICT	0x0100

#define AGAIN_MAX	10	/* then it is a real EFAULT */

struct hrtimer_sleeper;

static int no_wait(u32 __user *uaddr, unsigned int flags, u32 val, struct hrtimer_sleeper *to,
		   u32 bitset)
{
	return -ENOSYS;
}

static int no_wake(u32 __user *uaddr, unsigned int flags, int nr, u32 bitset)
{
	return -ENOSYS;
}

static int no_wake_op(u32 __user *uaddr1, unsigned int flags, u32 __user *uaddr2, int nr,
		      int nr2, int op)
{
	return -ENOSYS;
}

static int no_requeue(u32 __user *uaddr1, unsigned int flags1, u32 __user *uaddr2,
		      unsigned int flags2, int nr, int nr_requeue, u32 *cmpval, int pi)
{
	return -ENOSYS;
}

static long no_waitv(const struct pt_regs *regs)
{
	return -ENOSYS;
}

DEFINE_STATIC_CALL(linux_wait, no_wait);
DEFINE_STATIC_CALL(linux_wake, no_wake);
DEFINE_STATIC_CALL(linux_wake_op, no_wake_op);
DEFINE_STATIC_CALL(linux_requeue, no_requeue);
DEFINE_STATIC_CALL(linux_waitv, no_waitv);
DEFINE_STATIC_CALL(linux_waitv32, no_waitv);

/* Who is in one of our functions: has to be out before they are unloaded. */
DEFINE_STATIC_SRCU(inside);

/* Linux has said @ret: is it to be asked again? */
static bool again(const struct futex_name *name, int ret, u32 *times)
{
	if (ret != -EFAULT || name->owner >= ctl_nr_images || name->owner == ctl_self ||
	    ++*times == AGAIN_MAX)
		return false;
	atomic64_inc(&futex_stat.again);
	cond_resched();
	return true;
}

/* Linux has not woken it: another image may have. */
static bool was_asleep(long ret)
{
	return ret == -ETIMEDOUT || (ret == -ERESTARTSYS && !fatal_signal_pending(current));
}

static int our_wait(u32 __user *uaddr, unsigned int flags, u32 val, struct hrtimer_sleeper *to,
		    u32 bitset)
{
	int idx = srcu_read_lock(&inside), ret;
	struct futex_waiter w;
	u32 times = 0;
	bool named;

	named = futex_name(uaddr, &w.name);
	futex_enter(&w, bitset);
	do
		ret = static_call(linux_wait)(uaddr, flags, val, to, bitset);
	while (again(&w.name, ret, &times));
	/* What is not named is only interrupted by futex_exit(), and goes on in Linux. */
	if (futex_leave(&w, named && was_asleep(ret)))
		ret = 0;
	srcu_read_unlock(&inside, idx);
	return ret;
}

/* As Linux understands it: 0 is 1, but not in futex_wake(2). */
static u32 how_many(int nr, unsigned int flags)
{
	return flags & FLAGS_STRICT ? nr : max(nr, 1);
}

static int our_wake(u32 __user *uaddr, unsigned int flags, int nr, u32 bitset)
{
	int idx = srcu_read_lock(&inside), ret;
	struct futex_name name;
	u32 times = 0;

	do
		ret = static_call(linux_wake)(uaddr, flags, nr, bitset);
	while (ret == -EFAULT && futex_name(uaddr, &name) && again(&name, ret, &times));
	if (ret >= 0)
		futex_forward(uaddr, how_many(nr, flags), ret, bitset);
	srcu_read_unlock(&inside, idx);
	return ret;
}

static int our_wake_op(u32 __user *uaddr1, unsigned int flags, u32 __user *uaddr2, int nr,
		       int nr2, int op)
{
	int idx = srcu_read_lock(&inside), ret;
	u32 n = how_many(nr, 0), n2 = how_many(nr2, 0), times = 0;
	struct futex_name name;
	bool enough;

	do
		ret = static_call(linux_wake_op)(uaddr1, flags, uaddr2, nr, nr2, op);
	while (ret == -EFAULT && (futex_name(uaddr1, &name) || futex_name(uaddr2, &name)) &&
	       again(&name, ret, &times));
	if (ret >= 0) {
		/* Of which word they were, and whether the second's turn came, is not said. */
		enough = ret >= (u64)n + n2;
		futex_forward(uaddr1, n, enough ? n : 0, FUTEX_BITSET_MATCH_ANY);
		futex_forward(uaddr2, n2, enough ? n2 : 0, FUTEX_BITSET_MATCH_ANY);
	}
	srcu_read_unlock(&inside, idx);
	return ret;
}

static int our_requeue(u32 __user *uaddr1, unsigned int flags1, u32 __user *uaddr2,
		       unsigned int flags2, int nr, int nr_requeue, u32 *cmpval, int pi)
{
	int idx = srcu_read_lock(&inside), ret;
	struct futex_name name;
	u32 times = 0;
	bool named;

	named = !pi && nr >= 0 && nr_requeue >= 0 &&
		(futex_name(uaddr1, &name) || futex_name(uaddr2, &name));
	if (named) {
		nr = min_t(u64, (u64)nr + nr_requeue, INT_MAX);
		nr_requeue = 0;
	}
	do
		ret = static_call(linux_requeue)(uaddr1, flags1, uaddr2, flags2, nr,
						 nr_requeue, cmpval, pi);
	while (named && again(&name, ret, &times));
	if (named && ret >= 0 && nr)
		futex_forward(uaddr1, nr, ret, FUTEX_BITSET_MATCH_ANY);
	srcu_read_unlock(&inside, idx);
	return ret;
}

/*
 * The words of @list, as far as they are in files: how many; all of them entered.  At least
 * one, for futex_exit().
 */
static u32 enter_all(const struct futex_waitv __user *list, u32 nr, struct futex_waiter *w,
		     u32 *index)
{
	struct futex_waitv v;
	u32 i, n = 0;

	for (i = 0; i < nr; i++) {
		/* Linux says what is wrong with it. */
		if (copy_from_user(&v, &list[i], sizeof(v)))
			break;
		if (v.flags & FUTEX2_PRIVATE || !futex_name(u64_to_user_ptr(v.uaddr), &w[n].name))
			continue;
		futex_enter(&w[n], FUTEX_BITSET_MATCH_ANY);
		index[n++] = i;
	}
	if (!n) {
		w[n].name = (struct futex_name){ .owner = FUTEX_ELSEWHERE };
		futex_enter(&w[n++], FUTEX_BITSET_MATCH_ANY);
	}
	return n;
}

/* Which of them another image has woken, or @ret. */
static long leave_all(struct futex_waiter *w, const u32 *index, u32 n, long ret)
{
	bool wanted = was_asleep(ret);
	u32 i;

	for (i = 0; i < n; i++)
		if (futex_leave(&w[i], wanted && w[i].name.owner != FUTEX_ELSEWHERE)) {
			ret = index[i];
			wanted = false;
		}
	return ret;
}

static bool again_any(const struct futex_waiter *w, u32 n, long ret, u32 *times)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (again(&w[i].name, ret, times))
			return true;
	return false;
}

static long waitv(const struct futex_waitv __user *list, u32 nr, const struct pt_regs *regs,
		  long (*call)(const struct pt_regs *regs))
{
	struct futex_waiter *w;
	u32 *index, n, times = 0;
	long ret;

	if (!nr || nr > FUTEX_WAITV_MAX)
		return call(regs);
	w = kvmalloc_array(nr, sizeof(*w) + sizeof(*index), GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	index = (u32 *)(w + nr);
	n = enter_all(list, nr, w, index);
	do
		ret = call(regs);
	while (again_any(w, n, ret, &times));
	ret = leave_all(w, index, n, ret);
	kvfree(w);
	return ret;
}

static long linux_waitv_64(const struct pt_regs *regs)
{
	return static_call(linux_waitv)(regs);
}

static long linux_waitv_32(const struct pt_regs *regs)
{
	return static_call(linux_waitv32)(regs);
}

static long our_waitv(const struct pt_regs *regs)
{
	int idx = srcu_read_lock(&inside);
	long ret = waitv((const void __user *)regs->di, regs->si, regs, linux_waitv_64);

	srcu_read_unlock(&inside, idx);
	return ret;
}

static long our_waitv32(const struct pt_regs *regs)
{
	int idx = srcu_read_lock(&inside);
	long ret = waitv(compat_ptr(regs->bx), regs->cx, regs, linux_waitv_32);

	srcu_read_unlock(&inside, idx);
	return ret;
}

struct hook {
	struct trace trace;
	void *ours;
	bool flags;		/* its second argument says whether it is PRIVATE */
};

static void notrace at_call(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			    struct ftrace_regs *regs)
{
	const struct hook *h = container_of(ops, struct hook, trace.ops);

	if (!h->flags || ftrace_regs_get_argument(regs, 1) & FLAGS_SHARED)
		ftrace_regs_set_instruction_pointer(regs, (unsigned long)h->ours);
}

#define HOOK(NAME, OURS, FLAGS) {						\
	.trace = TRACE_REPLACED(NAME, at_call), .ours = OURS, .flags = FLAGS,	\
}

enum { WAIT, WAKE, WAKE_OP, REQUEUE, WAITV, WAITV32, HOOKS };

static struct hook hooks[HOOKS] = {
	[WAIT]		= HOOK("__futex_wait", our_wait, true),
	[WAKE]		= HOOK("futex_wake", our_wake, true),
	[WAKE_OP]	= HOOK("futex_wake_op", our_wake_op, true),
	[REQUEUE]	= HOOK("futex_requeue", our_requeue, true),
	[WAITV]		= HOOK("__x64_sys_futex_waitv", our_waitv, false),
	[WAITV32]	= HOOK("__ia32_sys_futex_waitv", our_waitv32, false),
};

static void hooks_unset(void)
{
	u32 i;

	for (i = 0; i < HOOKS; i++)
		trace_end(&hooks[i].trace);
}

/* @step, trace_find or trace_begin, with each. */
static int hooks_all(int (*step)(struct trace *t))
{
	int err = 0;
	u32 i;

	for (i = 0; i < HOOKS && !err; i++) {
		err = step(&hooks[i].trace);
		if (err)
			pr_err("%s cannot be replaced: %d\n", hooks[i].trace.function, err);
	}
	if (err)
		hooks_unset();
	return err;
}

int futex_init(void)
{
	int err;

	futex_wait_init();
	futex_wake_init();
	dead_publish();
	err = hooks_all(trace_find);
	if (err)
		return err;
	static_call_update(linux_wait, (typeof(&no_wait))hooks[WAIT].trace.body);
	static_call_update(linux_wake, (typeof(&no_wake))hooks[WAKE].trace.body);
	static_call_update(linux_wake_op, (typeof(&no_wake_op))hooks[WAKE_OP].trace.body);
	static_call_update(linux_requeue, (typeof(&no_requeue))hooks[REQUEUE].trace.body);
	static_call_update(linux_waitv, (typeof(&no_waitv))hooks[WAITV].trace.body);
	static_call_update(linux_waitv32, (typeof(&no_waitv))hooks[WAITV32].trace.body);
	err = hooks_all(trace_begin);
	if (err)
		futex_exit();	/* somebody may be in one that was set */
	return err;
}

void futex_exit(void)
{
	hooks_unset();
	futex_wait_end();
	synchronize_srcu(&inside);
	/* Who has left it may still have a return of ours to execute. */
	synchronize_rcu_tasks();
}
