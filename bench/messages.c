// SPDX-License-Identifier: GPL-2.0-only
/*
 * messages.c - what there and back costs, by several ways
 *
 *	bench-messages line FILE N	a word of FILE's first page: N times from one
 *	bench-messages line FILE	process to the other, which is on another image
 *	bench-messages futex N		two threads of this image, on CPUs 0 and 1
 *	bench-messages wake FILE N	two processes that share FILE's first page, of one
 *	bench-messages wake FILE	image or of two
 *	bench-messages stat FILE N	fstat of an open file
 *	bench-messages write FILE N	pwrite of 4 KiB, at the beginning
 *	bench-messages fuse DIR		be a file system that answers at once, with a file
 *					"f", until killed
 *
 * Prints "MEDIAN MIN", ns of one.
 */
#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 17)

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench/took.h"

#define PAGE		4096
#define CALLS_MAX	100000
#define PATIENCE_NS	60000000000ULL	/* for the other side */

static uint64_t took[CALLS_MAX];

/* Wait until *@p is @value. */
static void line_await(_Atomic uint64_t *p, uint64_t value)
{
	const uint64_t end = now() + PATIENCE_NS;

	for (uint64_t i = 1; atomic_load(p) != value; i++) {
		__builtin_ia32_pause();
		if (!(i % 65536) && now() > end) {
			errno = ETIMEDOUT;
			die("the other side");
		}
	}
}

static _Atomic uint64_t *line_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *p;

	if (fd < 0)
		die(path);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die(path);
	return p;
}

/* The word is odd on its way there, even on its way back; the one after it says how far. */
static int line_ask(const char *path, int n)
{
	_Atomic uint64_t *p = line_map(path);
	uint64_t begin;

	atomic_store(p, 0);
	atomic_store(p + 1, 2 * n);
	line_await(p + 2, 1);
	for (int i = 0; i < n; i++) {
		begin = now();
		atomic_store(p, 2 * i + 1);
		line_await(p, 2 * i + 2);
		took[i] = now() - begin;
	}
	return took_show(took, n);
}

static int line_answer(const char *path)
{
	_Atomic uint64_t *p = line_map(path);
	const uint64_t last = atomic_load(p + 1);

	atomic_store(p + 2, 1);
	for (uint64_t i = 1; i < last; i += 2) {
		line_await(p, i);
		atomic_store(p, i + 1);
	}
	return 0;
}

static int futex_word[2];	/* 1: the thread is to go on */

static void futex_await(int *word, int private)
{
	while (!__atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, word, FUTEX_WAIT | private, 0, NULL, NULL, 0);
}

static void futex_go(int *word, int private)
{
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE | private, 1, NULL, NULL, 0);
}

/* N times there and back. */
static int futex_ask(int *there, int *back, int n, int private)
{
	uint64_t begin;

	for (int i = 0; i < n; i++) {
		begin = now();
		futex_go(there, private);
		futex_await(back, private);
		took[i] = now() - begin;
	}
	return took_show(took, n);
}

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("two CPUs are needed");
}

static void *futex_other(void *arg)
{
	on_cpu(1);
	for (;;) {
		futex_await(&futex_word[1], FUTEX_PRIVATE_FLAG);
		futex_go(&futex_word[0], FUTEX_PRIVATE_FLAG);
	}
	return arg;
}

static int futex(int n)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, futex_other, NULL))
		die("thread");
	on_cpu(0);
	return futex_ask(&futex_word[1], &futex_word[0], n, FUTEX_PRIVATE_FLAG);
}

/* In a file: behind what line has there.  The third word is set by who is there to answer. */
static int *wake_map(const char *path)
{
	return (int *)line_map(path) + PAGE / sizeof(int) / 2;
}

static int wake_ask(const char *path, int n)
{
	int *word = wake_map(path);

	word[3] = n;
	futex_await(&word[2], 0);
	return futex_ask(&word[1], &word[0], n, 0);
}

static int wake_answer(const char *path)
{
	int *word = wake_map(path);
	int n = word[3];

	futex_go(&word[2], 0);
	while (n--) {
		futex_await(&word[1], 0);
		futex_go(&word[0], 0);
	}
	return 0;
}

static int file_calls(const char *path, int n, int write)
{
	static char data[PAGE];
	int fd = open(path, write ? O_WRONLY | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC, 0644);
	struct stat st;
	uint64_t begin;
	int ret;

	if (fd < 0)
		die(path);
	for (int i = 0; i < n; i++) {
		begin = now();
		ret = write ? pwrite(fd, data, PAGE, 0) != PAGE : fstat(fd, &st);
		took[i] = now() - begin;
		if (ret)
			die(path);
	}
	return took_show(took, n);
}

static void null_stat(struct stat *st, fuse_ino_t node)
{
	*st = (struct stat) {
		.st_ino = node, .st_nlink = 1,
		.st_mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644,
	};
}

static void null_lookup(fuse_req_t req, fuse_ino_t dir, const char *name)
{
	struct fuse_entry_param e = { .ino = 2 };

	null_stat(&e.attr, 2);
	if (strcmp(name, "f"))
		fuse_reply_err(req, ENOENT);
	else
		fuse_reply_entry(req, &e);
}

static void null_getattr(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi)
{
	struct stat st;

	null_stat(&st, node);
	fuse_reply_attr(req, &st, 0);
}

static void null_open(fuse_req_t req, fuse_ino_t node, struct fuse_file_info *fi)
{
	fuse_reply_open(req, fi);
}

/* With as many threads as mount.ccfs has, each with a descriptor of its own. */
static int fuse(const char *dir)
{
	static const struct fuse_lowlevel_ops ops = {
		.lookup = null_lookup, .getattr = null_getattr, .open = null_open,
	};
	char *argv[] = { "bench-messages", "-o", "fsname=null", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);
	struct fuse_session *se = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	struct fuse_loop_config *config = fuse_loop_cfg_create();

	if (!se || !config || fuse_session_mount(se, dir))
		die(dir);
	fuse_loop_cfg_set_clone_fd(config, 1);
	fuse_loop_cfg_set_idle_threads(config, 16);
	return fuse_session_loop_mt(se, config);
}

static int calls(const char *text)
{
	int n = atoi(text);

	if (n > 0 && n <= CALLS_MAX)
		return n;
	errno = ERANGE;
	die(text);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (!strcmp(what, "line") && argc == 3)
		return line_answer(argv[2]);
	if (!strcmp(what, "line") && argc == 4)
		return line_ask(argv[2], calls(argv[3]));
	if (!strcmp(what, "futex"))
		return futex(calls(argv[2]));
	if (!strcmp(what, "wake") && argc == 3)
		return wake_answer(argv[2]);
	if (!strcmp(what, "wake") && argc == 4)
		return wake_ask(argv[2], calls(argv[3]));
	if ((!strcmp(what, "stat") || !strcmp(what, "write")) && argc == 4)
		return file_calls(argv[2], calls(argv[3]), *what == 'w');
	if (!strcmp(what, "fuse"))
		return fuse(argv[2]);
	fprintf(stderr, "bench-messages: what to measure, and of what?\n");
	return 2;
}
