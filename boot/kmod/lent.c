// SPDX-License-Identifier: GPL-2.0-only
/*
 * lent.c - what the boot image lends to the others, from ADD to their end
 *
 * Starting: ccctl has written the slice; START copies this CPU's memory types
 * into the trampoline page and sends INIT, SIPI, SIPI to the image's first
 * CPU.  The image's kernel starts the others itself.
 *
 * Ending, whoever wants it (STOP, the watcher, sharedpc.ko's fence): INIT to
 * every CPU at once, in whatever context that is; then, in a work item, INIT
 * again (the first round may have met a CPU that was about to start another
 * one), and then the proof: SIPI to a piece of the trampoline that counts the
 * CPU and halts it.  Only when all CPUs have been counted is the image gone.  A CPU that
 * is not counted in time leaves the image STUCK, and nothing of it is reused.
 *
 * Then sharedpc.ko is told, in another work item, as it waits until no other image has
 * anything left of what this one had, and that may take long; after that ccctl may have the
 * CPUs back.
 *
 * The watcher is a timer that looks at the slots of running images.  An image
 * that resets itself writes its reset byte 15 ms before its kernel tries the
 * keyboard controller, which would reset the whole box: hence the period.
 */
#include <linux/cleanup.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <asm/smp.h>
#include "lent.h"
#include "sharedpc_kapi.h"
#include "sharedpc_limits.h"

static struct lent images[SHAREDPC_IMAGES_MAX];
static DEFINE_MUTEX(images_lock);
static DEFINE_SPINLOCK(run_lock);
/* Of its own: an end may be what a task waits for that should make memory free. */
static struct workqueue_struct *ends;
static struct workqueue_struct *leaves;	/* not there: these may take long */
static struct hrtimer watcher;
static bool watching;			/* under run_lock */

static struct ccboot_trampoline *trampoline(struct lent *img)
{
	return img->page + CCBOOT_TRAMPOLINE_OFF;
}

static struct sharedpc_slot *slot(struct lent *img)
{
	return sharedpc_ctl() + sharedpc_slot_off(img->id);
}

/* An added image, or NULL.  Under images_lock. */
static struct lent *lent_find(u32 id)
{
	if (id == SHAREDPC_BOOT || id >= SHAREDPC_IMAGES_MAX)
		return NULL;
	return images[id].state == CCBOOT_ABSENT ? NULL : &images[id];
}

bool lent_has_cpu(unsigned int cpu)
{
	u32 id, i;

	for (id = 1; id < SHAREDPC_IMAGES_MAX; id++) {
		if (READ_ONCE(images[id].state) < CCBOOT_LENT)
			continue;
		for (i = 0; i < images[id].nr_cpus; i++)
			if (images[id].cpu[i] == cpu)
				return true;
	}
	return false;
}

/*
 * Not images_lock: who maps has the lock of a memory map, which may be waited for with
 * that of CPU hot-plug, and that is waited for with images_lock.
 */
int lent_may_map(u64 start, u64 size, bool write)
{
	int ret = -EPERM;
	u32 id;

	guard(spinlock_irq)(&run_lock);
	for (id = 1; id < SHAREDPC_IMAGES_MAX && ret != -EBUSY; id++) {
		u32 state = images[id].state;

		if (state == CCBOOT_ABSENT ||
		    (!mem_inside(start, size, &images[id].mem) &&
		     !mem_inside(start, size, &images[id].low)))
			continue;
		ret = write && state >= CCBOOT_RUNNING ? -EBUSY : 0;
	}
	return ret;
}

/*
 * Stop a running image's CPUs, note why, and leave the rest to the work item.
 * Any context.  False: it was not running, or not in its life @epoch (a life
 * begins under run_lock: lent_watch; 0: any life).
 */
static bool lent_kill(struct lent *img, u32 cause, u32 epoch)
{
	guard(spinlock_irqsave)(&run_lock);
	if (img->state != CCBOOT_RUNNING ||
	    (epoch && sharedpc_image_life(img->id) != epoch))
		return false;
	cpu_init_all(img->apic, img->nr_cpus);
	img->state = CCBOOT_DYING;
	img->cause = cause;
	img->end_ns = ktime_get_boottime_ns();
	queue_work(ends, &img->end);
	return true;
}

/* Wait until @count CPUs have counted themselves in the trampoline page. */
static bool await_acks(struct lent *img, u32 count, unsigned int ms)
{
	u32 acks;

	return !read_poll_timeout(READ_ONCE, acks, acks == count, 200, ms * USEC_PER_MSEC,
				  false, trampoline(img)->acks);
}

/* Prove that every CPU has stopped: each must come to the parking code. */
static bool lent_park(struct lent *img)
{
	bool parked;
	u32 i;

	cpu_init_all(img->apic, img->nr_cpus);
	msleep(2);
	memcpy(img->page, img->copy, PAGE_SIZE);
	trampoline(img)->acks = 0;
	trampoline(img)->mode = CCBOOT_MODE_PARK;
	/* icr_send() has the page whole before a CPU runs it. */
	for (i = 0; i < img->nr_cpus; i++)
		cpu_sipi(img->apic[i], img->low.start);
	parked = await_acks(img, img->nr_cpus, LIMIT_PARK_MS);
	/* Wait for SIPI again: no NMI can move a CPU in that state. */
	cpu_init_all(img->apic, img->nr_cpus);
	return parked;
}

static void lent_set_state(struct lent *img, u32 state)
{
	guard(spinlock_irqsave)(&run_lock);
	WRITE_ONCE(img->state, state);
}

static void lent_end(struct work_struct *work)
{
	struct lent *img = container_of(work, struct lent, end);
	bool parked = lent_park(img);

	if (!parked) {
		pr_err("ccboot: %s: %u of %u CPUs stopped, nothing of it will be reused\n",
		       img->name, READ_ONCE(trampoline(img)->acks), img->nr_cpus);
		lent_set_state(img, CCBOOT_STUCK);
		complete_all(&img->fenced);
		return;
	}
	sharedpc_image_gone(img->id, img->cause == CCBOOT_FENCE ? SHAREDPC_FENCED :
								  SHAREDPC_STOPPED);
	complete_all(&img->fenced);
	queue_work(leaves, &img->leave);
}

static void lent_leave(struct work_struct *work)
{
	struct lent *img = container_of(work, struct lent, leave);

	sharedpc_image_let_go(img->id);
	pr_info("ccboot: %s has stopped\n", img->name);
	lent_set_state(img, CCBOOT_LENT);
}

/* What the image's slot says about its end, CCBOOT_NONE: nothing. */
static u32 slot_cause(struct lent *img)
{
	/* Pairs with image_ends: its last words come before the state. */
	switch (smp_load_acquire(&slot(img)->state)) {
	case SHAREDPC_HALTED:
		return CCBOOT_HALT;
	case SHAREDPC_REBOOTING:
		return CCBOOT_REBOOT;
	case SHAREDPC_PANICKED:
		return CCBOOT_PANIC;
	}
	return READ_ONCE(slot(img)->reset) ? CCBOOT_RESET : CCBOOT_NONE;
}

static bool any_running(void)
{
	u32 id;

	for (id = 1; id < SHAREDPC_IMAGES_MAX; id++)
		if (images[id].state == CCBOOT_RUNNING)
			return true;
	return false;
}

/* The decision to end and the start of the timer exclude each other. */
static enum hrtimer_restart watch(struct hrtimer *timer)
{
	u32 id, cause;

	for (id = 1; id < SHAREDPC_IMAGES_MAX; id++) {
		if (READ_ONCE(images[id].state) != CCBOOT_RUNNING)
			continue;
		cause = slot_cause(&images[id]);
		if (cause)
			lent_kill(&images[id], cause, 0);
	}
	scoped_guard(spinlock_irqsave, &run_lock) {
		watching = any_running();
		if (!watching)
			return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, ms_to_ktime(LIMIT_WATCH_MS));
	return HRTIMER_RESTART;
}

static void lent_watch(struct lent *img)
{
	guard(spinlock_irq)(&run_lock);
	WRITE_ONCE(img->state, CCBOOT_RUNNING);
	if (!watching)
		hrtimer_start(&watcher, ms_to_ktime(LIMIT_WATCH_MS), HRTIMER_MODE_REL);
	watching = true;
}

/*
 * For sharedpc.ko: may sleep; 0 once no CPU of that life of the image runs.  Bounded,
 * since who asks has a file system's locks; what is not known by then stays unknown.
 */
static int fence(u32 id, u32 epoch)
{
	unsigned long end = jiffies + msecs_to_jiffies(LIMIT_FENCE_MS);
	struct lent *img;

	if (id == SHAREDPC_BOOT || id >= SHAREDPC_IMAGES_MAX)
		return -EINVAL;
	img = &images[id];
	if (!lent_kill(img, CCBOOT_FENCE, epoch) &&
	    sharedpc_image_life(id) != epoch)
		return 0;	/* it ended before: another life runs, or none */
	/* A new life may begin, and use the completion, before we look at it. */
	while (READ_ONCE(img->state) == CCBOOT_DYING &&
	       sharedpc_image_life(id) == epoch) {
		if (wait_for_completion_timeout(&img->fenced, HZ / 10))
			break;
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
	}
	return READ_ONCE(img->state) == CCBOOT_STUCK ? -ETIMEDOUT : 0;
}

static void lent_free(struct lent *img)
{
	lent_set_state(img, CCBOOT_ABSENT);
	if (img->page)
		memunmap(img->page);
	kfree(img->copy);
	kfree(img->cpu);
	kfree(img->apic);
	memset(img, 0, sizeof(*img));
}

static int lent_take_cpus(struct lent *img, const struct ccboot_image *spec)
{
	u32 i;

	img->cpu = kcalloc(spec->nr_cpus, sizeof(u32), GFP_KERNEL);
	img->apic = kcalloc(spec->nr_cpus, sizeof(u32), GFP_KERNEL);
	if (!img->cpu || !img->apic)
		return -ENOMEM;
	img->nr_cpus = spec->nr_cpus;
	for (i = 0; i < spec->nr_cpus; i++) {
		if (!spec->cpu[i] || spec->cpu[i] >= nr_cpu_ids ||
		    !cpu_possible(spec->cpu[i]))
			return -EINVAL;
		img->cpu[i] = spec->cpu[i];
		img->apic[i] = per_cpu(x86_cpu_to_apicid, spec->cpu[i]);
	}
	return 0;
}

static int lent_check(const struct ccboot_image *spec)
{
	if (spec->id == SHAREDPC_BOOT || spec->id >= SHAREDPC_IMAGES_MAX)
		return -EINVAL;
	if (!spec->nr_cpus || spec->nr_cpus > CCBOOT_CPUS_MAX)
		return -EINVAL;
	if (strnlen(spec->name, sizeof(spec->name)) == sizeof(spec->name))
		return -EINVAL;
	if (spec->low.size < PAGE_SIZE || spec->low.start >= SZ_1M ||
	    spec->low.size > SZ_1M - spec->low.start)
		return -EINVAL;
	return mem_usable(&spec->mem) ?: mem_usable(&spec->low);
}

static int add_locked(struct lent *img, const struct ccboot_image *spec)
{
	int ret = lent_take_cpus(img, spec);

	if (ret)
		return ret;
	img->copy = kmalloc(PAGE_SIZE, GFP_KERNEL);
	img->page = memremap(spec->low.start, PAGE_SIZE, MEMREMAP_WB);
	if (!img->copy || !img->page)
		return -ENOMEM;
	img->id = spec->id;
	img->mem = spec->mem;
	img->low = spec->low;
	strscpy(img->name, spec->name, sizeof(img->name));
	INIT_WORK(&img->end, lent_end);
	INIT_WORK(&img->leave, lent_leave);
	init_completion(&img->fenced);
	lent_set_state(img, CCBOOT_IDLE);
	return 0;
}

int lent_add(const struct ccboot_image *spec)
{
	struct lent *img;
	int ret = lent_check(spec);

	if (ret)
		return ret;
	guard(mutex)(&images_lock);
	img = &images[spec->id];
	if (img->state != CCBOOT_ABSENT)
		return -EEXIST;
	ret = add_locked(img, spec);
	if (ret)
		lent_free(img);
	return ret;
}

static int lent_remove(struct lent *img)
{
	lent_free(img);
	return 0;
}

static int lent_give(struct lent *img)
{
	u32 i;

	/* Held off, so that none comes on-line meanwhile. */
	guard(cpus_read_lock)();
	for (i = 0; i < img->nr_cpus; i++)
		if (cpu_online(img->cpu[i]) || lent_has_cpu(img->cpu[i]))
			return -EBUSY;
	WRITE_ONCE(img->state, CCBOOT_LENT);
	__module_get(THIS_MODULE);
	return 0;
}

/*
 * The state is LENT a little before the work items are over.  Wait for their last
 * steps, so that they meet neither the completion of the next life nor the end
 * of this module.  Under images_lock, which they never take.
 */
static void lent_settle(struct lent *img)
{
	flush_work(&img->end);
	flush_work(&img->leave);
}

static int lent_return(struct lent *img)
{
	lent_settle(img);
	/* Not while the guard looks: it uses img->cpu. */
	scoped_guard(cpus_read_lock)
		lent_set_state(img, CCBOOT_IDLE);
	module_put(THIS_MODULE);
	return 0;
}

/* Only ccctl's own trampoline is run. */
static int trampoline_arm(struct lent *img)
{
	struct ccboot_trampoline *tr = trampoline(img);

	if (tr->magic != CCBOOT_TRAMPOLINE_MAGIC)
		return -ENOEXEC;
	tr->nr_msrs = cpu_read_msrs(tr->msr, CCBOOT_MSRS_MAX);
	tr->acks = 0;
	tr->mode = CCBOOT_MODE_BOOT;
	memcpy(img->copy, img->page, PAGE_SIZE);
	/* icr_send() has the page whole before SIPI is sent. */
	return 0;
}

static int lent_start(struct lent *img)
{
	int ret;

	lent_settle(img);
	ret = trampoline_arm(img);
	if (ret)
		return ret;
	ret = sharedpc_image_start(img->id, img->name);
	if (ret)
		return ret;
	reinit_completion(&img->fenced);
	img->start_ns = ktime_get_boottime_ns();
	img->end_ns = 0;
	img->cause = CCBOOT_NONE;
	lent_watch(img);

	cpu_init_all(img->apic, 1);
	msleep(10);
	cpu_sipi(img->apic[0], img->low.start);
	if (!READ_ONCE(trampoline(img)->acks))
		cpu_sipi(img->apic[0], img->low.start);
	if (!await_acks(img, 1, LIMIT_ALIVE_MS)) {
		lent_kill(img, CCBOOT_NOCPU, 0);
		return -EIO;
	}
	img->starts++;
	pr_info("ccboot: %s runs on %u CPUs\n", img->name, img->nr_cpus);
	return 0;
}

/* What ccctl does with an added image, and the state that it must be in. */
static const struct {
	unsigned int cmd;
	u32 state;
	int (*call)(struct lent *img);		/* under images_lock */
} calls[] = {
	{ CCBOOT_IOC_REMOVE, CCBOOT_IDLE, lent_remove },
	{ CCBOOT_IOC_LEND, CCBOOT_IDLE, lent_give },
	{ CCBOOT_IOC_RETURN, CCBOOT_LENT, lent_return },
	{ CCBOOT_IOC_START, CCBOOT_LENT, lent_start },
};

int lent_call(unsigned int cmd, u32 id)
{
	struct lent *img;
	u32 i = 0;

	while (i < ARRAY_SIZE(calls) && calls[i].cmd != cmd)
		i++;
	if (i == ARRAY_SIZE(calls))
		return -ENOTTY;
	guard(mutex)(&images_lock);
	img = lent_find(id);
	if (!img)
		return -ENOENT;
	return READ_ONCE(img->state) == calls[i].state ? calls[i].call(img) : -EBUSY;
}

/* Wait, but not for ever, for the end of the life @epoch of a dying image. */
static int await_end(const struct lent *img, u32 id, u32 epoch)
{
	unsigned long end = jiffies + msecs_to_jiffies(LIMIT_END_MS);

	while (time_before(jiffies, end)) {
		if (READ_ONCE(img->state) == CCBOOT_STUCK)
			return -ETIMEDOUT;
		if (READ_ONCE(img->state) != CCBOOT_DYING ||
		    sharedpc_image_life(id) != epoch)
			return 0;
		msleep(5);
	}
	return -ETIMEDOUT;
}

/*
 * 0 when nothing of the image runs any more, whatever ended it.  Without images_lock: it
 * may be another image, which is to be stopped, that has something of this one.
 */
int lent_stop(u32 id)
{
	struct lent *img;
	u32 epoch;
	int ret;

	scoped_guard(mutex, &images_lock) {
		img = lent_find(id);
		if (!img)
			return -ENOENT;
		epoch = sharedpc_image_life(id);
		lent_kill(img, CCBOOT_STOP, 0);
	}
	ret = await_end(img, id, epoch);
	/* It halted because it was asked to: whoever stops it asked. */
	guard(spinlock_irq)(&run_lock);
	if (img->cause == CCBOOT_HALT && sharedpc_image_life(id) == epoch)
		img->cause = CCBOOT_STOP;
	return ret;
}

int lent_ring(u32 id)
{
	if (id == SHAREDPC_BOOT || id >= SHAREDPC_IMAGES_MAX)
		return -EINVAL;
	if (READ_ONCE(images[id].state) == CCBOOT_RUNNING)
		sharedpc_image_ring(id);
	return 0;
}

int lent_status(struct ccboot_status *status)
{
	struct lent *img;

	if (status->id >= SHAREDPC_IMAGES_MAX)
		return -EINVAL;
	guard(mutex)(&images_lock);
	guard(spinlock_irq)(&run_lock);
	img = &images[status->id];
	status->state = img->state;
	status->cause = img->cause;
	status->starts = img->starts;
	status->start_ns = img->start_ns;
	status->end_ns = img->end_ns;
	return 0;
}

int lent_init(void)
{
	if (!sharedpc_ctl())
		return -ENODEV;		/* not the boot image */
	ends = alloc_workqueue("ccboot", WQ_MEM_RECLAIM | WQ_HIGHPRI, 0);
	leaves = alloc_workqueue("ccboot-leave", WQ_MEM_RECLAIM | WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!ends || !leaves) {
		if (ends)
			destroy_workqueue(ends);
		if (leaves)
			destroy_workqueue(leaves);
		return -ENOMEM;
	}
	hrtimer_init(&watcher, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	watcher.function = watch;
	sharedpc_set_fence(fence);
	return 0;
}

/* No image is LENT or more: that holds a reference on the module. */
void lent_exit(void)
{
	u32 id;

	sharedpc_set_fence(NULL);
	hrtimer_cancel(&watcher);
	destroy_workqueue(ends);
	destroy_workqueue(leaves);
	for (id = 1; id < SHAREDPC_IMAGES_MAX; id++)
		if (images[id].state != CCBOOT_ABSENT)
			lent_free(&images[id]);
}
