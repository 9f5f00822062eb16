// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - the rounds, and what comes out of them
 *
 *	pairs act DIR PAGE FIRST ROUNDS [PAIR...]
 *						a line for each pair that came out wrong, or
 *						cannot be done there, and a total
 *	pairs see DIR PAGE
 *	pairs list
 *
 * DIR: the same directory for both; PAGE: a new file of a page, by which they talk.  PAIR: as
 * in the list, OPERATION/ for all of one; remembered: those that are old where nobody counts
 * changes; I%N: each Nth, from the Ith.  FIRST: the number of the first round: what differs by round does.  Status 0: all was seen; 1: not all; 2: the test itself did not work.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pairs.h"

#define MAX_ROWS	512
#define TOLD		3	/* failures that are printed, per pair */
#define SLOWER		50	/* rounds of others for one of a slow pair */

struct count {
	unsigned int rounds, wrong, told, limit;
	bool absent;
};

static struct pair pair;
static struct board *board;
static const struct row *rows;
static int nr_rows;

static int fail(const char *what, const struct row *row, int err)
{
	fprintf(stderr, "pairs: %s%s%s%s%s: %s\n", what, row ? ": " : "", row ? row->op->name : "",
		row ? "/" : "", row ? row->see->name : "", strerror(-err));
	return 2;
}

/* Who sees. */

static int see_once(uint64_t step)
{
	const struct see *see;
	int ret = 0;

	if (board->row >= (uint64_t)nr_rows)
		return -EPROTO;
	see = rows[board->row].see;
	pair.row = board->row;
	pair.round = board->round;
	pair.after = board->what == LOOK_AFTER;
	if (board->what == LOOK_BEFORE) {
		pair_begin(&pair);
		pair_follow(&pair);
		see->look(&pair);
	}
	if (board->what != LOOK_NO_MORE)
		board->saw = see->look(&pair);
	if (pair.after)
		ret = board_wait(&board->known, step, NULL, false);
	board->want = pair.after ? board->is[see->fact] : board->was[see->fact];
	if (board->what != LOOK_BEFORE) {
		pair_end(&pair);
		if (chdir("/"))
			return -errno;
	}
	board_say(&board->done, step);
	return ret;
}

static int seer(void)
{
	int ret;

	board_say(&board->seer, getpid());
	for (uint64_t step = 1;; step++) {
		ret = board_wait(&board->step, step, &board->end,
				 step > 1 && board->what == LOOK_BEFORE);
		if (ret == -ECANCELED)
			return 0;
		if (!ret)
			ret = see_once(step);
		if (ret)
			return fail("who sees", NULL, ret);
	}
}

/* Who acts. */

static void say_look(enum look what)
{
	board->what = what;
	board_say(&board->step, board->step + 1);
}

/* What he saw: was it so? */
static int hear(const struct row *row, struct count *count)
{
	const char *old = "";
	int ret = board_wait(&board->done, board->step, NULL, false);

	if (ret || board->saw == board->want)
		return ret;
	if (row->limit && board->what == LOOK_AFTER && board->saw == board->was[row->see->fact]) {
		count->limit++;
		return 0;
	}
	count->wrong++;
	if (count->told++ >= TOLD)
		return 0;
	if (board->what == LOOK_AFTER && board->saw == board->was[row->see->fact])
		old = ", as before";
	printf("pairs: %s/%s, round %u, %s: saw %lld, not %lld%s\n", row->op->name,
	       row->see->name, pair.round, board->what == LOOK_AFTER ? "after" : "before",
	       (long long)board->saw, (long long)board->want, old);
	return 0;
}

static int before(const struct row *row, struct count *count)
{
	const enum fact fact = row->see->fact;
	int ret;

	board->row = pair.row;
	board->round = pair.round;
	board->set = 0;
	pair_begin(&pair);
	pair_names(&pair, "a", "b");
	ret = row->op->prepare(&pair);
	if (ret)
		return ret;
	/* Who could not tell the one from the other shows nothing. */
	if (!(board->set & 1ULL << fact) ||
	    (board->was[fact] == board->is[fact] && !row->op->known))
		return -EINVAL;
	say_look(LOOK_BEFORE);
	return hear(row, count);
}

/* The call returns, and the next store says so. */
static int act(const struct row *row, struct count *count)
{
	int ret = row->op->act(&pair);

	if (ret) {
		say_look(LOOK_NO_MORE);
		return board_wait(&board->done, board->step, NULL, false) ? : ret;
	}
	say_look(LOOK_AFTER);
	if (row->op->known)
		row->op->known(&pair);
	board_say(&board->known, board->step);
	return hear(row, count);
}

static int play(const struct row *row, struct count *count)
{
	int ret;

	count->rounds++;
	ret = before(row, count);
	if (!ret)
		ret = act(row, count);
	pair_end(&pair);
	if (ret != -EOPNOTSUPP && ret != -ENOTTY)
		return ret;
	count->absent = true;
	return 0;
}

static bool is_wanted(const struct row *row, char **only)
{
	const size_t n = strlen(row->op->name);

	for (char **o = only; *o; o++) {
		unsigned int first, each;

		if (sscanf(*o, "%u%%%u", &first, &each) == 2 && each)
			return (row - rows) % each == first % each;
		if (!strcmp(*o, "remembered") ? row->remembered :
		    !strncmp(*o, row->op->name, n) && (*o)[n] == '/' &&
		    (!(*o)[n + 1] || !strcmp(*o + n + 1, row->see->name)))
			return true;
	}
	return !*only;
}

static int prepare(char **only)
{
	char path[PATH_SIZE];

	for (int i = 0; i < nr_rows; i++) {
		if (!is_wanted(&rows[i], only))
			continue;
		snprintf(path, sizeof(path), "%s/%d", pair.top, i);
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
	}
	for (int t = 0; t < WAIT_S * 100; t++) {
		if (__atomic_load_n(&board->seer, __ATOMIC_ACQUIRE))
			return 0;
		usleep(10000);
	}
	return -ESRCH;
}

static int summary(const struct count *counts)
{
	unsigned int pairs = 0, rounds = 0, bad = 0, wrong = 0;

	for (int i = 0; i < nr_rows; i++) {
		const struct count *c = &counts[i];
		const struct row *row = &rows[i];

		if (c->absent)
			printf("%s/%s: not here\n", row->op->name, row->see->name);
		if (c->limit)
			printf("%s/%s: old in %u rounds: a limit\n", row->op->name,
			       row->see->name, c->limit);
		if (c->absent || !c->rounds)
			continue;
		if (c->wrong)
			printf("%s/%s: %u of %u rounds wrong\n", row->op->name, row->see->name,
			       c->wrong, c->rounds);
		pairs++;
		rounds += c->rounds;
		bad += !!c->wrong;
		wrong += c->wrong;
	}
	printf("total: %u pairs %u rounds %u pairs wrong %u rounds wrong\n", pairs, rounds, bad,
	       wrong);
	return wrong ? 1 : 0;
}

static int actor(unsigned int first, unsigned int rounds, char **only)
{
	static struct count counts[MAX_ROWS];
	int ret = prepare(only), status = ret ? fail("start", NULL, ret) : 0;

	for (unsigned int n = 0; n < rounds && !status; n++) {
		for (int i = 0; i < nr_rows && !status; i++) {
			if (!is_wanted(&rows[i], only) || counts[i].absent ||
			    (rows[i].slow && n % SLOWER))
				continue;
			pair.row = i;
			pair.round = first + n;
			ret = play(&rows[i], &counts[i]);
			if (ret)
				status = fail("round", &rows[i], ret);
		}
	}
	board_say(&board->end, 1);
	ret = summary(counts);
	return status ? status : ret;
}

static int list(void)
{
	for (int i = 0; i < nr_rows; i++)
		printf("%s/%s%s%s%s\n", rows[i].op->name, rows[i].see->name,
		       rows[i].remembered ? " remembered" : "", rows[i].slow ? " slow" : "",
		       rows[i].limit ? " limit" : "");
	return 0;
}

int main(int argc, char **argv)
{
	const char *role = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(0);
	signal(SIGPIPE, SIG_IGN);
	nr_rows = table_rows(&rows);
	if (nr_rows < 0 || nr_rows > MAX_ROWS)
		return 2;
	if (!strcmp(role, "list"))
		return list();
	if (argc < 4 || strlen(argv[2]) > 64)
		return 2;
	board = board_map(argv[3], sizeof(*board));
	if (!board)
		return fail(argv[3], NULL, -errno);
	pair.board = board;
	pair.top = argv[2];
	if (!strcmp(role, "see"))
		return seer();
	if (strcmp(role, "act") || argc < 6)
		return 2;
	return actor(atoi(argv[4]), atoi(argv[5]), argv + 6);
}
