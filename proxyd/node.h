/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * node.h - the files that a connection knows, by number
 *
 * A node is an O_PATH descriptor with an id; while it lives its inode cannot
 * go away, so (dev, ino) names it.  Ids are never used again.  A node lives
 * as long as the client has lookups of it, or an op uses it.
 *
 * The client's kernel remembers a node long after the last use of it, and no
 * FORGET comes when the file has been removed by somebody else.  So that its
 * space is not held for nothing, nodes_sweep() lets go of a removed file that
 * the client has not open: the node is then -ESTALE, until it is forgotten.
 *
 * One lock per table; only what nodes_sweep() asks is asked under it.
 */
#ifndef PROXYD_NODE_H
#define PROXYD_NODE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define NODE_BUCKETS	16384
#define NODE_PARTS	16	/* of a table, for nodes_sweep() */

struct node {
	uint64_t id;
	dev_t dev;
	ino_t ino;
	mode_t type;		/* S_IFMT bits */
	int fd;			/* O_PATH, the node's own; -1: let go */
	uint64_t lookups;	/* the client's, under the table's lock */
	uint32_t users;		/* ops, under the table's lock */
	struct node *id_next;
	struct node *ino_next;
};

struct nodes {
	pthread_mutex_t lock;
	uint64_t next;		/* id */
	struct node *by_id[NODE_BUCKETS];
	struct node *by_ino[NODE_BUCKETS];
};

/* A table whose CCFS_ROOT is @root (O_PATH, owned by the table).  -errno. */
int nodes_init(struct nodes *t, int root);
void nodes_exit(struct nodes *t);

/* The node, for use until node_put() (which takes NULL too); NULL: none. */
struct node *node_get(struct nodes *t, uint64_t id);
void node_put(struct nodes *t, struct node *n);

/*
 * Count a lookup of what @fd (O_PATH, taken over) and @st describe.  The
 * node's id in *@id; 0 or -ENOMEM.
 */
int node_add(struct nodes *t, int fd, const struct stat *st, uint64_t *id);
/* Take @count lookups back, at most all. */
void node_forget(struct nodes *t, uint64_t id, uint64_t count);

/*
 * Let go of the removed files in one part (0 to NODE_PARTS - 1) of the table.
 * @open says whether the client has (dev, ino) open or mapped.
 */
void nodes_sweep(struct nodes *t, unsigned int part,
		 bool (*open)(void *arg, dev_t dev, ino_t ino), void *arg);

#endif
