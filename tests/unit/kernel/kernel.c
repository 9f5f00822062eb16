// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel.c - the kernel that is none, see kernel.h
 */
#include <errno.h>
#include <regex.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/completion.h>
#include <linux/slab.h>

#define CONTROL_TRIES	5

#define SLICE_US	2000	/* so often a sleeper looks whether it is killed */

_Thread_local struct task_struct kernel_task;
unsigned int kernel_jiffy_us = 500;
unsigned int kernel_moody;
unsigned int kernel_short;
bool kernel_unlocked, kernel_bh_always, kernel_wakeless;

static _Thread_local u64 mood;
static _Thread_local u32 atomic_depth, softirq_depth, bh_depth;
static u64 seed = 1, threads;
static long allocated;
static u64 refused;

void kernel_fail(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "FAIL: %s\n", what);
	abort();
}

void kernel_log(const char *format, ...)
{
	va_list ap;

	if (!getenv("VERBOSE"))
		return;
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
}

/* xorshift64*: each thread goes on from the seed and its own number. */
u32 kernel_random(void)
{
	if (!mood)
		mood = (seed + 1) * 0x9e3779b97f4a7c15ULL ^
			(__atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED) << 32 | 1);
	mood ^= mood >> 12;
	mood ^= mood << 25;
	mood ^= mood >> 27;
	return mood * 0x2545f4914f6cdd1dULL >> 32;
}

void kernel_reseed(u64 with)
{
	seed = seed * 1000003 + with;
	threads = 0;
	mood = 0;
}

void kernel_nap(unsigned int us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000L };

	nanosleep(&t, NULL);
}

void kernel_run(u32 ms, bool (*enough)(void))
{
	u32 i;

	for (i = 0; i < 20 && (!i || (enough && !enough())); i++)
		kernel_nap(ms * 1000);
}

void kernel_jitter(void)
{
	u32 r;

	if (!kernel_moody)
		return;
	r = kernel_random();
	if (r % kernel_moody)
		return;
	if (r >> 16 & 3)
		sched_yield();
	else
		kernel_nap((r >> 18) % 100);
}

void kernel_kill(struct task_struct *task, bool yes)
{
	__atomic_store_n(&task->killed, yes, __ATOMIC_RELAXED);
}

void kernel_softirq_enter(void)
{
	atomic_depth++;
	softirq_depth++;
}

void kernel_softirq_exit(void)
{
	softirq_depth--;
	atomic_depth--;
}

void kernel_bh_off(void)
{
	bh_depth++;
}

void kernel_bh_on(void)
{
	bh_depth--;
}

void might_sleep(void)
{
	if (atomic_depth)
		kernel_fail("it may sleep, and may not");
	kernel_jitter();
}

__attribute__((noinline, no_sanitize_thread))
void kernel_read_once(void *to, const volatile void *from, size_t size)
{
	switch (size) {
	case 1:
		*(u8 *)to = *(const volatile u8 *)from;
		break;
	case 2:
		*(u16 *)to = *(const volatile u16 *)from;
		break;
	case 4:
		*(u32 *)to = *(const volatile u32 *)from;
		break;
	case 8:
		*(u64 *)to = *(const volatile u64 *)from;
		break;
	default:
		kernel_fail("READ_ONCE of what is no word");
	}
}

void kernel_mb(void)
{
	static int word;

	__atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
	kernel_jitter();
}

static u64 now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

unsigned long kernel_jiffies(void)
{
	return now_us() / kernel_jiffy_us;
}

u64 ktime_get_ns(void)
{
	return now_us() * NSEC_PER_USEC;
}

void spin_lock_init(spinlock_t *l)
{
	pthread_mutex_init(&l->mutex, NULL);
	l->held = false;
	l->met = 0;
}

#define MET_SOFTIRQ	1U
#define MET_BH_ON	2U

/* As lockdep has it. */
static void lock_meet(spinlock_t *l)
{
	u32 as = softirq_depth ? MET_SOFTIRQ :
		bh_depth && !kernel_bh_always ? 0 : MET_BH_ON;

	if ((__atomic_fetch_or(&l->met, as, __ATOMIC_RELAXED) | as) == (MET_SOFTIRQ | MET_BH_ON))
		kernel_fail("a soft interrupt's lock is taken with bottom halves on");
}

void spin_lock(spinlock_t *l)
{
	kernel_jitter();
	lock_meet(l);
	atomic_depth++;
	if (kernel_unlocked)
		return;
	pthread_mutex_lock(&l->mutex);
	l->holder = pthread_self();
	l->held = true;
}

void spin_unlock(spinlock_t *l)
{
	atomic_depth--;
	if (kernel_unlocked)
		return;
	kernel_held(l);
	l->held = false;
	pthread_mutex_unlock(&l->mutex);
	kernel_jitter();
}

/* Without a lock it is read, but only the holder finds itself there. */
__attribute__((noinline, no_sanitize_thread))
void kernel_held(spinlock_t *l)
{
	if (!kernel_unlocked && (!l->held || l->holder != pthread_self()))
		kernel_fail("a lock that is not held");
}

void init_waitqueue_head(wait_queue_head_t *q)
{
	pthread_mutex_init(&q->mutex, NULL);
	pthread_cond_init(&q->cond, NULL);
	q->wakes = 0;
	q->alone = NULL;
}

/* With the mutex. */
static void wake_alone(wait_queue_head_t *q)
{
	struct kernel_sleeper *s = q->alone;

	if (!s || kernel_wakeless)
		return;
	q->alone = s->next;
	s->woken = 1;
}

static void wake(wait_queue_head_t *q, bool all)
{
	kernel_jitter();
	pthread_mutex_lock(&q->mutex);
	q->wakes++;
	do
		wake_alone(q);
	while (all && q->alone && !kernel_wakeless);
	pthread_cond_broadcast(&q->cond);
	pthread_mutex_unlock(&q->mutex);
}

void wake_up_all(wait_queue_head_t *q)
{
	wake(q, true);
}

void wake_up(wait_queue_head_t *q)
{
	wake(q, false);
}

u32 kernel_wait_begin(wait_queue_head_t *q)
{
	u32 wakes;

	pthread_mutex_lock(&q->mutex);
	wakes = q->wakes;
	pthread_mutex_unlock(&q->mutex);
	kernel_jitter();
	return wakes;
}

/* With the mutex, which is let go of meanwhile. */
static void sleep_slice(pthread_cond_t *cond, pthread_mutex_t *mutex, u64 us)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += us * 1000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	pthread_cond_timedwait(cond, mutex, &t);
}

static bool is_killed(bool killable)
{
	return killable && __atomic_load_n(&kernel_task.killed, __ATOMIC_RELAXED);
}

/* Who gives up what he waited for is slow about it: it may come just then. */
static void give_up(pthread_mutex_t *mutex)
{
	pthread_mutex_unlock(mutex);
	if (kernel_moody && kernel_chance(2))
		kernel_nap(kernel_random() % 1000);
	pthread_mutex_lock(mutex);
}

/* Until *@word is not @was: microseconds left of @us, 0, or -ERESTARTSYS. */
static s64 sleep_while(pthread_cond_t *cond, pthread_mutex_t *mutex, const u32 *word,
		       u32 was, bool killable, u64 us)
{
	u64 begin = now_us(), spent;

	while (*word == was) {
		spent = now_us() - begin;
		if (is_killed(killable) || spent >= us) {
			give_up(mutex);
			return spent < us ? -ERESTARTSYS : 0;
		}
		sleep_slice(cond, mutex, min_t(u64, us - spent, SLICE_US));
	}
	spent = now_us() - begin;
	return us > spent ? us - spent : 1;
}

static u64 jiffies_us(long n)
{
	return n > LONG_MAX / (long)kernel_jiffy_us ? LONG_MAX : n * kernel_jiffy_us;
}

static long us_jiffies(s64 us)
{
	return us <= 0 ? us : (us - 1) / kernel_jiffy_us + 1;
}

long kernel_wait(wait_queue_head_t *q, u32 wakes, bool killable, long left)
{
	s64 us;

	pthread_mutex_lock(&q->mutex);
	us = sleep_while(&q->cond, &q->mutex, &q->wakes, wakes, killable, jiffies_us(left));
	pthread_mutex_unlock(&q->mutex);
	return us_jiffies(us);
}

/* With the mutex; it may have been woken, and is not there then. */
static void alone_remove(wait_queue_head_t *q, struct kernel_sleeper *s)
{
	struct kernel_sleeper **from = &q->alone;

	while (*from && *from != s)
		from = &(*from)->next;
	if (*from)
		*from = s->next;
}

void kernel_alone_begin(wait_queue_head_t *q, struct kernel_sleeper *s)
{
	struct kernel_sleeper **last = &q->alone;

	pthread_mutex_lock(&q->mutex);
	while (*last)
		last = &(*last)->next;
	s->next = NULL;
	s->woken = 0;
	*last = s;
	pthread_mutex_unlock(&q->mutex);
	kernel_jitter();
}

int kernel_alone_wait(wait_queue_head_t *q, struct kernel_sleeper *s)
{
	s64 us;

	pthread_mutex_lock(&q->mutex);
	us = sleep_while(&q->cond, &q->mutex, &s->woken, 0, true, LONG_MAX);
	alone_remove(q, s);
	pthread_mutex_unlock(&q->mutex);
	return us < 0 ? us : 0;
}

void kernel_alone_end(wait_queue_head_t *q, struct kernel_sleeper *s)
{
	pthread_mutex_lock(&q->mutex);
	alone_remove(q, s);
	pthread_mutex_unlock(&q->mutex);
}

void init_completion(struct completion *c)
{
	c->done = 0;
	init_waitqueue_head(&c->wait);
}

void complete(struct completion *c)
{
	kernel_jitter();
	pthread_mutex_lock(&c->wait.mutex);
	WRITE_ONCE(c->done, c->done + 1);
	pthread_cond_broadcast(&c->wait.cond);
	pthread_mutex_unlock(&c->wait.mutex);
}

bool completion_done(struct completion *c)
{
	bool done;

	pthread_mutex_lock(&c->wait.mutex);
	done = c->done;
	pthread_mutex_unlock(&c->wait.mutex);
	return done;
}

static long wait_completion(struct completion *c, long timeout, bool killable)
{
	s64 us;

	might_sleep();
	pthread_mutex_lock(&c->wait.mutex);
	us = sleep_while(&c->wait.cond, &c->wait.mutex, &c->done, 0, killable,
			 jiffies_us(timeout));
	if (us > 0)
		WRITE_ONCE(c->done, c->done - 1);
	pthread_mutex_unlock(&c->wait.mutex);
	return us_jiffies(us);
}

long wait_for_completion_timeout(struct completion *c, long timeout)
{
	return wait_completion(c, timeout, false);
}

long wait_for_completion_killable_timeout(struct completion *c, long timeout)
{
	return wait_completion(c, timeout, true);
}

void kernel_reclaim(gfp_t gfp)
{
	if (!(gfp & GFP_KERNEL))
		return;
	might_sleep();
	if (kernel_short && kernel_chance(8))
		kernel_nap(kernel_random() % 2000);
}

bool kernel_no_memory(void)
{
	if (!kernel_short || !kernel_chance(kernel_short))
		return false;
	__atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
	return true;
}

u64 kernel_refused(void)
{
	return __atomic_load_n(&refused, __ATOMIC_RELAXED);
}

void *kzalloc(size_t size, gfp_t gfp)
{
	kernel_reclaim(gfp);
	if (kernel_no_memory())
		return NULL;
	__atomic_fetch_add(&allocated, 1, __ATOMIC_RELAXED);
	return calloc(1, size);
}

void kfree(const void *p)
{
	if (p)
		__atomic_fetch_sub(&allocated, 1, __ATOMIC_RELAXED);
	free((void *)p);
}

long kernel_allocated(void)
{
	return __atomic_load_n(&allocated, __ATOMIC_RELAXED);
}

static bool control_fails(int control, const char *name, const char *say)
{
	char command[256], line[512];
	bool said = false;
	regex_t want;
	FILE *out;
	int status;

	if (regcomp(&want, say, REG_EXTENDED | REG_NOSUB))
		return false;
	snprintf(command, sizeof(command), "exec 2>&1 /proc/%d/exe %d", getpid(), control);
	out = popen(command, "r");
	while (out && fgets(line, sizeof(line), out)) {
		kernel_log("%s: %s", name, line);
		said |= !regexec(&want, line, 0, NULL, 0);
	}
	regfree(&want);
	status = out ? pclose(out) : 0;
	if (!status || !said)
		fprintf(stderr, "control %s: status %d, %ssaid: %s\n", name, status,
			said ? "" : "not ", say);
	return status && said;
}

bool kernel_control_fails(int control, const char *name, const char *say)
{
	u32 tries = CONTROL_TRIES;

	while (tries--)
		if (control_fails(control, name, say))
			return true;
	return false;
}

/* link/point.c: no test is made to stop. */
u32 point_armed;
void point_stop(u32 point);

void point_stop(u32 point)
{
	abort();
}

bool kernel_again(int control)
{
	char command[64];

	fflush(stdout);
	snprintf(command, sizeof(command), "exec /proc/%d/exe %d", getpid(), control);
	return !system(command);
}

int kernel_begin(int argc, char **argv)
{
	const char *text = getenv("SEED");

	seed = text ? strtoull(text, NULL, 0) : (u64)time(NULL);
	printf("SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	return argc > 1 ? atoi(argv[1]) : 0;
}
