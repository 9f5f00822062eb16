// SPDX-License-Identifier: GPL-2.0-only
/*
 * node.c - the files that a connection knows, see node.h
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ccfs_proto.h"
#include "proxyd/export/cred.h"
#include "proxyd/life/later.h"
#include "proxyd/names/node.h"

#define TRIM_LOOKS	8	/* nodes looked at when one too many is open */

static struct node **id_bucket(struct nodes *t, uint64_t id)
{
	return &t->by_id[id % NODE_BUCKETS];
}

static struct node **ino_bucket(struct nodes *t, dev_t dev, ino_t ino)
{
	return &t->by_ino[(ino ^ ino >> 14 ^ dev * 31) % NODE_BUCKETS];
}

static struct node *find_id(struct nodes *t, uint64_t id)
{
	struct node *n = *id_bucket(t, id);

	while (n && n->id != id)
		n = n->id_next;
	return n;
}

static struct node *find_ino(struct nodes *t, dev_t dev, ino_t ino)
{
	struct node *n = *ino_bucket(t, dev, ino);

	while (n && (n->dev != dev || n->ino != ino))
		n = n->ino_next;
	return n;
}

static void insert(struct nodes *t, struct node *n)
{
	struct node **id = id_bucket(t, n->id);
	struct node **ino = ino_bucket(t, n->dev, n->ino);

	n->id_next = *id;
	*id = n;
	n->ino_next = *ino;
	*ino = n;
}

static void take_out_ino(struct nodes *t, struct node *n)
{
	struct node **p = ino_bucket(t, n->dev, n->ino);

	while (*p != n)
		p = &(*p)->ino_next;
	*p = n->ino_next;
}

static void take_out(struct nodes *t, struct node *n)
{
	struct node **p = id_bucket(t, n->id);

	while (*p != n)
		p = &(*p)->id_next;
	*p = n->id_next;
	if (!n->gone)
		take_out_ino(t, n);
}

/* Only nodes that can be let go of are in the list. */
static bool listed(const struct node *n)
{
	return n->fd >= 0 && !n->users && n->id != CCFS_ROOT;
}

/* @n, which has none, gets @fd. */
static void fd_give(struct nodes *t, struct node *n, int fd)
{
	n->fd = fd;
	t->fds++;
	if (listed(n))
		TAILQ_INSERT_TAIL(&t->idle, n, idle);
}

/* The descriptor of @n, which has none any more; to be closed without the lock. */
static int fd_take(struct nodes *t, struct node *n)
{
	int fd = n->fd;

	if (listed(n))
		TAILQ_REMOVE(&t->idle, n, idle);
	n->fd = -1;
	t->fds--;
	t->removed -= !!n->sweeps;
	return fd;
}

/* With the lock. */
static void unwatch(struct nodes *t, struct node *n)
{
	if (n->watched && t->unwatch)
		t->unwatch(t->unwatch_arg, n->id);
	n->watched = false;
}

void node_watched(struct nodes *t, struct node *n)
{
	pthread_mutex_lock(&t->lock);
	n->watched = true;
	pthread_mutex_unlock(&t->lock);
}

/* Another file may have its inode number. */
static void set_gone(struct nodes *t, struct node *n)
{
	if (n->gone)
		return;
	take_out_ino(t, n);
	n->gone = true;
	unwatch(t, n);
}

/* Out of the table already. */
static void node_free(struct node *n)
{
	if (n->fd >= 0)
		later_close(n->fd);
	free(n->handle);
	free(n);
}

struct file_handle *node_handle(int fd)
{
	struct file_handle *h = malloc(sizeof(*h) + MAX_HANDLE_SZ), *fit;
	int mount;

	if (!h)
		return NULL;
	h->handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(fd, "", h, &mount, AT_EMPTY_PATH)) {
		free(h);
		return NULL;
	}
	fit = realloc(h, sizeof(*h) + h->handle_bytes);
	return fit ? fit : h;
}

static bool same_handle(const struct file_handle *a, const struct file_handle *b)
{
	return a && b && a->handle_type == b->handle_type &&
	       a->handle_bytes == b->handle_bytes &&
	       !memcmp(a->f_handle, b->f_handle, a->handle_bytes);
}

/*
 * With the lock: could @n, which is idle, be opened again? A removed file
 * could not (not on every file system, even while it is open), so it is no more
 * if the client does not forget it.
 */
static bool can_let_go(struct nodes *t, struct node *n)
{
	struct stat st;

	if (t->open(t->arg, n->dev, n->ino) || fstat(n->fd, &st))
		return false;
	if (!st.st_nlink) {
		if (n->sweeps < NODE_OVERDUE || t->removed <= t->fds_max / 2)
			return false;
		set_gone(t, n);	/* first: a watch that goes last would wait for the file's end */
		return true;
	}
	if (!n->handle)
		n->handle = node_handle(n->fd);
	return n->handle;
}

/* With the lock: look at some idle nodes if too many are open. */
static void trim(struct nodes *t)
{
	struct node *n;

	if (!t->open || t->mount < 0)
		return;
	for (int i = 0; i < TRIM_LOOKS && t->fds > t->fds_max; i++) {
		n = TAILQ_FIRST(&t->idle);
		if (!n)
			return;
		if (can_let_go(t, n)) {
			later_close(fd_take(t, n));
		} else {
			TAILQ_REMOVE(&t->idle, n, idle);
			TAILQ_INSERT_TAIL(&t->idle, n, idle);
		}
	}
}

int nodes_init(struct nodes *t, int root,
	       bool (*open)(void *arg, dev_t dev, ino_t ino), void *arg)
{
	struct stat st;
	uint64_t id;
	int ret;

	pthread_mutex_init(&t->lock, NULL);
	TAILQ_INIT(&t->idle);
	t->open = open;
	t->arg = arg;
	t->next = CCFS_ROOT;
	t->fds_max = NODE_FDS;
	/* O_PATH is not enough for open_by_handle_at() */
	t->mount = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fstat(root, &st)) {
		ret = -errno;
		close(root);
	} else {
		ret = node_add(t, root, &st, &id);
	}
	if (ret && t->mount >= 0)
		close(t->mount);
	return ret;
}

void nodes_exit(struct nodes *t)
{
	struct node *n;

	for (int i = 0; i < NODE_BUCKETS; i++) {
		while ((n = t->by_id[i])) {
			t->by_id[i] = n->id_next;
			node_free(n);
		}
	}
	if (t->mount >= 0)
		close(t->mount);
	pthread_mutex_destroy(&t->lock);
}

/* With the lock. */
static void use(struct nodes *t, struct node *n)
{
	if (listed(n))
		TAILQ_REMOVE(&t->idle, n, idle);
	n->users++;
}

int nodes_open(struct nodes *t, struct file_handle *handle)
{
	int fd, ret;

	if (t->mount < 0)
		return -EOPNOTSUPP;
	ret = cred_caps_raise();
	if (ret)
		return ret;
	fd = open_by_handle_at(t->mount, handle, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	ret = fd < 0 ? -errno : fd;
	cred_caps_drop();
	return ret;
}

/* @n, which is in use, has no descriptor: open it again. 0 or -errno. */
static int reopen(struct nodes *t, struct node *n)
{
	int fd = nodes_open(t, n->handle), ret = fd < 0 ? fd : 0;

	pthread_mutex_lock(&t->lock);
	if (ret == -ESTALE || n->gone) {
		set_gone(t, n);
		ret = -ESTALE;
	} else if (!ret && n->fd < 0) {
		fd_give(t, n, fd);
		fd = -1;
		trim(t);
	}
	pthread_mutex_unlock(&t->lock);
	if (fd >= 0)
		later_close(fd);	/* another user was faster */
	return ret;
}

int node_get(struct nodes *t, uint64_t id, struct node **node)
{
	struct node *n;
	bool closed;
	int ret;

	pthread_mutex_lock(&t->lock);
	n = find_id(t, id);
	if (n && (!n->lookups || n->gone))
		n = NULL;
	if (n)
		use(t, n);
	closed = n && n->fd < 0;
	pthread_mutex_unlock(&t->lock);
	if (!n)
		return -ESTALE;
	ret = closed ? reopen(t, n) : 0;
	if (ret)
		node_put(t, n);
	else
		*node = n;
	return ret;
}

/* With the lock: is it time to free @n?  Then it is out of the table. */
static bool unused(struct nodes *t, struct node *n)
{
	if (n->users || n->lookups)
		return false;
	unwatch(t, n);
	take_out(t, n);
	if (listed(n))
		TAILQ_REMOVE(&t->idle, n, idle);
	t->fds -= n->fd >= 0;
	t->removed -= n->fd >= 0 && n->sweeps;
	return true;
}

void node_put(struct nodes *t, struct node *n)
{
	bool last;

	if (!n)
		return;
	pthread_mutex_lock(&t->lock);
	n->users--;
	if (listed(n))
		TAILQ_INSERT_TAIL(&t->idle, n, idle);
	last = unused(t, n);
	pthread_mutex_unlock(&t->lock);
	if (last)
		node_free(n);
}

/*
 * With the lock: @n was let go of, and @fd has its inode number. Take @fd over
 * if it is the same file; if not, @n's is no more.
 */
static bool recognize(struct nodes *t, struct node *n, int fd)
{
	struct file_handle *h = node_handle(fd);
	bool same = same_handle(h, n->handle);

	free(h);
	if (same)
		fd_give(t, n, fd);
	else
		set_gone(t, n);
	return same;
}

int node_add(struct nodes *t, int fd, const struct stat *st, uint64_t *id)
{
	struct node *fresh = malloc(sizeof(*fresh));
	struct node *n;

	if (!fresh) {
		close(fd);
		return -ENOMEM;
	}
	*fresh = (struct node){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.type = st->st_mode & S_IFMT,
		.fd = -1,
	};
	pthread_mutex_lock(&t->lock);
	n = find_ino(t, st->st_dev, st->st_ino);
	if (n && n->fd < 0) {
		if (recognize(t, n, fd))
			fd = -1;
		else
			n = NULL;
	}
	if (!n) {
		n = fresh;
		n->id = t->next++;
		insert(t, n);
		fd_give(t, n, fd);
		fd = -1;
	}
	n->lookups++;
	n->linked |= st->st_nlink;
	*id = n->id;
	trim(t);
	pthread_mutex_unlock(&t->lock);
	if (n != fresh)
		node_free(fresh);
	if (fd >= 0)
		close(fd);	/* the node has one: this is not the last */
	return 0;
}

void node_forget(struct nodes *t, uint64_t id, uint64_t count)
{
	struct node *n;
	bool last = false;

	if (id == CCFS_ROOT)
		return;
	pthread_mutex_lock(&t->lock);
	n = find_id(t, id);
	if (n) {
		n->lookups -= count < n->lookups ? count : n->lookups;
		last = unused(t, n);
	}
	pthread_mutex_unlock(&t->lock);
	if (last)
		node_free(n);
}

/* With the lock: has this been removed, and nobody there has it open for all we know? */
static bool removed(struct nodes *t, const struct node *n)
{
	struct stat st;

	return !n->users && n->linked && n->id != CCFS_ROOT && !fstat(n->fd, &st) && !st.st_nlink &&
	       (!t->open || !t->open(t->arg, n->dev, n->ino));
}

/*
 * With the lock: can @n, a removed file, be opened again as long as somebody
 * has it open? It is tried while we have.
 */
static bool comes_back(struct nodes *t, struct node *n)
{
	int fd;

	if (!n->handle)
		n->handle = node_handle(n->fd);
	if (!n->handle || t->mount < 0)
		return false;
	fd = open_by_handle_at(t->mount, n->handle,
			       O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		close(fd);	/* not the last one */
	return fd >= 0;
}

/* With the lock: @n has been removed. Is the client to be told so, now? */
static bool is_told(struct nodes *t, struct node *n)
{
	t->removed += !n->sweeps;
	n->sweeps = n->sweeps < UINT16_MAX ? n->sweeps + 1 : 256;
	return !(n->sweeps & (n->sweeps - 1)) || !(n->sweeps % 256);
}

unsigned int nodes_sweep(struct nodes *t, uint64_t tell[NODE_TELLS])
{
	unsigned int buckets = NODE_BUCKETS / NODE_TURNS, looks = 0, told = 0;
	struct node *n;

	pthread_mutex_lock(&t->lock);
	while (buckets-- && looks < NODE_LOOKS) {
		for (n = t->by_id[t->swept]; n && told < NODE_TELLS; n = n->id_next) {
			if (n->fd < 0)
				continue;
			looks++;
			if (!removed(t, n))
				continue;
			if (t->open && is_told(t, n))
				tell[told++] = n->id;
			else if (!t->open && S_ISREG(n->type) && comes_back(t, n))
				later_close(fd_take(t, n));
		}
		if (n)
			break;	/* the next turn begins here */
		t->swept = (t->swept + 1) % NODE_BUCKETS;
	}
	pthread_mutex_unlock(&t->lock);
	return told;
}
