/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * node.h - the files that a connection knows, by number
 *
 * A node is an O_PATH descriptor with an id; while it is open its inode cannot
 * go away, so (dev, ino) names it.  Ids are never used again.  A node lives
 * as long as the client has lookups of it, or an op uses it.
 *
 * The client's kernel remembers a node long after the last use of it, also when
 * the file has been removed by somebody else.  So that its space is not held for
 * nothing, nodes_sweep() finds the removed ones that the client has not open: the
 * client is told so until it has forgotten them, which it does unless somebody there
 * uses them (O_PATH, a working directory).  If it does not forget more than half of
 * fds_max, for minutes, those that are not used are -ESTALE.
 *
 * And it may remember more nodes than the owner has descriptors.  Above
 * fds_max those that were not used for longest and are not open are closed,
 * but their file handles kept, by which they are opened again when they are
 * needed.  A handle has the inode's generation: if the file was removed
 * meanwhile the node is -ESTALE, and a new file with its inode number is
 * another node.  Files without handles (overlayfs) stay open.
 *
 * If it is not known what the client has open (no open(); it is the owner
 * itself), nothing is closed above fds_max. A removed file is let go of by
 * nodes_sweep(), but its handle kept: while it is open, its node is opened
 * again when it is needed, after that it is -ESTALE. Where the file system
 * cannot do that, the node stays open.
 *
 * One lock per table; only what nodes_sweep() asks, and unwatch(), is asked under it.
 */
#ifndef PROXYD_NODE_H
#define PROXYD_NODE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/stat.h>

#define NODE_BUCKETS	16384
#define NODE_FDS	16384	/* descriptors of one table, about */
#define NODE_TURNS	16	/* of nodes_sweep(), for a table that is not large */
#define NODE_LOOKS	256	/* nodes that it looks at in one */
#define NODE_TELLS	256	/* .. and finds, at most */
#define NODE_OVERDUE	32	/* sweeps: the client has had minutes to forget it */

struct file_handle;

struct node {
	uint64_t id;
	dev_t dev;
	ino_t ino;
	mode_t type;		/* S_IFMT bits */
	/* under the table's lock; a user may read fd without it */
	int fd;			/* O_PATH, the node's own; -1: let go */
	bool gone;		/* the file is no more, or not for this node */
	struct file_handle *handle;	/* NULL: not asked for yet */
	uint64_t lookups;	/* the client's */
	bool watched;		/* node_watched() */
	bool linked;		/* it has had a name */
	uint16_t sweeps;	/* that have found it removed and not open */
	uint32_t users;		/* ops; fd stays as it is meanwhile */
	struct node *id_next;
	struct node *ino_next;	/* unless gone */

	TAILQ_ENTRY(node) idle;	/* those with an fd and no user */
};

struct nodes {
	pthread_mutex_t lock;
	/* does the client have it open or mapped? NULL: nobody knows */
	bool (*open)(void *arg, dev_t dev, ino_t ino);
	void *arg;
	/* a node that was watched has gone, or its file; NULL: none is */
	void (*unwatch)(void *arg, uint64_t id);
	void *unwatch_arg;
	uint64_t next;		/* id */
	int mount;		/* to open handles; -1: there are none */
	unsigned int fds;	/* nodes with an fd */
	unsigned int fds_max;
	unsigned int removed;	/* nodes with an fd that a sweep has found removed */
	unsigned int swept;	/* bucket that the next nodes_sweep() begins with */

	TAILQ_HEAD(, node) idle;	/* the first was not used for longest */
	struct node *by_id[NODE_BUCKETS];
	struct node *by_ino[NODE_BUCKETS];
};

/*
 * A table whose CCFS_ROOT is @root (O_PATH, owned by the table even on
 * failure). 0 or -errno.
 */
int nodes_init(struct nodes *t, int root,
	       bool (*open)(void *arg, dev_t dev, ino_t ino), void *arg);
void nodes_exit(struct nodes *t);

/*
 * The node, for use until node_put() (which takes NULL too). 0; -ESTALE: there
 * is none, or no file any more; another -errno: it could not be opened again.
 */
int node_get(struct nodes *t, uint64_t id, struct node **node);
void node_put(struct nodes *t, struct node *n);

/* The client watches @n, which is in use. */
void node_watched(struct nodes *t, struct node *n);

/* What nodes_open() takes for @fd, allocated; NULL: there is none. */
struct file_handle *node_handle(int fd);
/* The file with that handle: an O_PATH descriptor, or -errno. */
int nodes_open(struct nodes *t, struct file_handle *handle);

/*
 * Count a lookup of what @fd (O_PATH, taken over) and @st describe.  The
 * node's id in *@id; 0 or -ENOMEM.
 */
int node_add(struct nodes *t, int fd, const struct stat *st, uint64_t *id);
/* Take @count lookups back, at most all. */
void node_forget(struct nodes *t, uint64_t id, uint64_t count);

/*
 * One turn of looking for removed files. NODE_TURNS go through the table, or more if each
 * would have to look at more than NODE_LOOKS nodes. What the client is to be told of, less
 * and less often, is in @tell: so many.
 */
unsigned int nodes_sweep(struct nodes *t, uint64_t tell[NODE_TELLS]);

#endif
