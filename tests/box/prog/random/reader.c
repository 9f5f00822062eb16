// SPDX-License-Identifier: GPL-2.0-only
/*
 * reader.c - random looks at random names
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "random.h"

#define TOLD	5	/* contradictions that are printed */

static const char *const look_names[LOOKS] = {
	"lstat", "access R", "read", "readlink", "getxattr", "access below",
	"list", "list of places",
};

static int error_of(long ret)
{
	return ret < 0 ? errno : 0;
}

static void path_of(const struct run *run, const struct seen *seen, char *path, size_t size)
{
	snprintf(path, size, "%s/p%u/w%u-%u%s", run->dir, seen->place, seen->writer,
		 seen->index, seen->look == LOOK_BELOW ? "/below" : "");
}

static void see_stat(struct seen *seen, const char *path)
{
	struct stat st;

	seen->err = error_of(lstat(path, &st));
	if (seen->err)
		return;
	seen->state.mode = st.st_mode;
	seen->state.ino = st.st_ino;
	seen->state.uid = st.st_uid;
	seen->state.gid = st.st_gid;
	seen->state.links = st.st_nlink;
	seen->state.size = st.st_size;
	seen->state.mtime = st.st_mtim.tv_sec * 1000000000ULL + st.st_mtim.tv_nsec;
}

static void see_access(struct seen *seen, const char *path)
{
	seen->err = error_of(access(path, seen->look == LOOK_BELOW ? F_OK : R_OK));
}

static void see_data(struct seen *seen, const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	seen->err = error_of(fd);
	if (fd < 0)
		return;
	n = pread(fd, seen->state.head, HEAD, 0);
	/* Not of a directory, nor of a FIFO. */
	if (n < 0 && errno != EISDIR && errno != ESPIPE)
		seen->err = errno;
	seen->len = n > 0 ? n : 0;
	close(fd);
}

static void see_link(struct seen *seen, const char *path)
{
	char text[64] = "";

	seen->err = error_of(readlink(path, text, sizeof(text) - 1));
	if (!seen->err && sscanf(text, "to-%u", &seen->state.text) != 1)
		seen->err = EBADMSG;
}

static void see_xattr(struct seen *seen, const char *path)
{
	seen->err = error_of(lgetxattr(path, "user.v", &seen->state.xattr,
				       sizeof(seen->state.xattr)));
}

static void see_name(struct seen *seen, const struct dirent *e)
{
	struct listed l = { .ino = e->d_ino, .type = e->d_type };
	unsigned int w, i;

	if (*e->d_name == '.' || !strcmp(e->d_name, "keep"))
		return;
	if (sscanf(e->d_name, "w%u-%u", &w, &i) == 2 && w < WRITERS && i < PER_DIR &&
	    seen->look == LOOK_LIST)
		seen->names[w][i] = l;
	else if (sscanf(e->d_name, "p%u", &i) == 1 && i < PLACES &&
		 seen->look == LOOK_PLACES)
		seen->places[i] = l;
	else
		seen->stray = true;
}

static void see_list(struct seen *seen, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	struct stat st;

	seen->err = dir ? 0 : errno;
	if (!dir)
		return;
	if (!fstat(dirfd(dir), &st))
		seen->dir_ino = st.st_ino;
	for (errno = 0; (e = readdir(dir)); errno = 0)
		see_name(seen, e);
	/* A directory may have been removed while it was listed. */
	if (errno && errno != ENOENT)
		seen->err = errno;
	closedir(dir);
}

/* Only what is remembered of before is read between the two loads. */
static void see(struct run *run, struct seen *seen)
{
	char path[256];

	path_of(run, seen, path, sizeof(path));
	if (seen->look >= LOOK_LIST) {
		snprintf(path, sizeof(path), seen->look == LOOK_LIST ? "%s/p%u" : "%s",
			 run->dir, seen->place);
		memset(seen->names, 0, sizeof(seen->names));
		memset(seen->places, 0, sizeof(seen->places));
	}
	seen->stray = false;
	seen->len = 0;
	seen->state = (struct state) { 0 };
	for (uint32_t r = 0; r < REGISTERS; r++)
		seen->ended[r] = __atomic_load_n(&run->table->regs[r].ended, __ATOMIC_ACQUIRE);
	switch (seen->look) {
	case LOOK_STAT:
		return see_stat(seen, path);
	case LOOK_ACCESS:
	case LOOK_BELOW:
		return see_access(seen, path);
	case LOOK_READ:
		return see_data(seen, path);
	case LOOK_LINK:
		return see_link(seen, path);
	case LOOK_XATTR:
		return see_xattr(seen, path);
	default:
		return see_list(seen, path);
	}
}

/* Of what may have been: the last version of each step, and how many there are. */
static void print_truth(struct table *t, const struct seen *seen)
{
	const struct state *s;

	for (uint32_t d = 0; d <= DIRS; d++) {
		s = reg_now(t, DIRECTORY(d));
		printf("  directory %u: inode %llu mode %o, versions %llu to %llu\n", d,
		       (unsigned long long)s->ino, s->mode,
		       (unsigned long long)seen->ended[DIRECTORY(d)],
		       (unsigned long long)t->regs[DIRECTORY(d)].begun);
		if (d == DIRS || seen->look >= LOOK_LIST)
			continue;
		s = reg_now(t, NAME(seen->writer, d, seen->index));
		if (!s->object)
			continue;
		s = reg_now(t, s->object);
		printf("    w%u-%u: mode %o inode %llu uid %u gid %u links %u size %llu mtime %llu xattr %u text %u\n",
		       seen->writer, seen->index, s->mode, (unsigned long long)s->ino,
		       s->uid, s->gid, s->links, (unsigned long long)s->size,
		       (unsigned long long)s->mtime, s->xattr, s->text);
	}
	for (uint32_t p = 0; p < PLACES; p++)
		printf("  place %u: directory %d, versions %llu to %llu\n", p,
		       (int)reg_now(t, PLACE(p))->object - (int)DIRECTORY(0),
		       (unsigned long long)seen->ended[p],
		       (unsigned long long)t->regs[p].begun);
}

static void print_seen(struct run *run, const struct seen *seen, const char *who)
{
	const struct state *s = &seen->state;
	char path[256];

	path_of(run, seen, path, sizeof(path));
	printf("random: %s, %s: CONTRADICTION: %s of %s: %s, mode %o inode %llu uid %u gid %u links %u size %llu mtime %llu xattr %u text %u, %u bytes %02x%02x%02x%02x.., directory %llu%s\n",
	       who, seen->root ? "root" : "user", look_names[seen->look], path,
	       strerror(seen->err), s->mode, (unsigned long long)s->ino, s->uid, s->gid,
	       s->links, (unsigned long long)s->size, (unsigned long long)s->mtime,
	       s->xattr, s->text, seen->len, s->head[0], s->head[1], s->head[2],
	       s->head[3], (unsigned long long)seen->dir_ino,
	       seen->stray ? ", stray names" : "");
	print_truth(run->table, seen);
}

int read_names(struct run *run, unsigned int who, bool root)
{
	static struct seen seen;
	uint64_t seed = run->seed * 7919 + who * 104729 + 1;
	unsigned int count = 0, verdicts[3] = { 0 };
	time_t until = seconds_now() + run->seconds;
	enum verdict verdict;
	char name[32];

	snprintf(name, sizeof(name), "reader %u", who);
	seen.root = root;
	while (seconds_now() < until) {
		seen.look = random_next(&seed) % LOOKS;
		seen.place = random_next(&seed) % PLACES;
		seen.writer = random_next(&seed) % run->table->writers;
		seen.index = random_next(&seed) % PER_DIR;
		see(run, &seen);
		verdict = explain(run->table, &seen);
		count++;
		if (verdict == CONTRADICTION && verdicts[verdict] < TOLD)
			print_seen(run, &seen, name);
		verdicts[verdict]++;
	}
	printf("%s, %s: %u looks, %u too long ago to say, %u contradictions\n", name,
	       root ? "root" : "user", count, verdicts[UNKNOWN], verdicts[CONTRADICTION]);
	return verdicts[CONTRADICTION] || verdicts[UNKNOWN] > count / 2;
}

static int read_one(struct run *run, struct seen *seen)
{
	see(run, seen);
	if (explain(run->table, seen) == FITS)
		return 0;
	print_seen(run, seen, "at the end");
	return 1;
}

int read_all(struct run *run)
{
	static struct seen seen = { .root = true };
	int bad = 0;

	for (seen.look = 0; seen.look < LOOKS; seen.look++)
		for (seen.place = 0; seen.place < PLACES; seen.place++)
			for (seen.writer = 0; seen.writer < run->table->writers; seen.writer++)
				for (seen.index = 0; seen.index < PER_DIR; seen.index++)
					bad += read_one(run, &seen);
	return bad;
}
