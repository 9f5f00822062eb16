/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * coherent.h - is a change seen everywhere as soon as it has returned?
 *
 * One writer, and lookers on any images, in rounds:
 *
 *	writer				lookers
 *	prepares a known state
 *	says LOOK  ------------------->	look in every way, twice: it is remembered
 *	looks as well			what they saw the second time
 *	           <------------------- done
 *	changes one thing, the call
 *	returns
 *	says LOOK  ------------------->	look in every way, once, each round in
 *					another one first
 *	           <------------------- done, what they saw
 *	looks, and compares
 *
 * They talk through a shared mapping (board.h), since what they test must not
 * carry the test.  That the writer looks last keeps what his looking might set
 * right out of the way.  What one sees is a view: numbers with names (look.c).
 * What is not as the writer sees it is "old" if it is what was there before the
 * change, else "wrong"; the first look is compared, too.  What is changed, and
 * how, is a kind (kinds.c).
 */
#ifndef COHERENT_H
#define COHERENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../board.h"

#define PATH_SIZE	256
#define SPOTS		3	/* paths that are looked at in a round */
#define LOOKERS		4	/* at most */
#define WAIT_S		60	/* for each other */
#define USER		1000	/* who is not root */

enum way {
	WAY_STAT, WAY_LIST, WAY_OPEN, WAY_FSTAT, WAY_TEXT, WAY_ACCESS, WAY_USER,
	WAY_XATTR, WAY_WRITE, WAY_REMOVE, WAY_MOUNT, WAYS
};

#define W(way)		(1u << WAY_##way)
#define USUAL_WAYS	(W(STAT) | W(LIST) | W(OPEN) | W(FSTAT) | W(TEXT) | \
			 W(ACCESS) | W(USER) | W(XATTR))

enum field {
	F_STAT, F_MODE, F_INO, F_UID, F_GID, F_LINKS, F_SIZE, F_MTIME, F_CTIME,
	F_LISTED, F_LIST_INO, F_LIST_TYPE, F_LIST_SUM,
	F_OPEN, F_DATA,
	F_FSTAT, F_FMODE, F_FUID, F_FLINKS, F_FSIZE, F_FMTIME,
	F_READLINK, F_TEXT,
	F_READ, F_WRITE, F_EXEC,
	F_USER_READ, F_USER_WRITE, F_USER_EXEC, F_USER_OPEN,
	F_XATTRS, F_XATTR_NAMES, F_COLOUR, F_ACL,
	F_OPEN_WRITE, F_REMOVE, F_MOUNT, FIELDS
};

/* Zero: not looked at, no error, or zero. */
struct view {
	uint64_t v[FIELDS];
};

struct spot {
	char path[PATH_SIZE];
	unsigned int ways;
	int fd;			/* held open over the change; -1: not */
	bool mounted;		/* by WAY_MOUNT */
	struct view view;
};

/* look.c */
struct looking {
	bool after;		/* the change */
	bool hold;		/* open what there is, until look_end() */
	unsigned int first;	/* way */
};
extern const char *const field_names[FIELDS];
/* A mount name space, and a process that is not root.  0 or -errno. */
int look_start(void);
/* In all ways of the spots, @l->first first, into their views. */
void look(struct spot *spots, const struct looking *l);
void look_end(struct spot *spots);
/* The process that is not root writes a byte to @path: 0 or -errno. */
int user_write(const char *path);

/* kinds.c */
struct scene {
	char a[PATH_SIZE], b[PATH_SIZE];	/* what is changed */
	char up[PATH_SIZE];			/* a directory above */
	unsigned int turn;			/* of this kind */
	int fd;					/* held open by the writer; -1 */
	char *map;
};

struct kind {
	const char *name;
	const char *dir, *dir_b;	/* of a and b; NULL: "d/e", as dir */
	const char *up;			/* NULL: as dir */
	unsigned int ways;		/* to look at a; 0: USUAL_WAYS */
	int (*prepare)(struct scene *s);
	/* 0 or -errno; -EOPNOTSUPP and -ENOTTY: it cannot be done here. */
	int (*change)(struct scene *s);
	int (*undo)(struct scene *s);	/* or NULL */
};
extern const struct kind kinds[];
extern const unsigned int nr_kinds;
/* Where @kind happens below @dir. */
void kind_scene(const struct kind *kind, const char *dir, struct scene *s);
void kind_spots(const struct kind *kind, const char *dir, struct spot *spots);

struct seat {
	uint64_t step;		/* the last that was done */
	uint64_t pid;		/* 0: nobody has come */
	struct view views[SPOTS];
};

struct board {
	uint64_t step;		/* what all shall do now; the writer's */
	uint64_t kind, turn, after;
	uint64_t end;		/* non-zero: stop */
	struct seat seats[LOOKERS];
};

static inline int board_wait(const uint64_t *word, uint64_t value, const uint64_t *end)
{
	return board_await(word, value, end, 50, WAIT_S);
}

#endif
