// SPDX-License-Identifier: GPL-2.0-only
/*
 * thread.c - threads of the kernel's own, and work for soft interrupts
 */
#include <pthread.h>
#include <stdlib.h>
#include <linux/kthread.h>
#include <linux/workqueue.h>

struct kthread {
	struct task_struct task;	/* for others: its name */
	pthread_t thread;
	int (*run)(void *arg);
	void *arg;
	bool stop;
};

static _Thread_local struct kthread *self;

static void *kthread_main(void *arg)
{
	self = arg;
	return (void *)(long)self->run(self->arg);
}

struct task_struct *kthread_run(int (*run)(void *arg), void *arg, const char *name)
{
	struct kthread *k = calloc(1, sizeof(*k));

	k->run = run;
	k->arg = arg;
	pthread_create(&k->thread, NULL, kthread_main, k);
	return &k->task;
}

int kthread_stop(struct task_struct *task)
{
	struct kthread *k = container_of(task, struct kthread, task);
	void *status;

	__atomic_store_n(&k->stop, true, __ATOMIC_RELEASE);
	pthread_join(k->thread, &status);
	free(k);
	return (long)status;
}

bool kthread_should_stop(void)
{
	return __atomic_load_n(&self->stop, __ATOMIC_ACQUIRE);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* all below */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct work_struct *first, *running;

static struct work_struct *work_take(void)
{
	struct work_struct *work;

	pthread_mutex_lock(&lock);
	running = NULL;
	pthread_cond_broadcast(&changed);
	while (!first)
		pthread_cond_wait(&changed, &lock);
	work = first;
	first = work->next;
	/* From now on it can be queued again. */
	work->pending = false;
	running = work;
	pthread_mutex_unlock(&lock);
	return work;
}

static void *bh_thread(void *unused)
{
	struct work_struct *work;

	for (;;) {
		work = work_take();
		kernel_softirq_enter();
		work->func(work);
		kernel_softirq_exit();
		kernel_jitter();
	}
	return NULL;
}

static void bh_begin(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, bh_thread, NULL);
	pthread_detach(thread);
}

bool queue_work(void *unused, struct work_struct *work)
{
	struct work_struct **last = &first;
	bool queued;

	pthread_once(&once, bh_begin);
	pthread_mutex_lock(&lock);
	queued = !work->pending;
	if (queued) {
		while (*last)
			last = &(*last)->next;
		work->next = NULL;
		work->pending = true;
		*last = work;
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&lock);
	return queued;
}

void cancel_work_sync(struct work_struct *work)
{
	struct work_struct **from = &first;

	might_sleep();
	pthread_mutex_lock(&lock);
	while (*from && *from != work)
		from = &(*from)->next;
	if (*from)
		*from = work->next;
	work->pending = false;
	while (running == work)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}
