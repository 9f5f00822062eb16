// SPDX-License-Identifier: GPL-2.0-only
/*
 * test-lifecycle.c - what ccctl does in which order, with a make-believe
 * ccboot.ko and make-believe CPUs
 *
 * The linker sends image.o's and cpus.o's ioctl() here (--wrap).  There are two images,
 * web on CPUs 2 and 3, and db on CPU 4.  The state machine is ccboot.h's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <cmocka.h>

#include "boot/host/hotplug.h"
#include "boot/image/image.h"
#include "boot/image/state.h"
#include "boot/init/poweroff.h"
#include "boot/load/cmdline.h"
#include "boot/load/slice.h"

#define CPUS	5

static char file[] = "/tmp/test-lifecycle-XXXXXX";
static struct topo_cpu web_cpus[] = { { .cpu = 2 }, { .cpu = 3 } };
static struct topo_cpu db_cpus[] = { { .cpu = 4 } };
static struct range mem = { 0x50000000, 0x10000000, 0 };
static struct plan plan = {
	.nimages = 3,
	.images = {
		{ .id = 0, .name = "boot" },
		{ .id = 1, .name = "web", .cpus = web_cpus, .ncpus = 2,
		  .mem = &mem, .kernel = file, .initrd = file },
		{ .id = 2, .name = "db", .cpus = db_cpus, .ncpus = 1,
		  .mem = &mem, .kernel = file, .initrd = file },
	},
};
static struct plan_image *const images = plan.images;
static struct box box = { .plan = &plan };
static const struct plan_image *web = &plan.images[1];

/* The make-believe box. */
static uint32_t state[3];
static bool online[CPUS];
static int dying_polls;		/* status calls until DYING becomes LENT */
static int stop_errno, start_errno, load_ret, check_ret;
static bool stop_stuck;
static int nloads, nstarts, nstops;
static struct sharedpc_slot slots[3];
static struct why why;

static bool signals_wait(void)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, SIGINT) && sigismember(&set, SIGTERM) &&
		sigismember(&set, SIGHUP);
}

static bool lent(int cpu)
{
	for (int id = 1; id < 3; id++)
		for (int i = 0; i < images[id].ncpus; i++)
			if (images[id].cpus[i].cpu == cpu &&
			    state[id] >= CCBOOT_LENT)
				return true;
	return false;
}

static int do_lend(uint32_t id)
{
	for (int i = 0; i < images[id].ncpus; i++)
		if (online[images[id].cpus[i].cpu] ||
		    lent(images[id].cpus[i].cpu))
			return -EBUSY;
	if (state[id] != CCBOOT_IDLE)
		return -EBUSY;
	state[id] = CCBOOT_LENT;
	return 0;
}

static int do_start(uint32_t id)
{
	assert_true(signals_wait());
	nstarts++;
	if (state[id] != CCBOOT_LENT)
		return -EBUSY;
	if (!start_errno)
		state[id] = CCBOOT_RUNNING;
	return -start_errno;
}

static int do_stop(uint32_t id)
{
	nstops++;
	if (stop_errno) {
		state[id] = stop_stuck ? CCBOOT_STUCK : CCBOOT_DYING;
		return -stop_errno;
	}
	if (state[id] == CCBOOT_RUNNING || state[id] == CCBOOT_DYING)
		state[id] = CCBOOT_LENT;
	return 0;
}

static int do_return(uint32_t id)
{
	assert_true(signals_wait());
	if (state[id] != CCBOOT_LENT)
		return -EBUSY;
	state[id] = CCBOOT_IDLE;
	return 0;
}

static int do_add(const struct ccboot_image *spec)
{
	if (state[spec->id] != CCBOOT_ABSENT)
		return -EEXIST;
	state[spec->id] = CCBOOT_IDLE;
	return 0;
}

static int call(unsigned long request, void *arg)
{
	switch (request) {
	case CCBOOT_IOC_APIC:
		return 0;
	case CCBOOT_IOC_ADD:
		return do_add(arg);
	case CCBOOT_IOC_LEND:
		return do_lend(*(uint32_t *)arg);
	case CCBOOT_IOC_RETURN:
		return do_return(*(uint32_t *)arg);
	case CCBOOT_IOC_START:
		return do_start(*(uint32_t *)arg);
	case CCBOOT_IOC_STOP:
		return do_stop(*(uint32_t *)arg);
	}
	return -ENOTTY;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = call(request, arg);

	if (ret)
		errno = -ret;
	return ret ? -1 : 0;
}

struct ccboot_status box_status(const struct box *b, int id)
{
	if (state[id] == CCBOOT_DYING && dying_polls && !--dying_polls)
		state[id] = CCBOOT_LENT;
	return (struct ccboot_status){ .id = id, .state = state[id] };
}

struct sharedpc_slot *box_slot(const struct box *b, int id)
{
	return &slots[id];
}

int hotplug_is_online(int cpu)
{
	return online[cpu];
}

int hotplug_set_online(int cpu, bool on, struct why *w)
{
	if (on && lent(cpu))
		return why_set(w, -EBUSY, "CPU %d is lent", cpu);
	online[cpu] = on;
	return 0;
}

int slice_check(const struct slice *slice, struct bzimage *bz,
		struct slice_layout *layout, struct why *w)
{
	return check_ret ? why_set(w, check_ret, "not a bzImage") : 0;
}

int slice_load(const struct slice *slice, int fd, struct why *w)
{
	assert_true(signals_wait());
	assert_int_equal(state[1], CCBOOT_LENT);
	nloads++;
	raise(SIGTERM);		/* comes when all steps are done */
	return load_ret ? why_set(w, load_ret, "cannot write") : 0;
}

bool plan_exports(const struct plan *p, const struct plan_image *img)
{
	return false;
}

char *cmdline_make(const struct plan *p, const struct plan_image *img,
		   const struct ccboot_info *info, uint64_t token)
{
	return strdup("");
}

const char *state_cause(const struct ccboot_status *status)
{
	return "ended";
}

const char *state_last_words(const struct sharedpc_slot *slot, char *buf,
			     size_t len)
{
	return strcpy(buf, "");
}

int poweroff_ask(unsigned int cid)
{
	return -ENOENT;
}

static volatile sig_atomic_t terms;

static void count(int sig)
{
	terms++;
}

static int setup(void **unused)
{
	int fd = mkstemp(file);
	bool ok = fd >= 0 && write(fd, "x", 1) == 1;

	signal(SIGTERM, count);
	close(fd);
	return ok ? 0 : -1;
}

static int teardown(void **unused)
{
	return unlink(file);
}

static int fresh(void **unused)
{
	memset(state, 0, sizeof(state));
	memset(slots, 0, sizeof(slots));
	for (int i = 0; i < CPUS; i++)
		online[i] = true;
	dying_polls = stop_errno = start_errno = load_ret = check_ret = 0;
	nloads = nstarts = nstops = 0;
	stop_stuck = false;
	terms = 0;
	why.text[0] = '\0';
	web_cpus[1].cpu = 3;
	images[1].kernel = file;
	return 0;
}

static void says(const char *what)
{
	if (!strstr(why.text, what))
		fail_msg("\"%s\" is not in: %s", what, why.text);
}

static void test_start_stop(void **unused)
{
	assert_int_equal(image_start(&box, web, &why), 0);
	assert_int_equal(state[1], CCBOOT_RUNNING);
	assert_int_equal(terms, 1);		/* after all steps */
	assert_false(signals_wait());
	assert_false(online[2] || online[3]);
	assert_int_equal(image_start(&box, web, &why), -EBUSY);
	says("already running");
	assert_int_equal(nloads, 1);
	assert_int_equal(image_stop(&box, web, 0, &why), 0);
	assert_int_equal(state[1], CCBOOT_IDLE);
	assert_true(online[2] && online[3]);
	assert_false(signals_wait());
}

static void test_start_undone(void **unused)
{
	load_ret = -EFAULT;
	assert_int_equal(image_start(&box, web, &why), -EFAULT);
	assert_int_equal(state[1], CCBOOT_IDLE);
	assert_true(online[2] && online[3]);
	load_ret = 0;
	start_errno = ENOEXEC;
	assert_int_equal(image_start(&box, web, &why), -ENOEXEC);
	assert_true(online[2] && online[3]);
	assert_false(signals_wait());
	assert_int_equal(terms, 2);
}

/* It has just panicked: its end is waited for, its CPUs stay lent. */
static void test_dying(void **unused)
{
	state[1] = CCBOOT_DYING;
	online[2] = online[3] = false;
	dying_polls = 5;
	assert_int_equal(image_start(&box, web, &why), 0);
	assert_int_equal(state[1], CCBOOT_RUNNING);
	assert_int_equal(nstarts, 1);
}

static void test_stuck(void **unused)
{
	state[1] = CCBOOT_STUCK;
	assert_int_equal(image_start(&box, web, &why), -EBUSY);
	says("did not stop");
	assert_int_equal(nloads, 0);
}

static void test_stop_late(void **unused)
{
	state[1] = CCBOOT_RUNNING;
	stop_errno = ETIMEDOUT;
	assert_int_equal(image_stop(&box, web, 0, &why), -ETIMEDOUT);
	says("still being stopped");
	stop_stuck = true;
	assert_int_equal(image_stop(&box, web, 0, &why), -ETIMEDOUT);
	says("not all of its CPUs stopped");
	stop_errno = EIO;
	assert_int_equal(image_stop(&box, web, 0, &why), -EIO);
	says("cannot be stopped: Input/output error");
}

/* A ccctl was killed before LEND.  db has got one of the CPUs meanwhile. */
static void test_recover(void **unused)
{
	state[1] = CCBOOT_IDLE;
	online[2] = online[3] = false;
	assert_int_equal(image_stop(&box, web, 0, &why), 0);
	assert_true(online[2] && online[3]);
	assert_int_equal(nstops, 0);
	state[2] = CCBOOT_RUNNING;
	web_cpus[1].cpu = 4;
	online[2] = online[4] = false;
	assert_int_equal(image_stop(&box, web, 0, &why), 0);
	assert_true(online[2]);
	assert_false(online[4]);
}

static void test_busy_cpu(void **unused)
{
	state[2] = CCBOOT_RUNNING;
	web_cpus[1].cpu = 4;
	online[4] = false;
	assert_int_equal(image_start(&box, web, &why), -EBUSY);
	says("image web: its CPU 4 is busy: image db has it");
	assert_true(online[2]);
	assert_int_equal(nloads, 0);
}

static void test_check(void **unused)
{
	assert_int_equal(image_check(&box, web, &why), 0);
	images[1].kernel = (char *)"/no/kernel";
	assert_int_equal(image_check(&box, web, &why), -ENOENT);
	says("/no/kernel: the kernel of image web");
	images[1].kernel = file;
	check_ret = -ENOEXEC;
	assert_int_equal(image_check(&box, web, &why), -ENOEXEC);
	says("not a bzImage");
	assert_int_equal(image_check(&box, &images[0], &why), -EINVAL);
	says("boot image");
	assert_int_equal(state[1], CCBOOT_ABSENT);
	assert_true(online[2] && online[3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_start_stop, fresh),
		cmocka_unit_test_setup(test_start_undone, fresh),
		cmocka_unit_test_setup(test_dying, fresh),
		cmocka_unit_test_setup(test_stuck, fresh),
		cmocka_unit_test_setup(test_stop_late, fresh),
		cmocka_unit_test_setup(test_recover, fresh),
		cmocka_unit_test_setup(test_busy_cpu, fresh),
		cmocka_unit_test_setup(test_check, fresh),
	};

	return cmocka_run_group_tests_name("lifecycle", tests, setup, teardown);
}
