/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pairs.h - what one process does, and another one sees at once
 *
 * Two processes, on any images, play each pair of an operation (struct op) and an
 * observation (struct see) in rounds:
 *
 *	who acts			who sees
 *	prepares, says what the facts
 *	are now and what they will be
 *	           ------------------->	looks, twice: it may be remembered
 *	           <------------------- what he saw
 *	acts; the call returns
 *	           ------------------->	looks, once, at once
 *	notes what only shows now	waits for that, compares
 *	           <-------------------	what he saw
 *
 * They talk through a shared mapping (board.h).  A fact is a number with a name: an
 * operation says what some of them were and are, an observation yields one of them.  Each
 * round has other numbers.
 */
#ifndef PAIRS_H
#define PAIRS_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../board.h"

#define PATH_SIZE	256
#define PAGE		4096
#define MAP_PAGES	4	/* of what who sees has mapped */
#define FREE_UNIT	(8 << 20)	/* of space that is taken and freed, in bytes */
#define USER		1000	/* who is not root */
#define WAIT_S		250	/* for each other: much longer than any call takes */

enum fact {
	/* of a, by its name */
	FACT_THERE, FACT_TYPE, FACT_INO, FACT_LINKS, FACT_SIZE, FACT_STAMP, FACT_MODE, FACT_UID,
	FACT_GID, FACT_MTIME, FACT_CTIME, FACT_XATTR, FACT_XATTRS, FACT_ACL, FACT_TEXT, FACT_MAY,
	FACT_STATUS, FACT_HOLE, FACT_DATA,
	/* of what a was before */
	FACT_HELD_LINKS, FACT_HELD_SIZE, FACT_HELD_STAMP, FACT_HELD_MODE, FACT_HELD_UID,
	FACT_HELD_MTIME, FACT_PAGES, FACT_PLACE, FACT_PARENT,
	/* of b, of the directory of both */
	FACT_THERE_B, FACT_INO_B, FACT_DIR_LINKS, FACT_DIR_MTIME, FACT_FREE,
	/* of locks on a: what one that is wanted gets, and whose is in the way */
	FACT_LOCK, FACT_FLOCK, FACT_LOCKER,
	FACTS
};

struct board {
	uint64_t step;			/* what who sees shall do now */
	uint64_t done;			/* the last that he did */
	uint64_t known;			/* the last of which all facts are known */
	uint64_t seer;			/* his process id, when he has come */
	uint64_t end;
	uint64_t row, round, what;	/* enum look */
	uint64_t set;			/* facts that mean something, by bits */
	int64_t was[FACTS], is[FACTS];
	int64_t saw, want;
	char a[64], b[64];		/* below the directory */
};

enum look { LOOK_BEFORE, LOOK_AFTER, LOOK_NO_MORE };

/* A round, as one of the two has it. */
struct pair {
	struct board *board;
	const char *top;		/* where all of it happens */
	unsigned int row, round;
	bool after;			/* it has been done */
	char dir[PATH_SIZE], a[PATH_SIZE], b[PATH_SIZE];
	int fd, other;			/* open until its end; -1: not */
	pid_t child;			/* killed at its end */
	char *map;			/* MAP_PAGES of a */
	DIR *list;
};

struct op {
	const char *name;
	int (*prepare)(struct pair *p);	/* 0 or -errno, as act */
	/* -EOPNOTSUPP and -ENOTTY: it cannot be done on this mount. */
	int (*act)(struct pair *p);
	void (*known)(struct pair *p);	/* facts that only show after it, or NULL */
};

struct see {
	const char *name;
	enum fact fact;
	int64_t (*look)(struct pair *p);	/* or -errno */
};

struct row {
	const struct op *op;
	const struct see *see;
	bool remembered;	/* old where nobody counts changes */
	bool slow;		/* not exact at once, as documented: played less often */
	bool limit;		/* a client sees the old state, as documented */
};

/* Ends with a name that is NULL. */
extern const struct op data_ops[], size_ops[], name_ops[], attr_ops[], lock_ops[];
extern const struct see data_sees[], name_sees[], attr_sees[], lock_sees[];

/* table.c: how many rows, or -1: it makes no sense. */
int table_rows(const struct row **rows);

/* As board_await(), @hot: it will not be long. */
static inline int board_wait(const uint64_t *word, uint64_t value, const uint64_t *end, bool hot)
{
	return board_await(word, value, end, hot ? 20000 : 20, WAIT_S);
}

/* pair.c */
void pair_begin(struct pair *p);
void pair_end(struct pair *p);
/* What a and b are called from now on, below the directory of the row. */
void pair_names(struct pair *p, const char *a, const char *b);
/* As who acts said. */
void pair_follow(struct pair *p);
void pair_fact(struct pair *p, enum fact what, int64_t was, int64_t is);
/* A fact that is known only now. */
void pair_now(struct pair *p, enum fact what, int64_t is);

/* files.c: what operations begin with. 0 or -errno, -errno for what fails */
int64_t error_of(long ret);
int64_t stamp_old(const struct pair *p);
int64_t stamp_new(const struct pair *p);
int file_gone(const char *path);
/* @size bytes of stamps; a new inode every other round.  p->fd is open on it. */
int file_make(struct pair *p, const char *path, size_t size, int64_t stamp);
/* ... and not open. */
int file_closed(struct pair *p, const char *path, size_t size, int64_t stamp);
/* p->fd, opened if need be: the operation is by it. */
int file_fd(struct pair *p);
/* Of the file as who acts sees it; 0: there is none. */
int64_t file_ino(const char *path);
int64_t file_mtime(const char *path);
int64_t file_ctime(const char *path);

#endif
