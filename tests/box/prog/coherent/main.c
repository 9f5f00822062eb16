// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - the rounds, what comes out of them, and the options
 *
 *	coherent writer --dir DIR --page FILE --lookers N [--rounds N]
 *			[--kinds A,B,...] [--see DIR] [--turn N]
 *	coherent looker --dir DIR --page FILE --who I
 *	coherent kinds
 *
 *	--dir	where it happens, the same directory on every image
 *	--page	a new file that all can map, in which they talk
 *	--see	the same directory by another way: what is there is right
 *	--turn	the number of each kind's first turn: what differs by turn does
 *	--who	which of the N lookers, 0 to N - 1
 *
 * The writer prints a line per kind and a total.  Status 0: all saw all; 1:
 * somebody saw something old or wrong; 2: the test itself did not work.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coherent.h"

#define MAX_KINDS	64
#define TOLD		3	/* things seen wrong that are printed, per kind */

static struct {
	const char *dir, *see, *page, *only;
	unsigned int lookers, who, rounds, turn;
} opt = { .rounds = 36 };

struct count {
	unsigned int rounds, old, wrong, absent, told;
};

/* A round as the writer has it. */
struct round {
	const struct kind *kind;
	struct count *count;
	struct scene scene;
	struct spot spots[SPOTS];
	struct view before[SPOTS];
};

static struct board *board;

static int fail(const char *what, int err)
{
	fprintf(stderr, "coherent: %s: %s\n", what, strerror(-err));
	return 2;
}

/* In which way is looked first, and are files held open: all of them, in turn. */
static struct looking how(unsigned int kind, unsigned int turn, bool after)
{
	return (struct looking) {
		.after = after, .hold = !after && turn % 2,
		.first = (turn / 2 + kind) % WAYS,
	};
}

/* The looker. */

static int look_once(struct spot *spots, uint64_t step)
{
	struct seat *seat = &board->seats[opt.who];
	struct looking l = how(board->kind, board->turn, board->after);

	if (board->kind >= nr_kinds)
		return -EPROTO;
	if (!l.after) {
		kind_spots(&kinds[board->kind], opt.dir, spots);
		look(spots, &l);
	}
	look(spots, &l);
	for (int i = 0; i < SPOTS; i++)
		seat->views[i] = spots[i].view;
	if (l.after)
		look_end(spots);
	board_say(&seat->step, step);
	return 0;
}

static int looker(void)
{
	struct spot spots[SPOTS];
	int ret;

	board_say(&board->seats[opt.who].pid, getpid());
	for (uint64_t step = 1;; step++) {
		ret = board_wait(&board->step, step, &board->end);
		if (ret == -ECANCELED)
			return 0;
		if (!ret)
			ret = look_once(spots, step);
		if (ret)
			return fail("looker", ret);
	}
}

/* The writer. */

static int make_path(const char *dir, const char *sub)
{
	char path[PATH_SIZE];
	char *p;

	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	for (p = path + strlen(dir); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
}

static int say_look(const struct kind *kind, unsigned int turn, bool after)
{
	board->kind = kind - kinds;
	board->turn = turn;
	board->after = after;
	board_say(&board->step, board->step + 1);
	return 0;
}

static int wait_lookers(void)
{
	int ret = 0;

	for (unsigned int i = 0; i < opt.lookers && !ret; i++)
		ret = board_wait(&board->seats[i].step, board->step, NULL);
	return ret;
}

static void tell(struct round *r, unsigned int who, int spot, int field,
		 uint64_t got, uint64_t want, bool after)
{
	const char *format = field == F_MODE || field == F_FMODE ?
		"coherent: %s, turn %u, %s: looker %u sees %s of %s: %#llo, not %#llo%s\n" :
		"coherent: %s, turn %u, %s: looker %u sees %s of %s: %llu, not %llu%s\n";

	if (r->count->told++ >= TOLD)
		return;
	printf(format, r->kind->name, r->scene.turn, after ? "after" : "before",
	       who, field_names[field], r->spots[spot].path,
	       (unsigned long long)got, (unsigned long long)want,
	       after && got == r->before[spot].v[field] ? ": old" : "");
}

/* All that looker @who saw: is it as we see it? */
static void compare(struct round *r, unsigned int who, bool after)
{
	const struct view *views = board->seats[who].views;
	bool old = false, wrong = false;
	uint64_t got, want;

	for (int i = 0; i < SPOTS; i++) {
		for (int f = 0; f < FIELDS; f++) {
			got = views[i].v[f];
			want = r->spots[i].view.v[f];
			if (got == want)
				continue;
			tell(r, who, i, f, got, want, after);
			if (after && got == r->before[i].v[f])
				old = true;
			else
				wrong = true;
		}
	}
	r->count->wrong += wrong;
	r->count->old += old;
}

static bool changed(const struct round *r)
{
	for (int i = 0; i < SPOTS; i++)
		if (memcmp(&r->before[i], &r->spots[i].view, sizeof(r->before[i])))
			return true;
	return false;
}

static int before(struct round *r)
{
	struct looking l = how(r->kind - kinds, r->scene.turn, false);
	int ret = r->kind->prepare(&r->scene);

	if (ret)
		return ret;
	say_look(r->kind, r->scene.turn, false);
	look(r->spots, &l);
	look(r->spots, &l);
	ret = wait_lookers();
	for (int i = 0; i < SPOTS; i++)
		r->before[i] = r->spots[i].view;
	for (unsigned int i = 0; i < opt.lookers && !ret; i++)
		compare(r, i, false);
	return ret;
}

static int after(struct round *r)
{
	struct looking l = how(r->kind - kinds, r->scene.turn, true);
	int ret;

	say_look(r->kind, r->scene.turn, true);
	ret = wait_lookers();
	if (ret)
		return ret;
	look(r->spots, &l);
	look_end(r->spots);
	/* Nothing was changed, so what lookers try has succeeded for one of them. */
	if (r->count->absent)
		return 0;
	for (unsigned int i = 0; i < opt.lookers; i++)
		compare(r, i, true);
	if (!changed(r)) {
		printf("coherent: %s, turn %u: the writer sees no change\n",
		       r->kind->name, r->scene.turn);
		r->count->wrong++;
	}
	return 0;
}

static int change(struct round *r)
{
	int ret = r->kind->change(&r->scene);

	if (ret != -EOPNOTSUPP && ret != -ENOTTY)
		return ret;
	r->count->absent = 1;
	return 0;
}

static int play(const struct kind *kind, unsigned int turn, struct count *count)
{
	struct round r = { .kind = kind, .count = count };
	int ret;

	kind_scene(kind, opt.dir, &r.scene);
	kind_spots(kind, opt.see, r.spots);
	r.scene.turn = turn;
	count->rounds++;
	ret = before(&r);
	if (!ret)
		ret = change(&r);
	if (!ret)
		ret = after(&r);
	if (kind->undo && !count->absent && !ret)
		ret = kind->undo(&r.scene);
	return ret;
}

static bool is_wanted(const struct kind *kind)
{
	size_t n = strlen(kind->name);
	const char *p = opt.only;

	while (p && *p) {
		if (!strncmp(p, kind->name, n) && (!p[n] || p[n] == ','))
			return true;
		p = strchr(p, ',');
		p = p ? p + 1 : NULL;
	}
	return !opt.only;
}

static int summary(const struct count *counts)
{
	struct count all = { 0 };

	for (unsigned int i = 0; i < nr_kinds; i++) {
		const struct count *c = &counts[i];

		if (!c->rounds)
			continue;
		if (c->absent)
			printf("%-14s not here\n", kinds[i].name);
		else
			printf("%-14s %5u rounds %4u old %4u wrong\n", kinds[i].name,
			       c->rounds, c->old, c->wrong);
		all.rounds += c->rounds;
		all.old += c->old;
		all.wrong += c->wrong;
	}
	printf("%-14s %5u rounds %4u old %4u wrong\n", "total", all.rounds, all.old,
	       all.wrong);
	return all.old || all.wrong;
}

static int rounds(struct count *counts)
{
	unsigned int turns[MAX_KINDS], k = 0, skipped = 0;
	int ret;

	for (unsigned int i = 0; i < nr_kinds; i++)
		turns[i] = opt.turn;
	for (unsigned int r = 0; r < opt.rounds && skipped < nr_kinds; k = (k + 1) % nr_kinds) {
		if (!is_wanted(&kinds[k]) || counts[k].absent) {
			skipped++;
			continue;
		}
		skipped = 0;
		r++;
		ret = play(&kinds[k], turns[k]++, &counts[k]);
		if (ret)
			return fail(kinds[k].name, ret);
	}
	return 0;
}

static int prepare(void)
{
	int ret = make_path(opt.dir, ".");

	for (unsigned int i = 0; i < nr_kinds && !ret; i++)
		ret = make_path(opt.dir, kinds[i].dir ? kinds[i].dir : "d/e");
	for (unsigned int i = 0; i < opt.lookers && !ret; i++)
		for (int t = 0; t < WAIT_S * 100 && !board->seats[i].pid; t++)
			usleep(10000);
	for (unsigned int i = 0; i < opt.lookers && !ret; i++)
		if (!__atomic_load_n(&board->seats[i].pid, __ATOMIC_ACQUIRE))
			ret = -ESRCH;
	return ret;
}

static int writer(void)
{
	struct count counts[MAX_KINDS] = { 0 };
	int ret = prepare(), status;

	status = ret ? fail("start", ret) : rounds(counts);
	board_say(&board->end, 1);
	ret = summary(counts);
	return status ? status : ret;
}

static const struct option options[] = {
	{ "dir", required_argument, NULL, 'd' },
	{ "see", required_argument, NULL, 's' },
	{ "page", required_argument, NULL, 'p' },
	{ "kinds", required_argument, NULL, 'k' },
	{ "lookers", required_argument, NULL, 'l' },
	{ "turn", required_argument, NULL, 't' },
	{ "who", required_argument, NULL, 'w' },
	{ "rounds", required_argument, NULL, 'r' },
	{ }
};

static bool parse(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'd':
			opt.dir = optarg;
			break;
		case 's':
			opt.see = optarg;
			break;
		case 'p':
			opt.page = optarg;
			break;
		case 'k':
			opt.only = optarg;
			break;
		case 'l':
			opt.lookers = atoi(optarg);
			break;
		case 't':
			opt.turn = atoi(optarg);
			break;
		case 'w':
			opt.who = atoi(optarg);
			break;
		case 'r':
			opt.rounds = atoi(optarg);
			break;
		default:
			return false;
		}
	}
	if (!opt.see)
		opt.see = opt.dir;
	return opt.dir && opt.page && opt.lookers <= LOOKERS && opt.who < LOOKERS &&
	       strlen(opt.dir) < PATH_SIZE / 2 && strlen(opt.see) < PATH_SIZE / 2;
}

static int list_kinds(void)
{
	for (unsigned int i = 0; i < nr_kinds; i++)
		puts(kinds[i].name);
	return 0;
}

int main(int argc, char **argv)
{
	const char *role = argc > 1 ? argv[1] : "";
	int ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	umask(0);
	if (!strcmp(role, "kinds"))
		return list_kinds();
	if ((strcmp(role, "writer") && strcmp(role, "looker")) ||
	    !parse(argc - 1, argv + 1))
		return 2;
	board = board_map(opt.page, sizeof(*board));
	if (!board)
		return fail(opt.page, -errno);
	ret = look_start();
	if (ret)
		return fail("name space and user", ret);
	return *role == 'w' ? writer() : looker();
}
