/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * semantics.h - what the parts of the program share
 */
#ifndef SEMANTICS_H
#define SEMANTICS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define USER	1000
#define OTHER	1001
#define GROUP	2000		/* user's and other's second one */
#define STRANGE	3000		/* a group that nobody is in */
#define N(a)	(sizeof(a) / sizeof((a)[0]))
#define TEXT	"0123456789"	/* what files have */
#define PAGE	4096
#define OLD	1000000000	/* seconds: a time that is not now */

/* Who calls, and somebody else: user IDs, and their groups' too. */
extern uid_t me, them;

/* --- saying what a call did: main.c --- */

/* A line "CALLER GROUP.NAME:" with what was said since the last line. */
void line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_ok(long ret);		/* "ok", or the error's name */
void say_value(long ret);	/* the number, or the error's name */
/* The same with a line. errno is what the call has left. */
void ok(long ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void value(long ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What a file is like: type, mode, links, size, owner. */
void say_stat(const struct stat *st);
void say_file(const char *path);
void say_fd(int fd);

/* "A|B" of the bits in @value; in one of four buffers. */
struct bit {
	const char *name;
	unsigned long value;
};
const char *bits(unsigned long value, const struct bit *names, int n);

/* --- files to try calls with: kinds.c --- */

/* All of them in the current directory; what @path is or is below, anew. By root. */
void make_all(const char *unused);
void make_again(const char *path);
void remove_all(const char *path);
/* As make_again(), but whoever calls. */
void again(const char *path);
/* Has the root process call @run(@arg), in the same directory. */
void as_root(void (*run)(const char *arg), const char *arg);
/* Names of the files that there are; and paths: also what is not there, too long ... */
extern const char *const kind_names[];
extern const int kinds;
extern const char *const paths[];
extern const int path_count;
/* What @path is called in a line. */
const char *path_name(const char *path);

/* What has to work. */
int must(int ret, const char *what);
/* A file with TEXT, of the caller. */
int make_file(const char *path, int flags);

/* --- groups of cases, each in a directory of its own --- */

void open_all(void);
void opens_how(void);
void one_path(void);
void renames(void);
void links(void);
void reads(void);
void seeks(void);
void sizes(void);
void allocations(void);
void copies(void);
void syncs(void);
void limits(void);
void maps(void);
void faults(void);
void advice(void);
void modes(void);
void owners(void);
void set_ids(void);
void times(void);
void changed_times(void);
void stats(void);
void xattrs(void);
void acls(void);
void new_files(void);
void listings(void);
void flags(void);
void locks(void);
void ioctls(void);
void fifos(void);
void sockets(void);
void programs(void);
void removed(void);
void paths_only(void);
void handles(void);
void protected(void);
void watches(void);
void mounts(void);
void polls(void);

#endif
