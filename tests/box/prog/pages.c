// SPDX-License-Identifier: GPL-2.0-only
/*
 * pages.c - what needs a struct page behind a shared mapping
 *
 *	pages ptrace FILE		a debugger reads and writes a child's mapping
 *	pages vm FILE			process_vm_readv and process_vm_writev
 *	pages futex FILE		two processes and one mutex in the file
 *	pages direct FILE DEVICE	O_DIRECT from and into the mapping
 *	pages late FILE DEVICE		"begins", then O_DIRECT into the mapping from a
 *					device that takes its time, and fsync
 *	pages around FILE		16 pages come with one message, a first
 *					write costs one, later ones none
 *
 * FILE has 32 pages, which the owner has in memory.  What was stored by such a way is read back by
 * pread.  Prints "NAME ok".
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	4096
#define TABLE	(512 * PAGE)
#define ROUNDS	20000
#define WORD	0x1122334455667788L

static int fd;
static char *map;		/* FILE, MAP_SHARED */

static int fail(const char *what)
{
	fprintf(stderr, "pages: %s: %s\n", what, strerror(errno));
	return 1;
}

/* A child that has the mapping and does nothing. */
static pid_t idler(void)
{
	pid_t pid = fork();

	while (!pid)
		pause();
	return pid;
}

static int check(off_t at, long want)
{
	long got = 0;

	if (pread(fd, &got, sizeof(got), at) == sizeof(got) && got == want)
		return 0;
	fprintf(stderr, "pages: at %ld is %lx, not %lx\n", (long)at, got, want);
	return 1;
}

static int do_ptrace(const char *device)
{
	pid_t pid = idler();
	long *word = (long *)(map + PAGE);
	int ret = 1;

	*word = WORD;
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) || waitpid(pid, NULL, 0) != pid)
		fail("attach");
	else if (ptrace(PTRACE_PEEKDATA, pid, word, NULL) != WORD)
		fail("peek");
	else if (ptrace(PTRACE_POKEDATA, pid, word, (void *)~WORD))
		fail("poke");
	else
		ret = check(PAGE, ~WORD);
	kill(pid, SIGKILL);
	return ret;
}

static int do_vm(const char *device)
{
	char in[100], out[100] = "written into another process";
	struct iovec mine = { in, sizeof(in) }, its = { map + 2 * PAGE - 50, sizeof(in) };
	pid_t pid = idler();
	int ret = 0;

	memset(map, 'v', 4 * PAGE);
	if (process_vm_readv(pid, &mine, 1, &its, 1, 0) != sizeof(in) || in[99] != 'v')
		ret = fail("process_vm_readv");
	mine.iov_base = out;
	if (process_vm_writev(pid, &mine, 1, &its, 1, 0) != sizeof(out) ||
	    pread(fd, in, sizeof(in), 2 * PAGE - 50) != sizeof(in) ||
	    memcmp(in, out, sizeof(in)))
		ret = fail("process_vm_writev");
	kill(pid, SIGKILL);
	return ret;
}

struct counted {
	pthread_mutex_t mutex;
	uint64_t count;
};

static void count(struct counted *c)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&c->mutex);
		c->count++;
		if (!(i % 100))
			sched_yield();	/* so that the other one has to wait */
		pthread_mutex_unlock(&c->mutex);
	}
}

static int do_futex(const char *device)
{
	struct counted *c = (struct counted *)map;
	pthread_mutexattr_t attr;
	int status;
	pid_t pid;

	memset(c, 0, sizeof(*c));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&c->mutex, &attr);
	pid = fork();
	count(c);
	if (!pid)
		_exit(0);
	if (waitpid(pid, &status, 0) != pid || status)
		return fail("child");
	return check(offsetof(struct counted, count), 2 * ROUNDS);
}

static int do_direct(const char *device)
{
	int dev = open(device ? device : "", O_RDWR | O_DIRECT);
	char got[PAGE];

	if (dev < 0)
		return fail("device");
	memset(map, 'a', PAGE);
	memset(map + PAGE, 'b', PAGE);
	if (pwrite(dev, map, 2 * PAGE, 0) != 2 * PAGE)
		return fail("O_DIRECT write from the mapping");
	if (pread(dev, map + 2 * PAGE, PAGE, PAGE) != PAGE)
		return fail("O_DIRECT read into the mapping");
	if (pread(fd, got, PAGE, 2 * PAGE) != PAGE || memcmp(got, map + PAGE, PAGE))
		return fail("what was read");
	return 0;
}

static int do_late(const char *device)
{
	int dev = open(device ? device : "", O_RDONLY | O_DIRECT);

	if (dev < 0)
		return fail("device");
	memset(map + 3 * PAGE, 'x', PAGE);
	puts("begins");
	fflush(stdout);
	if (pread(dev, map + 3 * PAGE, PAGE, 0) != PAGE)
		return fail("O_DIRECT read into the mapping");
	return fsync(fd) ? fail("fsync") : 0;
}

struct counters {
	unsigned long faults, around, fetches, upgrades;
};

static int counters(struct counters *c)
{
	static char text[4096];
	ssize_t n;
	char *line;
	int file = open("/sys/kernel/debug/sharedpc/counters", O_RDONLY);

	if (file < 0)
		return fail("counters");
	n = read(file, text, sizeof(text) - 1);
	close(file);
	text[n > 0 ? n : 0] = '\0';
	line = strstr(text, "client files");
	if (!line || sscanf(line, "client files %*u held %*u faults %lu around %lu fetches %lu upgrades %lu",
			    &c->faults, &c->around, &c->fetches, &c->upgrades) != 4)
		return fail("counters");
	return 0;
}

/* What happens when all the 16 pages from @p on are looked at, then one written. */
static int touch(volatile char *p, struct counters c[4])
{
	int ret = counters(&c[0]);

	(void)p[5 * PAGE];
	ret |= counters(&c[1]);
	for (int i = 0; i < 16; i++)
		(void)p[i * PAGE];
	ret |= counters(&c[2]);
	for (int i = 0; i < 100; i++)
		p[3 * PAGE + i] = 'x';
	return ret | counters(&c[3]);
}

static int expect(const char *what, unsigned long got, unsigned long want)
{
	if (got == want)
		return 0;
	fprintf(stderr, "pages: %s: %lu, not %lu\n", what, got, want);
	return 1;
}

static int do_around(const char *device)
{
	struct counters c[4];

	/* Once before it counts: the text of this program has faults as well. */
	if (touch(map, c) || touch(map + 16 * PAGE, c))
		return 1;
	return expect("messages for the first look", c[1].fetches - c[0].fetches, 1) |
	       expect("neighbours mapped", c[1].around - c[0].around, 15) |
	       expect("faults for 16 pages more", c[2].faults - c[1].faults, 0) |
	       expect("messages for 100 stores", c[3].fetches - c[2].fetches, 1) |
	       expect("upgrades", c[3].upgrades - c[2].upgrades, 1);
}

static const struct {
	const char *name;
	int (*run)(const char *device);
} commands[] = {
	{ "ptrace", do_ptrace }, { "vm", do_vm }, { "futex", do_futex },
	{ "direct", do_direct }, { "late", do_late }, { "around", do_around },
};

/* All in one page table: the neighbours of a page are mapped as far as its own goes. */
static void *map_file(void)
{
	char *room = mmap(NULL, 2 * TABLE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		return room;
	room += TABLE - (uintptr_t)room % TABLE;
	return mmap(room, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
}

int main(int argc, char **argv)
{
	int ret = 2;

	if (argc < 3)
		return 2;
	fd = open(argv[2], O_RDWR);
	if (fd < 0)
		return fail(argv[2]);
	map = map_file();
	if (map == MAP_FAILED)
		return fail("mmap");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			ret = commands[i].run(argc > 3 ? argv[3] : NULL);
	if (!ret)
		printf("%s ok\n", argv[1]);
	return ret;
}
