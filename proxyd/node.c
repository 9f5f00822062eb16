// SPDX-License-Identifier: GPL-2.0-only
/*
 * node.c - the files that a connection knows, see node.h
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "ccfs_proto.h"
#include "proxyd/node.h"

#define SWEEP_MAX	256	/* files let go of at once */

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
	if (n->fd >= 0)
		take_out_ino(t, n);
}

static void node_free(struct node *n)
{
	if (n->fd >= 0)
		close(n->fd);
	free(n);
}

int nodes_init(struct nodes *t, int root)
{
	struct stat st;
	uint64_t id;

	pthread_mutex_init(&t->lock, NULL);
	t->next = CCFS_ROOT;
	if (fstat(root, &st)) {
		int err = -errno;

		close(root);
		return err;
	}
	return node_add(t, root, &st, &id);
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
	pthread_mutex_destroy(&t->lock);
}

struct node *node_get(struct nodes *t, uint64_t id)
{
	struct node *n;

	pthread_mutex_lock(&t->lock);
	n = find_id(t, id);
	if (n && n->lookups && n->fd >= 0)
		n->users++;
	else
		n = NULL;
	pthread_mutex_unlock(&t->lock);
	return n;
}

/* With the lock: is it time to free @n?  Then it is out of the table. */
static bool unused(struct nodes *t, struct node *n)
{
	if (n->users || n->lookups)
		return false;
	take_out(t, n);
	return true;
}

void node_put(struct nodes *t, struct node *n)
{
	bool last;

	if (!n)
		return;
	pthread_mutex_lock(&t->lock);
	n->users--;
	last = unused(t, n);
	pthread_mutex_unlock(&t->lock);
	if (last)
		node_free(n);
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
		.fd = fd,
	};
	pthread_mutex_lock(&t->lock);
	n = find_ino(t, st->st_dev, st->st_ino);
	if (!n) {
		n = fresh;
		n->id = t->next++;
		insert(t, n);
	}
	n->lookups++;
	*id = n->id;
	pthread_mutex_unlock(&t->lock);
	if (n != fresh)
		node_free(fresh);
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

/* With the lock: is this a removed file that only the node holds? */
static bool removed(const struct node *n)
{
	struct stat st;

	return n->fd >= 0 && !n->users && S_ISREG(n->type) &&
	       !fstat(n->fd, &st) && !st.st_nlink;
}

void nodes_sweep(struct nodes *t, unsigned int part,
		 bool (*open)(void *arg, dev_t dev, ino_t ino), void *arg)
{
	int fds[SWEEP_MAX], count = 0;
	struct node *n;

	pthread_mutex_lock(&t->lock);
	for (unsigned int i = part; i < NODE_BUCKETS; i += NODE_PARTS) {
		for (n = t->by_id[i]; n && count < SWEEP_MAX; n = n->id_next) {
			if (!removed(n) || open(arg, n->dev, n->ino))
				continue;
			take_out_ino(t, n);
			fds[count++] = n->fd;
			n->fd = -1;
		}
	}
	pthread_mutex_unlock(&t->lock);
	while (count)		/* without the lock: this is what frees the space */
		close(fds[--count]);
}
