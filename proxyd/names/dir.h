/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dir.h - directories that a client reads, by handle.
 */
#ifndef PROXYD_DIR_H
#define PROXYD_DIR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "msg.h"

#define DIRS_MAX	65536	/* open at once on one connection */

struct dirs {
	pthread_mutex_t lock;	/* protects all below */
	void *by_handle;	/* tsearch(3) tree */
	uint64_t next;
	unsigned int count;
};

void dirs_init(struct dirs *dirs);
void dirs_exit(struct dirs *dirs);
/* Keep @fd (taken over even on failure): 0 and *@handle, or -errno. */
int dir_add(struct dirs *dirs, int fd, uint64_t *handle);
int dir_remove(struct dirs *dirs, uint64_t handle);
/* Entries from @offset on into @out, at most @size bytes of them. */
int dir_read(struct dirs *dirs, uint64_t handle, uint64_t offset,
	     uint32_t size, struct msg *out);
int dir_sync(struct dirs *dirs, uint64_t handle, bool data_only);

#endif
