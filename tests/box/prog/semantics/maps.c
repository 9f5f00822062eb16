// SPDX-License-Identifier: GPL-2.0-only
/*
 * maps.c - mappings: who may have which, what faults, what msync and others say
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/box/prog/semantics/semantics.h"

static const struct { const char *name; int prot; } prots[] = {
	{ "none", PROT_NONE }, { "r", PROT_READ }, { "w", PROT_WRITE },
	{ "rw", PROT_READ | PROT_WRITE }, { "rx", PROT_READ | PROT_EXEC },
};

static const struct { const char *name; int flags; } kinds_of[] = {
	{ "SHARED", MAP_SHARED }, { "PRIVATE", MAP_PRIVATE },
	{ "VALIDATE", MAP_SHARED_VALIDATE }, { "neither", 0 },
	{ "SYNC", MAP_SHARED_VALIDATE | MAP_SYNC }, { "unknown", MAP_SHARED_VALIDATE | 1 << 28 },
	{ "POPULATE", MAP_SHARED | MAP_POPULATE }, { "LOCKED", MAP_SHARED | MAP_LOCKED },
	{ "NORESERVE", MAP_PRIVATE | MAP_NORESERVE }, { "32BIT", MAP_SHARED | MAP_32BIT },
	{ "HUGETLB", MAP_SHARED | MAP_HUGETLB }, { "GROWSDOWN", MAP_PRIVATE | MAP_GROWSDOWN },
	{ "DENYWRITE", MAP_SHARED | MAP_DENYWRITE },
};

static const struct { const char *name, *path; int flags; } files[] = {
	{ "rdonly", "file", O_RDONLY }, { "wronly", "file", O_WRONLY },
	{ "rdwr", "file", O_RDWR }, { "append", "file", O_RDWR | O_APPEND },
	{ "path", "file", O_PATH }, { "dir", "dir", O_RDONLY },
	{ "fifo", "fifo", O_RDWR | O_NONBLOCK }, { "null", "null", O_RDWR },
	{ "theirs", "theirs", O_RDONLY }, { "shared", "shared", O_RDWR },
};

static void map_all(int fd, const char *name)
{
	for (unsigned int k = 0; k < N(kinds_of); k++) {
		for (unsigned int p = 0; p < N(prots); p++) {
			void *m = mmap(NULL, PAGE, prots[p].prot, kinds_of[k].flags, fd, 0);

			say_ok(m == MAP_FAILED ? -1 : 0);
			if (m != MAP_FAILED)
				munmap(m, PAGE);
		}
		line("%s.%s", kinds_of[k].name, name);
	}
}

static void protect_all(int fd, const char *name)
{
	for (int shared = 0; shared < 2; shared++) {
		void *m = mmap(NULL, PAGE, PROT_NONE, shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);

		if (m == MAP_FAILED)
			continue;
		for (unsigned int p = 0; p < N(prots); p++)
			say_ok(mprotect(m, PAGE, prots[p].prot));
		munmap(m, PAGE);
		line("mprotect-%s.%s", shared ? "shared" : "private", name);
	}
}

static void odd_maps(void)
{
	int fd = open("file", O_RDWR);
	char *m;

	say_ok(mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
	line("length-0");
	say_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1) == MAP_FAILED ? -1 : 0);
	line("offset-1");
	say_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1l << 62) == MAP_FAILED ? -1 : 0);
	line("offset-far");
	say_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, -PAGE) == MAP_FAILED ? -1 : 0);
	line("offset-negative");
	say_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1l << 40) == MAP_FAILED ? -1 : 0);
	line("past-end");
	say_ok(mmap((void *)1, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ?
	       -1 : 0);
	line("fixed-odd");
	m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	say_ok(msync(m, PAGE, MS_ASYNC | MS_SYNC));
	say_ok(msync(m, PAGE, MS_ASYNC));
	say_ok(msync(m, PAGE, MS_SYNC));
	say_ok(msync(m, PAGE, MS_INVALIDATE));
	say_ok(msync(m, PAGE, MS_INVALIDATE | MS_SYNC));
	say_ok(msync(m, PAGE, 8));
	say_ok(msync(m + 1, PAGE, MS_SYNC));
	say_ok(msync(m, 0, MS_SYNC));
	line("msync");
	say_ok(mlock(m, PAGE));
	say_ok(msync(m, PAGE, MS_INVALIDATE));
	say_ok(munlock(m, PAGE));
	line("msync-locked");
	say_ok(syscall(SYS_remap_file_pages, m, PAGE, 0, 0, 0));
	line("remap_file_pages");
	m = mremap(m, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	say_ok(m == MAP_FAILED ? -1 : 0);
	say_ok(mremap(m, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
	say_ok(mremap(m, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP) == MAP_FAILED ? -1 : 0);
	line("mremap");
	munmap(m, 2 * PAGE);
	ok(msync(m, PAGE, MS_SYNC), "msync-nothing");
	close(fd);
}

void maps(void)
{
	as_root(make_all, "");
	for (unsigned int f = 0; f < N(files); f++) {
		int fd = open(files[f].path, files[f].flags);

		map_all(fd, files[f].name);
		protect_all(fd, files[f].name);
		close(fd);
	}
	odd_maps();
}

static sigjmp_buf back;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	siglongjmp(back, sig << 8 | info->si_code);
}

/* Load, or store, at @p: the byte, or the signal and its code. */
static void touch(volatile char *p, int store)
{
	int sig = sigsetjmp(back, 1);

	if (sig)
		tell("%s-%d", sig >> 8 == SIGBUS ? "SIGBUS" : "SIGSEGV", sig & 0xff);
	else if (store)
		*p = 'S', tell("ok");
	else
		tell("%d", *p);
}

static char *map_file(int fd, int prot, int flags, int pages)
{
	char *m = mmap(NULL, pages * PAGE, prot, flags, fd, 0);

	must(m == MAP_FAILED ? -1 : 0, "mmap");
	return m;
}

static void past_end(int flags, const char *name)
{
	int fd = make_file("f", O_TRUNC);
	char *m = map_file(fd, PROT_READ | PROT_WRITE, flags, 4);
	char c = 0;

	touch(m, 0);
	touch(m + 10, 0);
	touch(m + PAGE, 0);
	touch(m + PAGE, 1);
	touch(m + 20, 1);
	say_fd(fd);
	line("end.%s", name);
	must(ftruncate(fd, 2 * PAGE), "grow");
	touch(m + 20, 0);
	touch(m + PAGE, 0);
	touch(m + PAGE, 1);
	must(pread(fd, &c, 1, PAGE), "read");
	tell("in file %d", c);
	line("grown.%s", name);
	must(ftruncate(fd, 5), "shrink");
	touch(m + 8, 0);
	touch(m + PAGE, 0);
	touch(m + PAGE, 1);
	line("shrunk.%s", name);
	must(ftruncate(fd, 0), "empty");
	touch(m, 0);
	touch(m, 1);
	line("empty.%s", name);
	must(pwrite(fd, "new", 3, 0), "write");
	touch(m, 0);
	line("written.%s", name);
	munmap(m, 4 * PAGE);
	close(fd);
}

static void rights_of(void)
{
	int fd = make_file("f", O_TRUNC);
	char *m = map_file(fd, PROT_READ, MAP_SHARED, 1), c = 0;

	touch(m, 1);
	must(mprotect(m, PAGE, PROT_NONE), "mprotect");
	touch(m, 0);
	line("rights");
	munmap(m, PAGE);
	m = map_file(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE, 1);
	touch(m, 1);
	must(pread(fd, &c, 1, 0), "read");
	tell("in file %d", c);
	must(pwrite(fd, "w", 1, 0), "write");
	touch(m, 0);
	line("private");
	munmap(m, PAGE);
	/* the file is removed and closed: the mapping has it */
	m = map_file(fd, PROT_READ | PROT_WRITE, MAP_SHARED, 1);
	unlink("f");
	close(fd);
	touch(m, 0);
	touch(m, 1);
	line("removed");
	munmap(m, PAGE);
}

void faults(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	past_end(MAP_SHARED, "shared");
	past_end(MAP_PRIVATE, "private");
	rights_of();
}

static void advise(char *m, int fd, int from, int to, const char *name)
{
	for (int a = from; a <= to; a++) {
		say_ok(madvise(m, PAGE, a));
		tell("%lld", (long long)lseek(fd, 0, SEEK_END));
		line("madvise-%d.%s", a, name);
	}
}

void advice(void)
{
	int fd = make_file("f", 0);
	unsigned char in[4];
	char *m, c = 1;

	must(ftruncate(fd, 4 * PAGE), "grow");
	for (int shared = 0; shared < 2; shared++) {
		const char *name = shared ? "shared" : "private";

		m = map_file(fd, PROT_READ | PROT_WRITE, shared ? MAP_SHARED : MAP_PRIVATE, 4);
		advise(m, fd, 0, 4, name);
		/* 9, 12 to 15, 25: KSM and huge pages, as the kernel has them */
		advise(m, fd, 8, 11, name);
		advise(m, fd, 16, 24, name);
		advise(m, fd, 200, 200, name);
		munmap(m, 4 * PAGE);
	}
	must(pwrite(fd, TEXT, 10, 0), "write");
	ok(pread(fd, &c, 1, 0), "after");
	m = map_file(fd, PROT_READ, MAP_SHARED, 4);
	touch(m, 0);
	say_ok(mincore(m, PAGE, in));
	tell("%d", *in & 1);
	say_ok(mincore(m + 1, PAGE, in));
	say_ok(mincore(m, 5000 * PAGE, in));
	line("mincore");
	say_ok(madvise(m, PAGE, MADV_REMOVE));
	line("remove-readonly");
	say_ok(madvise(m, 8 * PAGE, MADV_POPULATE_READ));
	line("populate-past");
	munmap(m, 4 * PAGE);
	m = map_file(fd, PROT_READ | PROT_WRITE, MAP_SHARED, 8);
	say_ok(madvise(m, 8 * PAGE, MADV_POPULATE_READ));
	say_ok(madvise(m, 8 * PAGE, MADV_POPULATE_WRITE));
	line("populate-end");
	munmap(m, 8 * PAGE);
}
