// SPDX-License-Identifier: GPL-2.0-only
/*
 * inode.c - the files that are open, see inode.h
 *
 * An entry lives while it has users: each open is one, and so is each thread
 * inside inode_open() or inode_release().
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/inode.h"

#define BUCKETS		1024

struct inode {
	struct inode *next;	/* table_lock */
	uint64_t node;
	unsigned int users;	/* table_lock */
	pthread_mutex_t lock;
	unsigned int opens;	/* lock, as are all below */
	int id;			/* for FUSE, while opens > 0 */
	uint64_t key;
};

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct inode *table[BUCKETS];
static unsigned int count;

/* A new entry, with the lock; NULL: no memory. */
static struct inode *inode_make(uint64_t node, struct inode **head)
{
	struct inode *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->node = node;
	pthread_mutex_init(&i->lock, NULL);
	i->next = *head;
	*head = i;
	count++;
	return i;
}

/* The entry of @node with one user more.  NULL: none, and none was to be made. */
static struct inode *inode_get(uint64_t node, bool make)
{
	struct inode **head = &table[node % BUCKETS], *i;

	pthread_mutex_lock(&table_lock);
	for (i = *head; i && i->node != node; i = i->next)
		;
	if (!i && make)
		i = inode_make(node, head);
	if (i)
		i->users++;
	pthread_mutex_unlock(&table_lock);
	return i;
}

static void inode_put(struct inode *i, unsigned int users)
{
	struct inode **p = &table[i->node % BUCKETS];

	pthread_mutex_lock(&table_lock);
	i->users -= users;
	if (i->users) {
		i = NULL;
	} else {
		while (*p != i)
			p = &(*p)->next;
		*p = i->next;
		count--;
	}
	pthread_mutex_unlock(&table_lock);
	if (i)
		pthread_mutex_destroy(&i->lock);
	free(i);
}

static int first_open(struct inode *i, uint64_t key, int fd,
		      const struct backing_ops *ops, void *arg)
{
	int id = ops->open(arg, fd);

	if (id <= 0)
		return id ? id : -EIO;
	i->id = id;
	i->key = key;
	return 0;
}

int inode_open(uint64_t node, uint64_t key, int fd,
	       const struct backing_ops *ops, void *arg)
{
	struct inode *i = inode_get(node, true);
	int ret = 0;

	if (!i) {
		close(fd);
		return -ENOMEM;
	}
	pthread_mutex_lock(&i->lock);
	if (!i->opens)
		ret = first_open(i, key, fd, ops, arg);
	else if (i->key != key)
		ret = -ESTALE;
	if (!ret) {
		i->opens++;
		ret = i->id;
	}
	pthread_mutex_unlock(&i->lock);
	close(fd);
	if (ret < 0)
		inode_put(i, 1);	/* else the open remains a user */
	return ret;
}

void inode_release(uint64_t node, const struct backing_ops *ops, void *arg)
{
	struct inode *i = inode_get(node, false);
	unsigned int users = 1;

	if (!i)
		return;
	pthread_mutex_lock(&i->lock);
	if (i->opens) {
		users++;
		if (!--i->opens)
			ops->close(arg, i->id);
	}
	pthread_mutex_unlock(&i->lock);
	inode_put(i, users);
}

unsigned int inode_count(void)
{
	unsigned int n;

	pthread_mutex_lock(&table_lock);
	n = count;
	pthread_mutex_unlock(&table_lock);
	return n;
}
