// SPDX-License-Identifier: GPL-2.0-only
/*
 * clocks.c - how far CLOCK_REALTIME of two images are from each other
 *
 *	clocks answer FILE		writes its time into the file whenever it is asked to
 *	clocks ask FILE TIMES [NS]	how far that is ahead of ours (to which NS are added), TIMES
 *					times asked: "LEAST MOST", ns
 *	clocks end FILE			of the answers
 *	clocks writes FILE SECONDS [NS]	writes to it all the time: "WRITES FUTURE", how often, and how
 *					often its time was then beyond ours (to which NS are added)
 *	clocks step SECONDS		this clock
 *	clocks slew PPM			.. runs so much faster
 *
 * Nothing is estimated: what answers has its time after it was asked, and before we read
 * that. Who waits for LIMIT seconds ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define LIMIT	100
#define NS_S	INT64_C(1000000000)

struct shared {
	uint64_t asked, answered;
	int64_t time;
	int end;
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * NS_S + t.tv_nsec;
}

static void answer(struct shared *s)
{
	uint64_t asked;

	while (!__atomic_load_n(&s->end, __ATOMIC_SEQ_CST)) {
		asked = __atomic_load_n(&s->asked, __ATOMIC_SEQ_CST);
		if (asked == s->answered)
			continue;
		s->time = now();
		__atomic_store_n(&s->answered, asked, __ATOMIC_SEQ_CST);
	}
}

static void ask(struct shared *s, long times, int64_t ns)
{
	int64_t least = INT64_MIN, most = INT64_MAX, before, after;
	uint64_t asked = s->asked;

	while (times--) {
		before = now() + ns;
		__atomic_store_n(&s->asked, ++asked, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&s->answered, __ATOMIC_SEQ_CST) != asked)
			;
		after = now() + ns;
		least = s->time - after > least ? s->time - after : least;
		most = s->time - before < most ? s->time - before : most;
	}
	printf("%" PRId64 " %" PRId64 "\n", least, most);
}

static int writes(const char *path, long seconds, int64_t ns)
{
	int64_t end = now() + seconds * NS_S, written;
	int fd = open(path, O_WRONLY | O_CREAT, 0666);
	long n = 0, future = 0;
	struct stat st;

	do {
		if (pwrite(fd, &n, sizeof(n), 0) != sizeof(n) || fstat(fd, &st)) {
			fprintf(stderr, "clocks: %s: %s\n", path, strerror(errno));
			return 1;
		}
		written = st.st_mtim.tv_sec * NS_S + st.st_mtim.tv_nsec;
		future += written > now() + ns;
		n++;
	} while (now() < end);
	printf("%ld %ld\n", n, future);
	return 0;
}

static int adjust(const char *how, long by)
{
	struct timex t = { .modes = ADJ_SETOFFSET, .time.tv_sec = by };

	if (!strcmp(how, "slew")) {
		t.modes = ADJ_FREQUENCY;
		t.freq = by * 65536;
	}
	if (adjtimex(&t) >= 0)
		return 0;
	fprintf(stderr, "clocks: %s: %s\n", how, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	struct shared *s;
	int fd;

	if (argc == 3 && (!strcmp(argv[1], "step") || !strcmp(argv[1], "slew")))
		return adjust(argv[1], atol(argv[2]));
	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "writes") && argc >= 4)
		return writes(argv[2], atol(argv[3]), argc > 4 ? atoll(argv[4]) : 0);
	fd = open(argv[2], O_RDWR | O_CREAT, 0666);
	if (fd < 0 || ftruncate(fd, sizeof(*s))) {
		fprintf(stderr, "clocks: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED)
		return 1;
	alarm(LIMIT);
	if (!strcmp(argv[1], "answer"))
		answer(s);
	else if (!strcmp(argv[1], "end"))
		s->end = 1;
	else if (!strcmp(argv[1], "ask") && argc >= 4)
		ask(s, atol(argv[3]), argc > 4 ? atoll(argv[4]) : 0);
	else
		return 2;
	return 0;
}
