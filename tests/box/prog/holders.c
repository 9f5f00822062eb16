// SPDX-License-Identifier: GPL-2.0-only
/*
 * holders.c - locks whose holders die, and who waits for them
 *
 *	holders run FILE BOARD PLACE COUNT	until workers of PLACE have had COUNT locks here:
 *						WORKERS processes lock parts of FILE, one after
 *						the other, and are killed at any moment
 *	holders dead BOARD PLACE		PLACE will be gone: all that its workers hold
 *						is nobody's
 *	holders sum BOARD			"LOCKS INTERRUPTED DEADLOCKS BUSY KILLED LONGEST",
 *						the longest wait in ms; or what is wrong
 *
 * FILE has words, of each kind of lock (posix, ofd, flock) its own, on BOARD, which is a file
 * as well. Who has a word's lock puts his name there, adds 1 and takes it away again: a name
 * that is there already is of one who has been killed, or two have had the lock. Half of the
 * waits are interrupted; others take PATIENCE seconds at most, or a wake-up has been lost. With
 * posix locks some take two parts in any order, and may be told of a deadlock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PLACES		8
#define WORKERS		3
#define WORDS		12	/* of each kind */
#define PATIENCE	100
#define KILL_MS		300	/* one of a place's workers, about so often */
#define WORD_SIZE	8	/* bytes of FILE that are a word's lock */

enum kind { POSIX, OFD, FLOCK, KINDS };

struct word {
	uint64_t count, holder;
};

struct slot {			/* of a worker, and those after it */
	uint64_t turn;		/* the current one */
	uint64_t dead;		/* all turns up to this one are, or will be in a moment */
	uint64_t locks, words, interrupted, deadlocks, busy, killed, longest_ms;
	uint64_t wrong;		/* what: as WRONG has it */
};

enum { TWICE = 1, TAKEN, LATE, FAILED };
static const char *const wrongs[] = {
	[TWICE] = "two have had a lock", [TAKEN] = "a lock has been taken away",
	[LATE] = "a wake-up has been lost", [FAILED] = "a call has failed",
};

static struct board {
	struct word words[KINDS][WORDS];
	struct slot slots[PLACES * WORKERS];
} *board;
static struct slot *me;
static uint64_t my_name;

static void die(const char *what)
{
	fprintf(stderr, "holders: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool is_dead(uint64_t name);

/* Of who is about to be killed, or whose mount has ended, nothing is expected. */
static void wrong(int what)
{
	if (is_dead(my_name))
		pause();
	__atomic_store_n(&me->wrong, what, __ATOMIC_SEQ_CST);
	_exit(1);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void board_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0666);

	if (fd < 0 || ftruncate(fd, sizeof(*board)))
		die(path);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board == MAP_FAILED)
		die(path);
	close(fd);
}

/* A slot and a turn. */
static bool is_dead(uint64_t name)
{
	uint64_t slot = name >> 48, turn = name & ((1ull << 48) - 1);

	return slot < PLACES * WORKERS &&
	       turn <= __atomic_load_n(&board->slots[slot].dead, __ATOMIC_SEQ_CST);
}

static void alarmed(int sig)
{
	(void)sig;
}

/* 0: none. */
static void alarm_ms(unsigned int ms)
{
	struct itimerval t = { .it_value = { ms / 1000, ms % 1000 * 1000 } };

	/* once more, if it comes before the wait has begun */
	if (ms)
		t.it_interval.tv_usec = 50000;
	setitimer(ITIMER_REAL, &t, NULL);
}

static int set(int fd, enum kind kind, short type, int first, int n, bool wait)
{
	struct flock fl = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = first * WORD_SIZE,
		.l_len = n * WORD_SIZE,
	};

	if (kind == FLOCK)
		return flock(fd, type == F_UNLCK ? LOCK_UN : LOCK_EX | (wait ? 0 : LOCK_NB));
	if (kind == OFD)
		return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &fl);
	return fcntl(fd, wait ? F_SETLKW : F_SETLK, &fl);
}

static void let_go(int fd, enum kind kind, int first, int n)
{
	if (set(fd, kind, F_UNLCK, first, n, false))
		wrong(FAILED);
}

/* Have it: true. */
static bool have(int fd, enum kind kind, int first, int n)
{
	int how = rand() % 4;		/* tries, waits for long, or is interrupted */
	uint64_t begin = now_ms(), ms;
	int ret;

	if (how > 1)
		alarm_ms(1 + rand() % 200);
	else if (how)
		alarm_ms(PATIENCE * 1000);
	ret = set(fd, kind, F_WRLCK, first, n, how);
	alarm_ms(0);
	ms = now_ms() - begin;
	if (how && ms > me->longest_ms)
		me->longest_ms = ms;
	if (!ret)
		return true;
	if (errno == EINTR && how == 1)
		wrong(LATE);
	if (errno == EINTR)
		me->interrupted++;
	else if (errno == EDEADLK && kind == POSIX)
		me->deadlocks++;
	else if (errno == EAGAIN && !how)
		me->busy++;
	else
		wrong(FAILED);
	return false;
}

/* We have them, and nobody else does. */
static void use(enum kind kind, int first, int n)
{
	for (int i = first; i < first + n; i++) {
		struct word *w = &board->words[kind][i];
		uint64_t was = __atomic_exchange_n(&w->holder, my_name, __ATOMIC_SEQ_CST), count;

		if (was && !is_dead(was))
			wrong(TWICE);
		count = __atomic_load_n(&w->count, __ATOMIC_SEQ_CST);
		if (rand() % 4 == 0)
			sched_yield();
		__atomic_store_n(&w->count, count + 1, __ATOMIC_SEQ_CST);
		me->words++;
		if (!__atomic_compare_exchange_n(&w->holder, &(uint64_t){ my_name }, 0, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			wrong(TAKEN);
	}
	me->locks++;
}

static void two_parts(int fd)
{
	int a = rand() % (WORDS / 2), b = WORDS / 2 + rand() % (WORDS / 2);
	int first = rand() % 2 ? a : b, second = first == a ? b : a;

	if (!have(fd, POSIX, first, 1))
		return;
	if (have(fd, POSIX, second, 1)) {
		use(POSIX, second, 1);
		let_go(fd, POSIX, second, 1);
	}
	use(POSIX, first, 1);
	let_go(fd, POSIX, first, 1);
}

static void work(const char *path, enum kind kind)
{
	int fd = open(path, O_RDWR), first, n;

	if (fd < 0)
		wrong(FAILED);
	for (;;) {
		if (kind == POSIX && rand() % 3 == 0) {
			two_parts(fd);
			continue;
		}
		first = kind == FLOCK ? 0 : rand() % WORDS;
		n = kind == FLOCK ? WORDS : 1 + rand() % (WORDS - first);
		if (!have(fd, kind, first, n))
			continue;
		use(kind, first, kind == FLOCK ? 1 + rand() % WORDS : n);
		if (n > 2 && kind != FLOCK && rand() % 2) {	/* in two */
			let_go(fd, kind, first, n / 2);
			let_go(fd, kind, first + n / 2, n - n / 2);
		} else {
			let_go(fd, kind, first, n);
		}
	}
}

static pid_t worker(const char *path, int slot)
{
	struct sigaction sa = { .sa_handler = alarmed };
	pid_t pid;

	me = &board->slots[slot];
	me->turn = (me->turn > me->dead ? me->turn : me->dead) + 1;
	my_name = (uint64_t)slot << 48 | me->turn;
	pid = fork();
	if (pid)
		return pid;
	srand(getpid() * 31 + time(NULL));
	sigaction(SIGALRM, &sa, NULL);
	work(path, slot % KINDS);
	_exit(0);
}

static uint64_t locks_of(int place)
{
	uint64_t n = 0;

	for (int i = 0; i < WORKERS; i++)
		n += __atomic_load_n(&board->slots[place * WORKERS + i].locks, __ATOMIC_RELAXED);
	return n;
}

static int run(const char *path, int place, uint64_t count)
{
	pid_t pid[WORKERS];
	int ret = 0, status, i;

	count += locks_of(place);
	for (i = 0; i < WORKERS; i++)
		pid[i] = worker(path, place * WORKERS + i);
	while (locks_of(place) < count && !ret) {
		usleep(1000 * (1 + rand() % (2 * KILL_MS)));
		i = rand() % WORKERS;
		me = &board->slots[place * WORKERS + i];
		__atomic_store_n(&me->dead, me->turn, __ATOMIC_SEQ_CST);
		kill(pid[i], SIGKILL);
		waitpid(pid[i], &status, 0);
		ret = !WIFSIGNALED(status);
		me->killed++;
		if (!ret)
			pid[i] = worker(path, place * WORKERS + i);
	}
	for (i = 0; i < WORKERS; i++) {
		me = &board->slots[place * WORKERS + i];
		__atomic_store_n(&me->dead, me->turn, __ATOMIC_SEQ_CST);
		kill(pid[i], SIGKILL);
		waitpid(pid[i], &status, 0);
		me->killed++;
	}
	return ret;
}

static int dead(int place)
{
	for (int i = place * WORKERS; i < (place + 1) * WORKERS; i++) {
		__atomic_store_n(&board->slots[i].dead, board->slots[i].turn + 1, __ATOMIC_SEQ_CST);
		board->slots[i].killed += 2;	/* it may be about to be killed as well */
	}
	return 0;
}

static int sum(void)
{
	struct slot all = { 0 };
	uint64_t counted = 0;
	int ret = 0;

	for (int i = 0; i < PLACES * WORKERS; i++) {
		const struct slot *s = &board->slots[i];

		all.locks += s->locks;
		all.words += s->words;
		all.interrupted += s->interrupted;
		all.deadlocks += s->deadlocks;
		all.busy += s->busy;
		all.killed += s->killed;
		if (s->longest_ms > all.longest_ms)
			all.longest_ms = s->longest_ms;
		if (s->wrong) {
			printf("place %d, %s: %s\n", i / WORKERS,
			       i % KINDS == POSIX ? "posix" : i % KINDS == OFD ? "ofd" : "flock",
			       wrongs[s->wrong]);
			ret = 1;
		}
	}
	for (int k = 0; k < KINDS; k++)
		for (int i = 0; i < WORDS; i++)
			counted += board->words[k][i].count;
	/* Who is killed in between has counted there and not here. */
	if (counted < all.words || counted > all.words + all.killed) {
		printf("counted %llu, not %llu to %llu\n", (unsigned long long)counted,
		       (unsigned long long)all.words, (unsigned long long)(all.words + all.killed));
		ret = 1;
	}
	if (!ret)
		printf("%llu %llu %llu %llu %llu %llu\n", (unsigned long long)all.locks,
		       (unsigned long long)all.interrupted, (unsigned long long)all.deadlocks,
		       (unsigned long long)all.busy, (unsigned long long)all.killed,
		       (unsigned long long)all.longest_ms);
	return ret;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (!strcmp(what, "run") && argc == 6 && atoi(argv[4]) < PLACES) {
		board_map(argv[3]);
		srand(time(NULL) + atoi(argv[4]));
		return run(argv[2], atoi(argv[4]), atoll(argv[5]));
	}
	if (!strcmp(what, "dead") && argc == 4 && atoi(argv[3]) < PLACES) {
		board_map(argv[2]);
		return dead(atoi(argv[3]));
	}
	if (!strcmp(what, "sum") && argc == 3) {
		board_map(argv[2]);
		return sum();
	}
	fprintf(stderr, "holders: what?\n");
	return 2;
}
