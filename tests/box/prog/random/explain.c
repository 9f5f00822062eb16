// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain.c - can what was seen be true?
 *
 * All that a name can have led to meanwhile: each version of the place gives a
 * directory, each version of that says whether the reader may search it, each
 * version of the name in it gives a file, and the versions of that what could
 * be seen of it.  One way that leads to what was seen explains it.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "random.h"

struct versions {
	unsigned int n;
	struct state v[RING];
};

/*
 * What @reg was while the reader looked: from the version that had ended before
 * to the last that has begun by now.  Waits for that to end.
 */
static bool versions_get(struct table *t, const struct seen *seen, uint32_t reg,
			 struct versions *out)
{
	struct reg *r = &t->regs[reg];
	uint64_t from = seen->ended[reg], to = __atomic_load_n(&r->begun, __ATOMIC_SEQ_CST);

	if (to < from)
		to = from;
	if (to - from >= RING - 1 || wait_for(&r->ended, to, WAIT_S))
		return false;
	out->n = 0;
	for (uint64_t v = from; v <= to; v++)
		out->v[out->n++] = r->ring[v % RING];
	/* Nothing of it has been written over meanwhile. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&r->begun, __ATOMIC_SEQ_CST) - from < RING;
}

/* May the reader do @mask (4 read, 2 write, 1 execute or search)? */
static bool may(const struct state *s, bool root, unsigned int mask)
{
	unsigned int mode = s->mode;

	if (root)
		return mask != 1 || S_ISDIR(mode) || mode & 0111;
	if (s->uid == USER)
		mode >>= 6;
	else if (s->gid == USER)
		mode >>= 3;
	return (mode & mask) == mask;
}

static bool same_field(const struct state *is, const struct state *seen, unsigned int field)
{
	switch (field) {
	case 0:
		return is->mode == seen->mode;
	case 1:
		return is->ino == seen->ino;
	case 2:
		return is->uid == seen->uid;
	case 3:
		return is->gid == seen->gid;
	case 4:
		return is->links == seen->links;
	case 5:
		return S_ISDIR(is->mode) || is->size == seen->size;
	default:
		return !is->mtime || is->mtime == seen->mtime;
	}
}

#define FIELDS	7

/*
 * Each field is as in one version, not all as in the same: stat() takes no lock
 * that write() or chown() has, and they do not set all fields at once.
 */
static bool same_stat(const struct versions *o, const struct state *seen)
{
	unsigned int field, v;

	for (field = 0; field < FIELDS; field++) {
		for (v = 0; v < o->n; v++)
			if (same_field(&o->v[v], seen, field))
				break;
		if (v == o->n)
			return false;
	}
	return true;
}

/* Opened for reading, as far as an error goes; 0: that it can be opened. */
static bool open_gives(const struct state *is, const struct seen *seen, int err)
{
	if (S_ISLNK(is->mode))
		return err == ELOOP;
	return err == (may(is, seen->root, 4) ? 0 : EACCES);
}

/* What was read: as long as one version, each byte as in one. */
static bool same_data(const struct versions *o, const struct seen *seen)
{
	bool len = false, byte;

	for (unsigned int v = 0; v < o->n; v++)
		len |= seen->len == (o->v[v].size < HEAD ? o->v[v].size : HEAD);
	for (unsigned int i = 0; i < seen->len && len; i++) {
		byte = false;
		for (unsigned int v = 0; v < o->n; v++)
			byte |= o->v[v].head[i] == seen->state.head[i];
		len = byte;
	}
	return len;
}

static bool state_explains(const struct state *is, const struct seen *seen)
{
	mode_t type = is->mode & S_IFMT;

	switch (seen->look) {
	case LOOK_ACCESS:
		/* Of a link that leads nowhere. */
		if (type == S_IFLNK)
			return seen->err == ENOENT;
		return seen->err == (may(is, seen->root, 4) ? 0 : EACCES);
	case LOOK_LINK:
		return type != S_IFLNK ? seen->err == EINVAL :
			!seen->err && seen->state.text == is->text;
	case LOOK_XATTR:
		if ((type == S_IFREG || type == S_IFDIR) && !may(is, seen->root, 4))
			return seen->err == EACCES;
		return seen->err ? seen->err == ENODATA && !is->xattr :
			seen->state.xattr == is->xattr;
	case LOOK_BELOW:
		if (type == S_IFDIR)
			return seen->err == (may(is, seen->root, 1) ? ENOENT : EACCES);
		return seen->err == (type == S_IFLNK ? ENOENT : ENOTDIR);
	default:
		return false;
	}
}

static bool object_explains(const struct versions *o, const struct seen *seen)
{
	if (seen->look == LOOK_STAT)
		return !seen->err && same_stat(o, &seen->state);
	for (unsigned int v = 0; v < o->n; v++) {
		if (seen->look != LOOK_READ) {
			if (state_explains(&o->v[v], seen))
				return true;
		} else if (open_gives(&o->v[v], seen, seen->err)) {
			if (seen->err || !S_ISREG(o->v[v].mode) || same_data(o, seen))
				return true;
		}
	}
	return false;
}

static enum verdict name_explains(struct table *t, const struct seen *seen, uint32_t reg)
{
	struct versions names, o;

	if (!versions_get(t, seen, reg, &names))
		return UNKNOWN;
	for (unsigned int v = 0; v < names.n; v++) {
		if (!names.v[v].object) {
			if (seen->err == ENOENT)
				return FITS;
			continue;
		}
		if (!versions_get(t, seen, names.v[v].object, &o))
			return UNKNOWN;
		if (object_explains(&o, seen))
			return FITS;
	}
	return CONTRADICTION;
}

/* Is @l what a name whose register is @reg may have been listed as? */
static enum verdict listing_explains(struct table *t, const struct seen *seen,
				     uint32_t reg, const struct listed *l)
{
	struct versions names, o;

	if (!versions_get(t, seen, reg, &names))
		return UNKNOWN;
	for (unsigned int v = 0; v < names.n; v++) {
		if (!names.v[v].object && !l->ino)
			return FITS;
		if (!names.v[v].object || !l->ino)
			continue;
		if (!versions_get(t, seen, names.v[v].object, &o))
			return UNKNOWN;
		for (unsigned int i = 0; i < o.n; i++)
			if (o.v[i].ino == l->ino && IFTODT(o.v[i].mode) == l->type)
				return FITS;
	}
	return CONTRADICTION;
}

static enum verdict list_explains(struct table *t, const struct seen *seen,
				  uint32_t dir, const struct state *is)
{
	enum verdict worst = FITS, one;

	if (seen->err == EACCES)
		return may(is, seen->root, 4) ? CONTRADICTION : FITS;
	if (seen->err || is->ino != seen->dir_ino || !may(is, seen->root, 4))
		return CONTRADICTION;
	for (unsigned int w = 0; w < WRITERS; w++) {
		for (unsigned int i = 0; i < PER_DIR; i++) {
			const struct listed *l = &seen->names[w][i];

			if (dir == EMPTY_DIR)
				one = l->ino ? CONTRADICTION : FITS;
			else
				one = listing_explains(t, seen,
						       NAME(w, dir - DIRECTORY(0), i), l);
			worst = one > worst ? one : worst;
		}
	}
	return worst;
}

static enum verdict dir_explains(struct table *t, const struct seen *seen, uint32_t dir)
{
	struct versions d;
	enum verdict one;

	if (!versions_get(t, seen, dir, &d))
		return UNKNOWN;
	for (unsigned int v = 0; v < d.n; v++) {
		if (seen->look == LOOK_LIST)
			one = list_explains(t, seen, dir, &d.v[v]);
		else if (!may(&d.v[v], seen->root, 1))
			one = seen->err == EACCES ? FITS : CONTRADICTION;
		else if (dir == EMPTY_DIR)
			one = seen->err == ENOENT ? FITS : CONTRADICTION;
		else
			one = name_explains(t, seen, NAME(seen->writer, dir - DIRECTORY(0),
							  seen->index));
		if (one != CONTRADICTION)
			return one;
	}
	return CONTRADICTION;
}

static enum verdict places_explain(struct table *t, const struct seen *seen)
{
	enum verdict worst = FITS, one;

	if (seen->err)
		return CONTRADICTION;
	for (unsigned int p = 0; p < PLACES; p++) {
		one = listing_explains(t, seen, PLACE(p), &seen->places[p]);
		worst = one > worst ? one : worst;
	}
	return worst;
}

enum verdict explain(struct table *t, const struct seen *seen)
{
	struct versions places;
	enum verdict one;

	if (seen->stray)
		return CONTRADICTION;
	if (seen->look == LOOK_PLACES)
		return places_explain(t, seen);
	if (!versions_get(t, seen, PLACE(seen->place), &places))
		return UNKNOWN;
	for (unsigned int v = 0; v < places.n; v++) {
		if (places.v[v].object)
			one = dir_explains(t, seen, places.v[v].object);
		else
			one = seen->err == ENOENT ? FITS : CONTRADICTION;
		if (one != CONTRADICTION)
			return one;
	}
	return CONTRADICTION;
}
