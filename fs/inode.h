/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inode.h - the files that are open, and the backing file of each
 *
 * FUSE wants all opens of one inode to name the same backing id, and sharedpc
 * wants one BACKING call for each open that the proxy answered.  So each node
 * with an open has an entry here: number of opens, backing id.  No descriptor:
 * an id holds the file itself (fuse_backing_open()), and a process has fewer
 * descriptors than a mount may have open files.
 *
 *	inode_open	an open was answered by the proxy: its backing id
 *	inode_release	an open has gone; the last one closes the id
 *
 * Locks: the table's lock for the list and the users' count, an inode's lock
 * across making and closing its backing id, so that an open that follows the
 * last release finds either the old id, alive, or none.  Order: never both at
 * once, except that a user's count keeps the entry alive meanwhile.
 */
#ifndef CCFS_INODE_H
#define CCFS_INODE_H

#include <stdbool.h>
#include <stdint.h>

/* Makes and closes what FUSE is told about a descriptor. */
struct backing_ops {
	int (*open)(void *arg, int fd);		/* an id > 0, or -errno */
	void (*close)(void *arg, int id);
};

/*
 * Count an open of @node whose data is in @fd, which belongs to this call
 * from here on.  @key says which file it is: all opens of a node at one time
 * must agree (-ESTALE).  A backing id > 0, or -errno.
 */
int inode_open(uint64_t node, uint64_t key, int fd,
	       const struct backing_ops *ops, void *arg);
void inode_release(uint64_t node, const struct backing_ops *ops, void *arg);

/* Nodes with an open, for tests. */
unsigned int inode_count(void);

#endif
