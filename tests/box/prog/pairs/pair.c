// SPDX-License-Identifier: GPL-2.0-only
/* pair.c - a round: its names, its facts, what is open meanwhile */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pairs.h"

#define NAMES	4	/* that a row has in turn: what was remembered of them comes again */

static void below(char *path, const char *dir, const char *name)
{
	snprintf(path, PATH_SIZE, "%.100s/%.64s", dir, name);
}

void pair_begin(struct pair *p)
{
	char name[16];

	p->after = false;
	p->fd = -1;
	p->other = -1;
	p->child = 0;
	p->map = NULL;
	p->list = NULL;
	snprintf(name, sizeof(name), "%u", p->row);
	below(p->dir, p->top, name);
}

void pair_names(struct pair *p, const char *a, const char *b)
{
	struct board *board = p->board;

	snprintf(board->a, sizeof(board->a), "%s%u", a, p->round % NAMES);
	snprintf(board->b, sizeof(board->b), "%s%u", b, p->round % NAMES);
	pair_follow(p);
}

void pair_follow(struct pair *p)
{
	below(p->a, p->dir, p->board->a);
	below(p->b, p->dir, p->board->b);
}

void pair_end(struct pair *p)
{
	if (p->map)
		munmap(p->map, MAP_PAGES * PAGE);
	if (p->list)
		closedir(p->list);
	if (p->fd >= 0)
		close(p->fd);
	if (p->other >= 0)
		close(p->other);
	if (p->child) {
		kill(p->child, SIGKILL);
		waitpid(p->child, NULL, 0);
	}
	pair_begin(p);
}

void pair_fact(struct pair *p, enum fact what, int64_t was, int64_t is)
{
	p->board->was[what] = was;
	p->board->is[what] = is;
	p->board->set |= 1ULL << what;
}

void pair_now(struct pair *p, enum fact what, int64_t is)
{
	p->board->is[what] = is;
}
