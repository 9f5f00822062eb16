// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-futex.c - wakes from one image to another: the kernel's own source files
 *
 * wait.c and wake.c of two images, which are processes, and in each what Linux' futexes do
 * for one image: words with tokens, threads that take one or wait for it, with a time-out at
 * times, and threads that put some there and wake.  Messages get lost, come twice, or wait
 * for others; which word is whose is the same for both.  In each round as many tokens are put
 * as are taken.  What must not be:
 *
 *	a thread that waits although there is a token: a wake is lost
 *	anybody counted, or on a list, at the end
 *
 * and, compiled for the thread sanitizer, a data race.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/futex.h>
#include "box/ctl.h"
#include "futex/futex.h"
#include "link/peer.h"

#define IMAGES		2
#define WORDS		3	/* of them two in one hash slot */
#define TAKERS		4	/* of an image */
#define PUTTERS		2
#define ROUNDS		1500	/* in each a taker takes one token */
#define LOST_S		8	/* so long nobody waits for the tick */
#define QUEUE		64	/* messages */
#define TICK_US		2000

u32 ctl_self, ctl_nr_images = IMAGES;

static enum {
	NOTHING,
	NOT_HANDED,	/* who is woken twice keeps both wakes */
	NOT_TICKED,	/* nobody looks whether a message got lost */
	NOT_COUNTED,	/* the others do not see who waits */
	BH_ON,		/* bottom halves are never off */
	UNLOCKED,	/* spinlocks lock nothing */
} control;

static struct box {
	struct sharedpc_futex futex[IMAGES];
	int tokens[WORDS];
	struct {
		pthread_mutex_t lock;
		struct sharedpc_msg msg[QUEUE];
		u32 head, tail;
	} queue[IMAGES];	/* to each */
	pthread_barrier_t round, done;
	bool end;
	struct {
		u64 handed, woken, lost, doubts;
	} seen;
} *box;

static u32 words[WORDS];		/* only their addresses count */

static void wrong_if(bool is, const char *what)
{
	if (is)
		kernel_fail(what);
}

/* What wait.c and wake.c use of others. */

struct sharedpc_futex *ctl_futex(u32 image)
{
	static struct sharedpc_futex nobody;

	return control == NOT_COUNTED && image != ctl_self ? &nobody : &box->futex[image];
}

bool peer_up(u32 image)
{
	return true;
}

u32 peer_epoch(u32 image)
{
	return 1;
}

bool futex_name(u32 __user *uaddr, struct futex_name *name)
{
	*name = (struct futex_name){ .identity = 1 + (uaddr - words) };
	return true;
}

u32 futex_slot(const struct futex_name *name)
{
	return name->identity / 2;
}

static void queue_put(u32 image, const struct sharedpc_msg *msg)
{
	pthread_mutex_lock(&box->queue[image].lock);
	if (box->queue[image].head - box->queue[image].tail < QUEUE)
		box->queue[image].msg[box->queue[image].head++ % QUEUE] = *msg;
	pthread_mutex_unlock(&box->queue[image].lock);
}

int peer_send(u32 image, const struct sharedpc_msg *msg, const void *body, u32 body_len)
{
	/* What wakes all would hide it. */
	if (control != NOT_HANDED && kernel_chance(20)) {
		__atomic_fetch_add(&box->seen.lost, 1, __ATOMIC_RELAXED);
		return 0;
	}
	queue_put(image, msg);
	if (kernel_chance(20))
		queue_put(image, msg);
	return 0;
}

static bool queue_get(struct sharedpc_msg *msg)
{
	bool got;

	pthread_mutex_lock(&box->queue[ctl_self].lock);
	got = box->queue[ctl_self].head != box->queue[ctl_self].tail;
	if (got)
		*msg = box->queue[ctl_self].msg[box->queue[ctl_self].tail++ % QUEUE];
	pthread_mutex_unlock(&box->queue[ctl_self].lock);
	return got;
}

/* Linux, for one image. */

struct sleeper {
	struct task_struct *task;
	struct sleeper *next;
	u32 word;
	bool woken;
};

static pthread_mutex_t linux_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t linux_cond = PTHREAD_COND_INITIALIZER;
static struct sleeper *sleepers;
static _Thread_local bool notified;
static struct {
	struct task_struct *task;
	bool *notified;
} flags[TAKERS];		/* under linux_lock: one begins while another is woken */

void set_tsk_thread_flag(struct task_struct *task, int flag)
{
	u32 i;

	pthread_mutex_lock(&linux_lock);
	for (i = 0; i < TAKERS; i++)
		if (flags[i].task == task)
			__atomic_store_n(flags[i].notified, true, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&linux_lock);
}

int default_wake_function(struct wait_queue_entry *e, unsigned int mode, int wake, void *key)
{
	pthread_mutex_lock(&linux_lock);
	pthread_cond_broadcast(&linux_cond);
	pthread_mutex_unlock(&linux_lock);
	return 1;
}

static bool token_take(u32 word)
{
	int n = __atomic_load_n(&box->tokens[word], __ATOMIC_SEQ_CST);

	while (n > 0)
		if (__atomic_compare_exchange_n(&box->tokens[word], &n, n - 1, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
	return false;
}

/* Off the list, if it is there. */
static void sleeper_off(struct sleeper *s)
{
	struct sleeper **at = &sleepers;

	while (*at && *at != s)
		at = &(*at)->next;
	if (*at)
		*at = s->next;
}

static struct timespec soon(u32 ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += ms % 1000 * 1000000L;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static int linux_wait(u32 word, bool seldom)
{
	struct sleeper s = { .task = current, .word = word }, **last = &sleepers;
	struct timespec end = soon(seldom ? 1 : LOST_S * 1000);
	int ret = 0, err = 0;

	pthread_mutex_lock(&linux_lock);
	if (__atomic_load_n(&box->tokens[word], __ATOMIC_SEQ_CST) > 0) {
		pthread_mutex_unlock(&linux_lock);
		return -EAGAIN;
	}
	while (*last)
		last = &(*last)->next;
	*last = &s;
	while (!s.woken && !__atomic_load_n(&notified, __ATOMIC_SEQ_CST) && !err)
		err = pthread_cond_timedwait(&linux_cond, &linux_lock, &end);
	sleeper_off(&s);
	if (!s.woken)
		ret = err ? -ETIMEDOUT : -ERESTARTSYS;
	pthread_mutex_unlock(&linux_lock);
	return ret;
}

static int linux_wake(u32 word)
{
	struct sleeper *s;
	int woken = 0;

	pthread_mutex_lock(&linux_lock);
	for (s = sleepers; s && !woken; s = s->next) {
		woken = s->word == word && !s->woken;
		s->woken |= woken;
	}
	pthread_cond_broadcast(&linux_cond);
	pthread_mutex_unlock(&linux_lock);
	return woken;
}

/* As hook.c has it. */

static void hooked_wait(u32 word)
{
	bool seldom = control != NOT_HANDED && kernel_chance(4), wanted;
	struct futex_waiter w;
	int ret;

	futex_name(&words[word], &w.name);
	futex_enter(&w, FUTEX_BITSET_MATCH_ANY);
	kernel_jitter();
	ret = linux_wait(word, seldom);
	kernel_jitter();
	wanted = ret == -ETIMEDOUT || ret == -ERESTARTSYS || control == NOT_HANDED;
	if (!futex_leave(&w, wanted) && ret == -ETIMEDOUT && !seldom)
		wrong_if(__atomic_load_n(&box->tokens[word], __ATOMIC_SEQ_CST) > 0,
			 "a wake is lost");
	__atomic_store_n(&notified, false, __ATOMIC_SEQ_CST);
}

static void hooked_wake(u32 word)
{
	int woken = linux_wake(word);

	kernel_jitter();
	futex_forward(&words[word], 1, woken, FUTEX_BITSET_MATCH_ANY);
}

/* Who works. */

static void *taker(void *arg)
{
	u32 i, word = (long)arg % WORDS;

	pthread_mutex_lock(&linux_lock);
	flags[(long)arg].task = current;
	flags[(long)arg].notified = &notified;
	pthread_mutex_unlock(&linux_lock);
	for (i = 0; i < ROUNDS; i++) {
		while (!token_take(word))
			hooked_wait(word);
		pthread_barrier_wait(&box->round);
	}
	return NULL;
}

/* One for each taker of this image, of whom one of another may take it. */
static void *putter(void *arg)
{
	u32 i, n, word;

	for (i = 0; i < ROUNDS; i++) {
		for (n = (long)arg; n < TAKERS; n += PUTTERS) {
			word = n % WORDS;
			__atomic_fetch_add(&box->tokens[word], 1, __ATOMIC_SEQ_CST);
			hooked_wake(word);
			kernel_jitter();
		}
		pthread_barrier_wait(&box->round);
	}
	return NULL;
}

static void *soft_interrupt(void *arg)
{
	struct sharedpc_msg msg;

	while (!__atomic_load_n(&box->end, __ATOMIC_RELAXED)) {
		if (!queue_get(&msg)) {
			kernel_nap(20);
			continue;
		}
		kernel_softirq_enter();
		futex_woken(!ctl_self, &msg);
		kernel_softirq_exit();
	}
	return NULL;
}

static void *ticker(void *arg)
{
	while (!__atomic_load_n(&box->end, __ATOMIC_RELAXED)) {
		kernel_nap(TICK_US);
		if (control != NOT_TICKED)
			futex_tick();
	}
	return NULL;
}

static void image_run(u32 image)
{
	pthread_t thread[TAKERS + PUTTERS], bh, tick;
	u32 i;

	ctl_self = image;
	kernel_reseed(image);
	futex_wait_init();
	futex_wake_init();
	pthread_create(&bh, NULL, soft_interrupt, NULL);
	pthread_create(&tick, NULL, ticker, NULL);
	for (i = 0; i < TAKERS; i++)
		pthread_create(&thread[i], NULL, taker, (void *)(long)i);
	for (i = 0; i < PUTTERS; i++)
		pthread_create(&thread[TAKERS + i], NULL, putter, (void *)(long)i);
	for (i = 0; i < TAKERS + PUTTERS; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_wait(&box->done);
	__atomic_store_n(&box->end, true, __ATOMIC_RELAXED);
	pthread_join(bh, NULL);
	pthread_join(tick, NULL);
	wrong_if(box->futex[image].waiting, "somebody is still counted");
	for (i = 0; i < SHAREDPC_FUTEX_SLOTS; i++)
		wrong_if(box->futex[image].count[i], "somebody is still counted in a slot");
	__atomic_fetch_add(&box->seen.handed, atomic64_read(&futex_stat.handed), __ATOMIC_RELAXED);
	__atomic_fetch_add(&box->seen.woken, atomic64_read(&futex_stat.woken), __ATOMIC_RELAXED);
	__atomic_fetch_add(&box->seen.doubts, atomic64_read(&futex_stat.doubts), __ATOMIC_RELAXED);
}

static void box_make(void)
{
	pthread_barrierattr_t barrier;
	pthread_mutexattr_t mutex;
	u32 i;

	box = mmap(NULL, sizeof(*box), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	wrong_if(box == MAP_FAILED, "no memory");
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	for (i = 0; i < IMAGES; i++)
		pthread_mutex_init(&box->queue[i].lock, &mutex);
	pthread_barrierattr_init(&barrier);
	pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&box->round, &barrier, IMAGES * (TAKERS + PUTTERS));
	pthread_barrier_init(&box->done, &barrier, IMAGES);
}

static void run(void)
{
	pid_t pid[IMAGES];
	int status;
	u32 i;

	box_make();
	for (i = 0; i < IMAGES; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			image_run(i);
			_exit(0);
		}
	}
	for (i = 0; i < IMAGES; i++) {
		waitpid(-1, &status, 0);
		if (status) {
			kill(pid[0], SIGKILL);
			kill(pid[1], SIGKILL);
			kernel_fail("an image failed");
		}
	}
}

static void test_wakes(void **state)
{
	run();
	printf("woken %llu, handed on %llu, lost %llu, in doubt %llu\n", box->seen.woken,
	       box->seen.handed, box->seen.lost, box->seen.doubts);
	assert_true(box->seen.woken && box->seen.handed && box->seen.lost && box->seen.doubts);
}

static void test_control_not_handed(void **state)
{
	assert_true(kernel_control(NOT_HANDED, "a wake is lost"));
}

static void test_control_not_ticked(void **state)
{
	assert_true(kernel_control(NOT_TICKED, "a wake is lost"));
}

static void test_control_not_counted(void **state)
{
	assert_true(kernel_control(NOT_COUNTED, "a wake is lost"));
}

static void test_control_bh_on(void **state)
{
	assert_true(kernel_control(BH_ON, "with bottom halves on"));
}

static void test_control_unlocked(void **state)
{
#ifdef __SANITIZE_THREAD__
	assert_true(kernel_control(UNLOCKED, "data race"));
#else
	skip();
#endif
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wakes),
		cmocka_unit_test(test_control_not_handed),
		cmocka_unit_test(test_control_not_ticked),
		cmocka_unit_test(test_control_not_counted),
		cmocka_unit_test(test_control_bh_on),
		cmocka_unit_test(test_control_unlocked),
	};

	control = kernel_begin(argc, argv);
	kernel_moody = 20;
	kernel_unlocked = control == UNLOCKED;
	kernel_bh_always = control == BH_ON;
	if (control) {
		run();
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
