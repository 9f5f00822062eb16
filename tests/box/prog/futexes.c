// SPDX-License-Identifier: GPL-2.0-only
/*
 * futexes.c - what processes share a file for: words to wait for, mutexes and the like
 *
 *	futexes init FILE
 *	futexes turns FILE HOW SIDE TIMES	two of these, 0 and 1, in turns
 *	futexes add FILE HOW TIMES PARTIES	count up what HOW protects, when all are there
 *	futexes get FILE HOW			.. how far it is
 *	futexes parties FILE PARTIES		.. of the barrier
 *	futexes barrier FILE PARTIES TIMES
 *	futexes hold FILE			both robust mutexes, until it is killed
 *	futexes take FILE wait|try HOW		.. have one; prints held, busy or ownerdead
 *	futexes wait FILE BITS MS [private]	prints woken or timeout
 *	futexes wake FILE BITS
 *
 * turns: HOW is raw, bitset, futex2, waitv, op, requeue, sem or cond. add: normal, recursive,
 * errorcheck, adaptive, robust, rwlock, sem, cond or none, which protects nothing. Prints
 * what happened; who has to wait for LIMIT seconds has lost a wake: status 3.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LIMIT		100		/* seconds for one step */
#define U32		2		/* FUTEX2_SIZE_U32 */
#define BITS(side)	(1u << (side))

/* x86-64; the library does not know them all */
#define NR_WAITV	449
#define NR_WAKE		454
#define NR_WAIT		455
#define NR_REQUEUE	456

enum {
	NORMAL, RECURSIVE, ERRORCHECK, ADAPTIVE, ROBUST, ROBUST2, MUTEXES,
	RWLOCK = MUTEXES, SEM, COND, NONE, HOWS
};

static const char *const hows[HOWS] = {
	"normal", "recursive", "errorcheck", "adaptive", "robust", "robust2", "rwlock", "sem", "cond",
	"none",
};

struct shared {
	uint32_t turn, idle[3], word;
	sem_t of[2];			/* a side's turn */
	uint32_t said;			/* turns by cond */
	pthread_mutex_t mutex[MUTEXES], cond_mutex;
	pthread_cond_t cond;
	pthread_rwlock_t rwlock;
	pthread_barrier_t barrier;
	sem_t sem;
	int busy;			/* cond: somebody is in */
	unsigned int here;		/* add: so many have come */
	uint64_t count[HOWS], rounds[64];
};

static struct shared *s;

static void die(const char *what)
{
	fprintf(stderr, "futexes: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(int err, const char *what)
{
	if (err) {
		errno = err > 0 ? err : errno;
		die(what);
	}
}

static void hung(int sig)
{
	static const char what[] = "futexes: hung\n";

	write(2, what, sizeof(what) - 1);
	_exit(3);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static long futex(uint32_t *word, int op, uint32_t val, void *to, uint32_t *word2, uint32_t val3)
{
	return syscall(SYS_futex, word, op, val, to, word2, val3);
}

static void init(char **arg)
{
	static const int type[MUTEXES] = {
		PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK,
		PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_NORMAL,
	};
	pthread_rwlockattr_t rwlock;
	pthread_mutexattr_t mutex;
	pthread_condattr_t cond;

	for (int i = 0; i < MUTEXES; i++) {
		pthread_mutexattr_init(&mutex);
		pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
		pthread_mutexattr_settype(&mutex, type[i]);
		if (i >= ROBUST)
			pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST);
		must(pthread_mutex_init(&s->mutex[i], &mutex), "mutex");
	}
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	must(pthread_mutex_init(&s->cond_mutex, &mutex), "mutex");
	pthread_condattr_init(&cond);
	pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
	must(pthread_cond_init(&s->cond, &cond), "cond");
	pthread_rwlockattr_init(&rwlock);
	pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED);
	must(pthread_rwlock_init(&s->rwlock, &rwlock), "rwlock");
	must(sem_init(&s->sem, 1, 1) | sem_init(&s->of[0], 1, 1) | sem_init(&s->of[1], 1, 0),
	     "sem");
}

/* A side waits for the word to be its number, and makes it the other's. */
struct way {
	const char *name;
	void (*wait)(uint32_t side);
	void (*pass)(uint32_t side);
};

static void set_turn(uint32_t side)
{
	__atomic_store_n(&s->turn, side, __ATOMIC_SEQ_CST);
}

static void raw_wait(uint32_t side)
{
	futex(&s->turn, FUTEX_WAIT, !side, NULL, NULL, 0);
}

static void raw_pass(uint32_t side)
{
	set_turn(!side);
	futex(&s->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void bitset_wait(uint32_t side)
{
	futex(&s->turn, FUTEX_WAIT_BITSET, !side, NULL, NULL, BITS(side));
}

static void bitset_pass(uint32_t side)
{
	set_turn(!side);
	futex(&s->turn, FUTEX_WAKE_BITSET, 1, NULL, NULL, BITS(!side));
}

static void futex2_wait(uint32_t side)
{
	if (syscall(NR_WAIT, &s->turn, !side, FUTEX_BITSET_MATCH_ANY, U32, NULL, 0) &&
	    errno != EAGAIN)
		die("futex_wait");
}

static void futex2_pass(uint32_t side)
{
	set_turn(!side);
	if (syscall(NR_WAKE, &s->turn, FUTEX_BITSET_MATCH_ANY, 1, U32) < 0)
		die("futex_wake");
}

static void waitv_wait(uint32_t side)
{
	struct futex_waitv v[3] = {
		{ .uaddr = (uintptr_t)&s->idle[0], .flags = U32 },
		{ .uaddr = (uintptr_t)&s->turn, .val = !side, .flags = U32 },
		{ .uaddr = (uintptr_t)&s->idle[1], .flags = U32 },
	};
	long which = syscall(NR_WAITV, v, 3, 0, NULL, 0);

	if (which != 1 && (which >= 0 || errno != EAGAIN))
		die("futex_waitv");
}

static void op_pass(uint32_t side)
{
	uint32_t other = !side;

	/* Set the second word, and wake who waits for that. */
	if (futex(&s->idle[2], FUTEX_WAKE_OP, 1, (void *)1, &s->turn,
		  FUTEX_OP(FUTEX_OP_SET, other, FUTEX_OP_CMP_EQ, side)) < 0)
		die("FUTEX_WAKE_OP");
}

static void requeue_pass(uint32_t side)
{
	struct futex_waitv v[2] = {
		{ .uaddr = (uintptr_t)&s->turn, .val = !side, .flags = U32 },
		{ .uaddr = (uintptr_t)&s->idle[2], .flags = U32 },
	};
	static int odd;

	set_turn(!side);
	if ((odd++ & 1 ? syscall(NR_REQUEUE, v, 0, 0, 1) :
	     futex(&s->turn, FUTEX_CMP_REQUEUE, 0, (void *)1, &s->idle[2], !side)) < 0 &&
	    errno != EAGAIN)
		die("requeue");
	futex(&s->idle[2], FUTEX_WAKE, 1, NULL, NULL, 0);
}

static const struct way ways[] = {
	{ "raw", raw_wait, raw_pass },
	{ "bitset", bitset_wait, bitset_pass },
	{ "futex2", futex2_wait, futex2_pass },
	{ "waitv", waitv_wait, raw_pass },
	{ "op", raw_wait, op_pass },
	{ "requeue", raw_wait, requeue_pass },
};

static void turn_word(const struct way *way, uint32_t side)
{
	while (__atomic_load_n(&s->turn, __ATOMIC_SEQ_CST) != side)
		way->wait(side);
	way->pass(side);
}

static void turn_sem(uint32_t side)
{
	must(sem_wait(&s->of[side]), "sem_wait");
	must(sem_post(&s->of[!side]), "sem_post");
}

static void turn_cond(uint32_t side)
{
	must(pthread_mutex_lock(&s->cond_mutex), "lock");
	while (s->said != side)
		must(pthread_cond_wait(&s->cond, &s->cond_mutex), "wait");
	s->said = !side;
	must(pthread_cond_signal(&s->cond), "signal");
	must(pthread_mutex_unlock(&s->cond_mutex), "unlock");
}

static void turn(const char *how, uint32_t side)
{
	alarm(LIMIT);
	if (!strcmp(how, "sem"))
		return turn_sem(side);
	if (!strcmp(how, "cond"))
		return turn_cond(side);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(how, ways[i].name))
			return turn_word(&ways[i], side);
	errno = EINVAL;
	die(how);
}

static void turns(char **arg)
{
	double begin = now();

	for (long n = atol(arg[2]); n; n--)
		turn(arg[0], atoi(arg[1]));
	printf("%s: %.0f turns/s\n", arg[0], 2 * atol(arg[2]) / (now() - begin));
}

static int how_of(const char *name)
{
	for (int i = 0; i < HOWS; i++)
		if (!strcmp(name, hows[i]))
			return i;
	errno = EINVAL;
	die(name);
	return -1;
}

static void in(int how)
{
	switch (how) {
	case RWLOCK:
		must(pthread_rwlock_wrlock(&s->rwlock), "wrlock");
		break;
	case SEM:
		must(sem_wait(&s->sem), "sem_wait");
		break;
	case COND:
		must(pthread_mutex_lock(&s->cond_mutex), "lock");
		while (s->busy)
			must(pthread_cond_wait(&s->cond, &s->cond_mutex), "wait");
		s->busy = 1;
		must(pthread_mutex_unlock(&s->cond_mutex), "unlock");
		break;
	case NONE:
		break;
	default:
		must(pthread_mutex_lock(&s->mutex[how]), hows[how]);
	}
}

static void out(int how)
{
	switch (how) {
	case RWLOCK:
		must(pthread_rwlock_unlock(&s->rwlock), "unlock");
		break;
	case SEM:
		must(sem_post(&s->sem), "sem_post");
		break;
	case COND:
		must(pthread_mutex_lock(&s->cond_mutex), "lock");
		s->busy = 0;
		must(pthread_cond_signal(&s->cond), "signal");
		must(pthread_mutex_unlock(&s->cond_mutex), "unlock");
		break;
	case NONE:
		break;
	default:
		must(pthread_mutex_unlock(&s->mutex[how]), hows[how]);
	}
}

static void all_here(unsigned int parties)
{
	unsigned int all = __atomic_fetch_add(&s->here, 1, __ATOMIC_SEQ_CST) / parties + 1;

	alarm(LIMIT);
	while (__atomic_load_n(&s->here, __ATOMIC_SEQ_CST) < all * parties)
		usleep(1000);
}

static void add(char **arg)
{
	int how = how_of(arg[0]);
	volatile uint64_t *count = &s->count[how];
	double begin, t0, worst = 0;
	long times = atol(arg[1]);

	all_here(atoi(arg[2]));
	begin = now();
	while (times--) {
		alarm(LIMIT);
		t0 = now();
		in(how);
		t0 = now() - t0;
		worst = t0 > worst ? t0 : worst;
		uint64_t was = *count;

		if (!(times % 16))
			sched_yield();	/* others get there */
		*count = was + 1;
		out(how);
	}
	printf("%s: %.0f/s, waited %.3f s at most\n", arg[0], atol(arg[1]) / (now() - begin),
	       worst);
}

static void get(char **arg)
{
	printf("%llu\n", (unsigned long long)s->count[how_of(arg[0])]);
}

static void parties(char **arg)
{
	pthread_barrierattr_t attr;

	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	must(pthread_barrier_init(&s->barrier, &attr, atoi(arg[0])), "barrier");
}

/* Everybody counts a round before anybody is in the next one. */
static void barrier(char **arg)
{
	unsigned int parties = atoi(arg[0]);
	long times = atol(arg[1]);

	for (long i = 0; i < times; i++) {
		uint64_t *round = &s->rounds[i % 64];

		alarm(LIMIT);
		__atomic_fetch_add(round, 1, __ATOMIC_SEQ_CST);
		pthread_barrier_wait(&s->barrier);
		if (__atomic_load_n(round, __ATOMIC_SEQ_CST) % parties) {
			errno = EPROTO;
			die("barrier");
		}
		pthread_barrier_wait(&s->barrier);
	}
}

static int robust_lock(pthread_mutex_t *m, int try)
{
	int err = try ? pthread_mutex_trylock(m) : pthread_mutex_lock(m);

	if (err == EOWNERDEAD)
		must(pthread_mutex_consistent(m), "consistent");
	return err;
}

static void hold(char **arg)
{
	robust_lock(&s->mutex[ROBUST], 0);
	robust_lock(&s->mutex[ROBUST2], 0);
	puts("held");
	fflush(stdout);
	pause();
}

static void take(char **arg)
{
	pthread_mutex_t *m = &s->mutex[how_of(arg[1])];
	int err;

	alarm(LIMIT);
	err = robust_lock(m, !strcmp(arg[0], "try"));
	if (!err || err == EOWNERDEAD)
		must(pthread_mutex_unlock(m), "unlock");
	else if (err != EBUSY)
		must(err, "robust");
	puts(!err ? "held" : err == EBUSY ? "busy" : "ownerdead");
}

static void wait_for(char **arg)
{
	int private = arg[2] ? FUTEX_PRIVATE_FLAG : 0;
	long ms = atol(arg[1]);
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += ms % 1000 * 1000000;
	end.tv_sec += ms / 1000 + end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	puts("waits");
	fflush(stdout);
	if (!futex(&s->word, FUTEX_WAIT_BITSET | private, 0, &end, NULL, atoi(arg[0])))
		puts("woken");
	else if (errno == ETIMEDOUT)
		puts("timeout");
	else
		die("wait");
}

static void wake(char **arg)
{
	futex(&s->word, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, atoi(arg[0]));
}

static const struct command {
	const char *name;
	int args;	/* at least, behind the file */
	void (*run)(char **arg);
} commands[] = {
	{ "init", 0, init },
	{ "turns", 3, turns },
	{ "add", 3, add },
	{ "get", 1, get },
	{ "parties", 1, parties },
	{ "barrier", 2, barrier },
	{ "hold", 0, hold },
	{ "take", 2, take },
	{ "wait", 2, wait_for },
	{ "wake", 1, wake },
};

static const struct command *command_of(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *c = argc < 3 ? NULL : command_of(argv[1]);
	int fd;

	if (!c || argc - 3 < c->args)
		return 2;
	fd = open(argv[2], O_RDWR | (c->run == init ? O_CREAT | O_TRUNC : 0), 0666);
	if (fd < 0 || (c->run == init && ftruncate(fd, sizeof(*s))))
		die(argv[2]);
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED)
		die("mmap");
	signal(SIGALRM, hung);
	c->run(argv + 3);
	return 0;
}
