// SPDX-License-Identifier: GPL-2.0-only
/*
 * dir.c - directories that a client reads, by handle.
 *
 * An offset is the file system's own cookie, so it stays good for as long as
 * the file system says, across any number of reads and of handles. A
 * directory is read by one thread at a time; the others wait for it, not for
 * the table.
 */
#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxyd/names/dir.h"

struct dir {
	uint64_t handle;
	unsigned int users;	/* dirs.lock; 0 and removed: gone */
	bool removed;
	pthread_mutex_t lock;	/* holder uses fd's position */
	int fd;
};

static int by_handle(const void *a, const void *b)
{
	const struct dir *x = a, *y = b;

	return x->handle < y->handle ? -1 : x->handle > y->handle;
}

static void dir_free(void *p)
{
	struct dir *dir = p;

	close(dir->fd);
	pthread_mutex_destroy(&dir->lock);
	free(dir);
}

void dirs_init(struct dirs *dirs)
{
	*dirs = (struct dirs) { .next = 1 };
	pthread_mutex_init(&dirs->lock, NULL);
}

void dirs_exit(struct dirs *dirs)
{
	tdestroy(dirs->by_handle, dir_free);
	pthread_mutex_destroy(&dirs->lock);
}

int dir_add(struct dirs *dirs, int fd, uint64_t *handle)
{
	struct dir *dir = calloc(1, sizeof(*dir));
	int ret = -ENOMEM;

	if (!dir) {
		close(fd);
		return ret;
	}
	dir->fd = fd;
	pthread_mutex_init(&dir->lock, NULL);
	pthread_mutex_lock(&dirs->lock);
	dir->handle = dirs->next;
	if (dirs->count >= DIRS_MAX) {
		ret = -EMFILE;
	} else if (tsearch(dir, &dirs->by_handle, by_handle)) {
		*handle = dirs->next++;
		dirs->count++;
		ret = 0;
	}
	pthread_mutex_unlock(&dirs->lock);
	if (ret)
		dir_free(dir);
	return ret;
}

static struct dir *dir_get(struct dirs *dirs, uint64_t handle)
{
	struct dir key = { .handle = handle }, **found;

	pthread_mutex_lock(&dirs->lock);
	found = tfind(&key, &dirs->by_handle, by_handle);
	if (found)
		(*found)->users++;
	pthread_mutex_unlock(&dirs->lock);
	return found ? *found : NULL;
}

static void dir_put(struct dirs *dirs, struct dir *dir)
{
	bool gone;

	pthread_mutex_lock(&dirs->lock);
	gone = !--dir->users && dir->removed;
	pthread_mutex_unlock(&dirs->lock);
	if (gone)
		dir_free(dir);
}

int dir_remove(struct dirs *dirs, uint64_t handle)
{
	struct dir *dir = dir_get(dirs, handle);

	if (!dir)
		return -EBADF;
	pthread_mutex_lock(&dirs->lock);
	if (!dir->removed) {
		tdelete(dir, &dirs->by_handle, by_handle);
		dir->removed = true;
		dirs->count--;
	}
	pthread_mutex_unlock(&dirs->lock);
	dir_put(dirs, dir);
	return 0;
}

/* One entry into @out unless *@left is too small for it. */
static bool dirent_put(struct msg *out, const struct dirent64 *de, uint32_t *left)
{
	struct ccfs_dirent e = {
		.ino = de->d_ino, .offset = de->d_off, .type = de->d_type,
		.len = strlen(de->d_name),
	};
	uint32_t need = sizeof(e) + e.len;

	if (need > *left)
		return false;
	msg_put(out, &e, sizeof(e));
	msg_put(out, de->d_name, e.len);
	*left -= need;
	return true;
}

/*
 * One getdents64 is enough: it gives nothing only at the end. What does not
 * fit is asked for again, from the last entry's offset.
 */
int dir_read(struct dirs *dirs, uint64_t handle, uint64_t offset,
	     uint32_t size, struct msg *out)
{
	struct dir *dir = dir_get(dirs, handle);
	char buf[16384] __attribute__((aligned(8)));
	struct dirent64 *de;
	ssize_t n = 0, at;
	int ret = 0;

	if (!dir)
		return -EBADF;
	pthread_mutex_lock(&dir->lock);
	if (lseek(dir->fd, offset, SEEK_SET) < 0)
		ret = -errno;
	if (!ret) {
		n = getdents64(dir->fd, buf, sizeof(buf));
		ret = n < 0 ? -errno : 0;
	}
	pthread_mutex_unlock(&dir->lock);
	for (at = 0; !ret && at < n; at += de->d_reclen) {
		de = (struct dirent64 *)(buf + at);
		if (!dirent_put(out, de, &size))
			break;
	}
	dir_put(dirs, dir);
	return ret;
}

int dir_sync(struct dirs *dirs, uint64_t handle, bool data_only)
{
	struct dir *dir = dir_get(dirs, handle);
	int ret;

	if (!dir)
		return -EBADF;
	ret = (data_only ? fdatasync(dir->fd) : fsync(dir->fd)) ? -errno : 0;
	dir_put(dirs, dir);
	return ret;
}
