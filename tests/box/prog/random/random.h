/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * random.h - random changes by many, and does anybody see what cannot be?
 *
 * The tree: places DIR/p0 ... that hold directories or nothing, in each
 * directory names w0-0 ... that mean a file or nothing.  Directories move from
 * place to place, by one writer; each name is changed by one writer only, all
 * are read by all.
 *
 * The oracle: whatever can change is a register in a table that all have mapped.
 *
 *	place	which directory is there
 *	name	which file is there
 *	object	a directory or a file: its inode, mode, size, ...
 *
 * A register has versions.  Its writer counts `begun` up before the system call
 * that makes a new one, and `ended` when it has returned.  A reader notes
 * `ended` before it looks and takes `begun` after it has looked: what it sees
 * must follow from versions in between (explain.c).  There is no clock and no
 * lock in it.  Each step of a path is a register of its own, since a name may
 * be moved after it was found and before its file is looked at, as on any kernel.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PLACES		6u
#define DIRS		4u	/* with names in them, and always there */
#define WRITERS		8u
#define PER_DIR		3u	/* names of a writer in each directory */
#define NAMES		(DIRS * PER_DIR)
#define OBJECTS		(NAMES + 4)
#define RING		128u	/* versions that are kept */
#define HEAD		8u	/* bytes of a file that are looked at */
#define WAIT_S		60
#define USER		1000

/* Registers by number: places, directories (one more, empty), each writer's. */
#define PLACE(i)	(i)
#define DIRECTORY(i)	(PLACES + (i))
#define EMPTY_DIR	DIRECTORY(DIRS)
#define NAME(w, d, i)	(PLACES + DIRS + 1 + (w) * (NAMES + OBJECTS) + (d) * PER_DIR + (i))
#define OBJECT(w, i)	(NAME(w, 0, 0) + NAMES + (i))
#define REGISTERS	NAME(WRITERS, 0, 0)

struct state {
	uint32_t object;	/* of a place or name: its register; 0: nothing */
	uint32_t mode;		/* with type; an object's, as all below */
	uint32_t uid, gid;
	uint32_t links;		/* 0: gone; its number may be used again */
	uint32_t xattr;		/* user.v; 0: none */
	uint32_t text;		/* of a symbolic link */
	uint32_t pad;
	uint64_t ino, size;
	uint64_t mtime;		/* ns; 0: nobody knows */
	uint8_t head[HEAD];
};

struct reg {
	uint64_t begun, ended;	/* versions; the writer's alone */
	struct state ring[RING];
};

struct table {
	uint64_t magic;		/* written last */
	uint64_t runs;		/* how many are to come */
	uint64_t arrived, finished;
	uint64_t writers;
	struct reg regs[REGISTERS];
};

#define TABLE_MAGIC	0x72616e646f6d3031ULL

struct run {
	const char *dir;
	struct table *table;
	int dirs[DIRS];		/* the directories, wherever they are */
	uint64_t seed;
	unsigned int seconds;
};

/* table.c */
int table_open(const char *file, bool create, struct table **table);
const struct state *reg_now(const struct table *t, uint32_t reg);
/* Until *@word is @value at least: 0 or -ETIMEDOUT. */
int wait_for(const uint64_t *word, uint64_t value, unsigned int seconds);
uint64_t random_next(uint64_t *seed);
time_t seconds_now(void);

/* A change of several registers. */
#define CHANGE_MAX	6
struct change {
	struct table *table;
	unsigned int n;
	uint32_t regs[CHANGE_MAX];
	struct state next[CHANGE_MAX];
};
/* What @reg shall be after the change, as it is now; before the system call. */
struct state *change_begin(struct change *c, uint32_t reg);
/* After it: all is as said, or, not @done, as it was. */
void change_end(struct change *c, bool done);

/* writer.c: errors that should not have been, or 0. */
int write_names(struct run *run, unsigned int who);
int move_places(struct run *run);
int make_tree(struct run *run);

/* explain.c */
enum look {
	LOOK_STAT, LOOK_ACCESS, LOOK_READ, LOOK_LINK, LOOK_XATTR, LOOK_BELOW,
	LOOK_LIST, LOOK_PLACES, LOOKS
};

struct listed {
	uint64_t ino;		/* 0: not listed */
	uint32_t type;		/* DT_* */
};

/* What a reader saw of a name. */
struct seen {
	enum look look;
	uint32_t place, writer, index;	/* of which name */
	bool root;			/* the reader is */
	int err;
	struct state state;
	uint32_t len;			/* of head */
	uint64_t dir_ino;		/* LOOK_LIST */
	struct listed names[WRITERS][PER_DIR];
	struct listed places[PLACES];
	bool stray;			/* a name that never was is listed */
	uint64_t ended[REGISTERS];	/* before */
};
enum verdict { FITS, UNKNOWN, CONTRADICTION };
enum verdict explain(struct table *t, const struct seen *seen);

/* reader.c: contradictions. */
int read_names(struct run *run, unsigned int who, bool root);
/* Nobody changes anything: all that is there is as the table says. */
int read_all(struct run *run);

#endif
