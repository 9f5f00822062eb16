// SPDX-License-Identifier: GPL-2.0-only
/*
 * listing.c - the rest of an answer to READDIR, see listing.h
 *
 * While a listing is on its way it belongs to whoever asks for it, and the
 * table only says that it has a place. From then on it is the table's. Listings
 * that lose their place are collected and let go of without the lock, since
 * the owner has to be told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/listing.h"
#include "fs/ops.h"
#include "fs/watch.h"

#define ENTRY_BYTES	2048	/* of memory: inode, dentry, what is remembered */
#define SHARE		8	/* of it for one listing: that part */

struct item {
	struct ccfs_dirent d;	/* node 0: there is none, or FUSE has got it */
	const char *name;	/* in the answer, as is text */
	const char *text;
	struct ccfs_attr attr;
};

struct listing {
	struct listing *next;	/* of those that go */
	bool listed;		/* has a place in the table; its lock, as all below */
	bool kept;		/* the answer is here */
	uint64_t serial;	/* in the order of asking */
	uint64_t dir;
	uint64_t offset;	/* where it begins */
	size_t before;		/* entries of the listings that it follows */
	int64_t since_ms;
	struct msg m;
	struct item *items;
	size_t count;
	bool end;		/* nothing follows */
	bool changed;		/* its directory, by this image, since it was asked for */
};

int piece_init(struct piece *p, fuse_req_t req, uint64_t dir, bool plus,
	       size_t size)
{
	*p = (struct piece) { .req = req, .dir = dir, .plus = plus, .size = size };
	p->buf = malloc(size ? size : 1);
	/* an entry takes more bytes than its node here */
	p->given = malloc(size + sizeof(*p->given));
	if (p->buf && p->given)
		return 0;
	piece_free(p);
	return -ENOMEM;
}

void piece_free(struct piece *p)
{
	free(p->buf);
	free(p->given);
	free(p->tales.data);
	*p = (struct piece) { 0 };
}

void piece_reply(struct piece *p, struct ccfs *fs)
{
	tales_tell(&fs->attach, &p->tales);
	if (fuse_reply_buf(p->req, p->buf, p->len))
		names_forget(fs, p->given, p->ngiven);
}

/* FUSE gets the node of @it with this piece. */
static void piece_give(struct piece *p, struct item *it)
{
	const struct tale_name name = {
		.dir = p->dir, .name = it->name, .len = it->d.len,
		.gen = it->d.name_gen,
		.text = it->text, .text_len = it->d.text_len,
	};

	tales_add(&p->tales, it->d.node, &it->attr, &name);
	p->given[p->ngiven++] = (struct ccfs_forget) {
		.node = it->d.node, .count = 1,
	};
	it->d.node = 0;
}

/*
 * Is the node of @it to be given? Not if the attributes that come with it may be
 * older than what FUSE has: it takes them for new.
 */
static bool piece_wants(const struct piece *p, const struct item *it)
{
	return it->d.node && !p->bare && !(p->kept && !it->attr.gen);
}

/* False: @it does not fit any more. */
static bool piece_add(struct piece *p, struct item *it)
{
	bool node = piece_wants(p, it);
	struct fuse_entry_param e = {
		.ino = node ? it->d.node : 0,
		.generation = node ? node_generation(ccfs_of(p->req), it->d.node) : 0,
	};
	size_t left = p->size - p->len, n;
	char name[CCFS_NAME_MAX + 1];

	memcpy(name, it->name, it->d.len);
	name[it->d.len] = '\0';
	if (node)
		attr_stat(&it->attr, &e.attr);
	else
		e.attr = (struct stat) {
			.st_ino = it->d.ino, .st_mode = (it->d.type & 017) << 12,
		};
	n = p->plus ? fuse_add_direntry_plus(p->req, p->buf + p->len, left, name,
					     &e, it->d.offset) :
		      fuse_add_direntry(p->req, p->buf + p->len, left, name,
					&e.attr, it->d.offset);
	if (n > left)
		return false;
	p->len += n;
	if (node)
		piece_give(p, it);
	return true;
}

/* As many of @l from its item @at on as fit. The item that comes next. */
static size_t piece_fill(struct piece *p, struct listing *l, size_t at)
{
	while (at < l->count && piece_add(p, &l->items[at]))
		at++;
	return at;
}

static int item_get(struct msg *m, struct item *it)
{
	const void *name, *text;

	if (msg_get(m, &it->d, sizeof(it->d)) || !it->d.len ||
	    it->d.len > CCFS_NAME_MAX || msg_get_data(m, it->d.len, &name) ||
	    msg_get_data(m, it->d.text_len, &text))
		return -EPROTO;
	it->name = name;
	it->text = text;
	if (!it->d.node)
		return 0;
	if (msg_get(m, &it->attr, sizeof(it->attr)))
		return -EPROTO;
	it->d.type = (it->attr.mode & S_IFMT) >> 12;
	return 0;
}

/* Find the items in @l's answer. */
static int listing_parse(struct listing *l)
{
	struct ccfs_listing head;
	struct item *more;

	if (msg_get(&l->m, &head, sizeof(head)))
		return -EPROTO;
	l->end = head.flags & CCFS_LISTING_END;
	while (l->m.pos < l->m.len) {
		if (!(l->count & (l->count - 1))) {	/* full: 0, 1, 2, 4 ... */
			more = reallocarray(l->items, l->count ? 2 * l->count : 1,
					    sizeof(*more));
			if (!more)
				return -ENOMEM;
			l->items = more;
		}
		if (item_get(&l->m, &l->items[l->count]))
			return -EPROTO;
		l->count++;
	}
	return 0;
}

/* Let go of all in the list @l, which have no place any more. */
static void listings_free(struct ccfs *fs, struct listing *l)
{
	struct listing *next;
	struct ccfs_forget *left;
	size_t n;

	for (; l; l = next) {
		next = l->next;
		left = calloc(l->count + 1, sizeof(*left));
		n = 0;
		for (size_t i = 0; left && i < l->count; i++)
			if (l->items[i].d.node)
				left[n++] = (struct ccfs_forget) {
					.node = l->items[i].d.node, .count = 1,
				};
		if (n)
			names_forget(fs, left, n);
		free(left);
		msg_free(&l->m);
		free(l->items);
		free(l);
	}
}

/*
 * With the lock: the place at @at gets free. What is kept there goes to the list
 * at *@gone; what is on its way is its asker's.
 */
static void place_free(struct listings *ls, int at, struct listing **gone)
{
	struct listing *l = ls->table[at];

	ls->table[at] = NULL;
	if (!l)
		return;
	l->listed = false;
	if (!l->kept)
		return;
	l->next = *gone;
	*gone = l;
}

/* With the lock: the place to put a listing in, maybe not free. */
static int place_find(const struct listings *ls)
{
	int oldest = 0;

	for (int i = 0; i < LISTINGS; i++) {
		if (!ls->table[i])
			return i;
		if (ls->table[i]->serial < ls->table[oldest]->serial)
			oldest = i;
	}
	return oldest;
}

/* With the lock: @l gives its place up. */
static void place_leave(struct listings *ls, const struct listing *l,
			struct listing **gone)
{
	for (int i = 0; i < LISTINGS; i++)
		if (ls->table[i] == l)
			place_free(ls, i, gone);
}

/* With the lock: readers of @dir begin anew. */
static void places_leave(struct listings *ls, uint64_t dir, struct listing **gone)
{
	for (int i = 0; i < LISTINGS; i++)
		if (ls->table[i] && ls->table[i]->dir == dir)
			place_free(ls, i, gone);
}

/* With the lock: how many entries came before @offset, as far as is known. */
static size_t places_before(const struct listings *ls, uint64_t dir, uint64_t offset)
{
	const struct listing *l;

	for (int i = 0; i < LISTINGS; i++) {
		l = ls->table[i];
		if (l && l->kept && l->dir == dir && l->count &&
		    l->items[l->count - 1].d.offset == offset)
			return l->before + l->count;
	}
	return 0;
}

bool listing_plus(const struct ccfs *fs, const struct listing *l)
{
	return l->before < fs->listings.plus_max;
}

struct listing *listing_begin(struct ccfs *fs, uint64_t offset,
			      const struct piece *p)
{
	struct listings *ls = &fs->listings;
	struct listing *l = calloc(1, sizeof(*l)), *gone = NULL;
	int at;

	if (!l)
		return NULL;
	*l = (struct listing) { .dir = p->dir, .offset = offset };
	if (!p->plus)
		return l;
	pthread_mutex_lock(&ls->lock);
	l->listed = true;
	l->serial = ++ls->last;
	if (offset)
		l->before = places_before(ls, p->dir, offset);
	else
		places_leave(ls, p->dir, &gone);
	at = place_find(ls);
	place_free(ls, at, &gone);
	ls->table[at] = l;
	pthread_mutex_unlock(&ls->lock);
	listings_free(fs, gone);
	return l;
}

void listing_cancel(struct ccfs *fs, struct listing *l)
{
	struct listings *ls = &fs->listings;

	pthread_mutex_lock(&ls->lock);
	place_leave(ls, l, NULL);	/* it is not kept: ours */
	pthread_mutex_unlock(&ls->lock);
	listings_free(fs, l);
}

int listing_take(struct ccfs *fs, struct listing *l, struct msg *m,
		 struct piece *p)
{
	struct listings *ls = &fs->listings;
	size_t next;
	int ret;

	l->m = *m;
	*m = (struct msg) { 0 };
	ret = listing_parse(l);
	if (ret) {
		listing_cancel(fs, l);
		return ret;
	}
	next = piece_fill(p, l, 0);
	pthread_mutex_lock(&ls->lock);
	if (l->listed && (next < l->count || (l->count && l->end))) {
		l->kept = true;
		l->since_ms = watch_now_ms();
		pthread_cond_signal(&ls->some);
		pthread_mutex_unlock(&ls->lock);
		return 0;
	}
	pthread_mutex_unlock(&ls->lock);
	listing_cancel(fs, l);
	return 0;
}

/* With the lock: which item follows @offset; count: none does; -1: not known. */
static ssize_t listing_find(const struct listing *l, uint64_t dir,
			    uint64_t offset)
{
	uint64_t at = l->offset;

	if (!l->kept || l->dir != dir)
		return -1;
	for (size_t i = 0; i < l->count; i++) {
		if (at == offset)
			return i;
		at = l->items[i].d.offset;
	}
	return l->end && at == offset ? (ssize_t)l->count : -1;
}

bool listing_serve(struct ccfs *fs, uint64_t offset, struct piece *p)
{
	struct listings *ls = &fs->listings;
	struct listing *best = NULL, *gone = NULL, *l;
	ssize_t from = -1, at;

	if (!offset)
		return false;
	pthread_mutex_lock(&ls->lock);
	for (int i = 0; i < LISTINGS; i++) {
		l = ls->table[i];
		at = l ? listing_find(l, p->dir, offset) : -1;
		if (at < 0 || (best && best->serial > l->serial))
			continue;
		best = l;
		from = at;
	}
	if (best) {
		p->kept = true;
		p->bare = best->changed;
		piece_fill(p, best, from);
	}
	if (best && from == (ssize_t)best->count)
		place_leave(ls, best, &gone);
	pthread_mutex_unlock(&ls->lock);
	listings_free(fs, gone);
	return best;
}

void listings_changed(struct ccfs *fs, uint64_t dir)
{
	struct listings *ls = &fs->listings;

	pthread_mutex_lock(&ls->lock);
	for (int i = 0; i < LISTINGS; i++)
		if (ls->table[i] && ls->table[i]->dir == dir)
			ls->table[i]->changed = true;
	pthread_mutex_unlock(&ls->lock);
}

void listings_init(struct listings *ls)
{
	*ls = (struct listings) {
		.lock = PTHREAD_MUTEX_INITIALIZER, .some = PTHREAD_COND_INITIALIZER,
		.plus_max = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) /
			    (SHARE * ENTRY_BYTES),
	};
}

void listings_expire(struct ccfs *fs, int64_t now_ms)
{
	struct listings *ls = &fs->listings;
	struct listing *gone = NULL, *l;

	pthread_mutex_lock(&ls->lock);
	for (int i = 0; i < LISTINGS; i++) {
		l = ls->table[i];
		if (l && l->kept && now_ms - l->since_ms > LISTING_MS)
			place_free(ls, i, &gone);
	}
	pthread_mutex_unlock(&ls->lock);
	listings_free(fs, gone);
}

static bool some_kept(const struct listings *ls)
{
	for (int i = 0; i < LISTINGS; i++)
		if (ls->table[i] && ls->table[i]->kept)
			return true;
	return false;
}

static void *expirer(void *arg)
{
	struct ccfs *fs = arg;
	struct listings *ls = &fs->listings;

	for (;;) {
		pthread_mutex_lock(&ls->lock);
		while (!some_kept(ls))
			pthread_cond_wait(&ls->some, &ls->lock);
		pthread_mutex_unlock(&ls->lock);
		usleep(LISTING_MS / 5 * 1000);
		listings_expire(fs, watch_now_ms());
	}
	return NULL;
}

int listings_start(struct ccfs *fs)
{
	pthread_t thread;
	int ret = pthread_create(&thread, NULL, expirer, fs);

	if (!ret)
		pthread_detach(thread);
	return -ret;
}
