// SPDX-License-Identifier: GPL-2.0-only
/*
 * file.c - the open files of one client.
 *
 * A file is found by id, for calls, and by (device, inode), for opens. It
 * leaves both trees under files.lock at the moment when nobody needs it, and
 * is taken apart after that without the lock and by others (later.h), since
 * giving up a window waits for the client. An open that comes meanwhile makes a
 * new file with a new id.
 */
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proxyd/data/file.h"
#include "proxyd/life/later.h"
#include "proxyd/life/log.h"
#include "proxyd/export/procfd.h"
#include "proxyd/data/window.h"
#include "sharedpc_ioctl.h"

static int by_id(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int by_file(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static struct file *find(void *const *tree, const struct file *key,
			 int (*compare)(const void *, const void *))
{
	struct file **found = tfind(key, tree, compare);

	return found ? *found : NULL;
}

void files_init(struct files *files, int dev)
{
	struct timespec now;

	/*
	 * An earlier proxy's ids must not mean anything to this one, so they
	 * begin with a clock that nobody sets, and that is faster than opens.
	 */
	clock_gettime(CLOCK_BOOTTIME, &now);
	*files = (struct files) {
		.dev = dev, .next_id = now.tv_sec * 1000000000ULL + now.tv_nsec,
	};
	pthread_mutex_init(&files->lock, NULL);
}

uint64_t files_count(struct files *files)
{
	uint64_t count;

	pthread_mutex_lock(&files->lock);
	count = files->count;
	pthread_mutex_unlock(&files->lock);
	return count;
}

/* Where the size of @file lies; it stays there until size_forget(). */
static int size_find(struct files *files, struct file *file)
{
	struct sharedpc_size size = { .fd = file->fd };

	if (files->dev < 0)
		return 0;
	if (ioctl(files->dev, SHAREDPC_IOC_SIZE, &size))
		return -errno;
	file->size_phys = size.phys;
	file->identity = size.identity;
	return 0;
}

static void size_forget(struct files *files, struct file *file)
{
	struct sharedpc_size size = { .phys = file->size_phys };
	char where[PATH_MAX];

	if (size.phys && ioctl(files->dev, SHAREDPC_IOC_UNSIZE, &size))
		log_say("%s: its size was not known: %m", procfd_where(file->fd, where));
}

static void file_free(struct files *files, struct file *file)
{
	windows_remove(files->dev, file);
	size_forget(files, file);
	close(file->fd);
	if (file->append_fd >= 0)
		close(file->append_fd);
	pthread_rwlock_destroy(&file->map);
	pthread_mutex_destroy(&file->append);
	free(file);
}

static void file_free_later(void *files, void *file)
{
	file_free(files, file);
}

/* Out of the trees if nobody needs it; true: the caller frees it. Locked. */
static bool file_unlink(struct files *files, struct file *file)
{
	if (file->opens || file->users)
		return false;
	tdelete(file, &files->by_id, by_id);
	if (files->dev >= 0)
		tdelete(file, &files->by_file, by_file);
	files->count--;
	return true;
}

void files_exit(struct files *files)
{
	struct file *file;

	while (files->by_id) {
		file = *(struct file **)files->by_id;
		file->opens = 0;
		file->users = 0;
		file_unlink(files, file);
		file_free(files, file);
	}
	pthread_mutex_destroy(&files->lock);
}

struct file *file_get(struct files *files, uint64_t id)
{
	struct file key = { .id = id }, *file;

	pthread_mutex_lock(&files->lock);
	file = find(&files->by_id, &key, by_id);
	if (file)
		file->users++;
	pthread_mutex_unlock(&files->lock);
	return file;
}

struct file *file_find(struct files *files, dev_t dev, ino_t ino)
{
	struct file key = { .dev = dev, .ino = ino }, *file;

	pthread_mutex_lock(&files->lock);
	file = find(&files->by_file, &key, by_file);
	if (file)
		file->users++;
	pthread_mutex_unlock(&files->lock);
	return file;
}

bool file_is_open(struct files *files, dev_t dev, ino_t ino)
{
	struct file key = { .dev = dev, .ino = ino };
	bool found;

	pthread_mutex_lock(&files->lock);
	found = find(&files->by_file, &key, by_file);
	pthread_mutex_unlock(&files->lock);
	return found;
}

static int dup_cloexec(int fd)
{
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/*
 * A copy of @fd, a descriptor of @file's (or -errno), without file->map, which
 * is held for reading; if there is none to be had, @fd and the lock.
 */
static struct file_use use(struct file *file, int fd)
{
	struct file_use u = { .fd = fd, .held = NULL };

	if (fd >= 0)
		u.fd = dup_cloexec(fd);
	if (u.fd == -EMFILE || u.fd == -ENFILE)
		return (struct file_use){ .fd = fd, .held = file };
	pthread_rwlock_unlock(&file->map);
	return u;
}

struct file_use file_use(struct file *file, bool append)
{
	pthread_rwlock_rdlock(&file->map);
	if (file->append_fd < 0)
		return use(file, file->fd);
	return use(file, append ? file->append_fd : -EPERM);
}

struct file_use file_lockable(struct file *file)
{
	pthread_rwlock_rdlock(&file->map);
	return use(file, file->fd);
}

void file_used(const struct file_use *use)
{
	if (use->held)
		pthread_rwlock_unlock(&use->held->map);
	else if (use->fd >= 0)
		close(use->fd);
}

int file_sync(struct file *file, bool data_only)
{
	struct file_use u = file_lockable(file);
	int ret;

	if (u.fd < 0)
		return u.fd;
	ret = (data_only ? fdatasync(u.fd) : fsync(u.fd)) ? -errno : 0;
	file_used(&u);
	return ret;
}

bool file_put(struct files *files, struct file *file)
{
	bool gone;

	pthread_mutex_lock(&files->lock);
	file->users--;
	gone = file_unlink(files, file);
	pthread_mutex_unlock(&files->lock);
	if (gone)
		later(file_free_later, files, file);
	return gone;
}

int file_close(struct files *files, uint64_t id, uint64_t count)
{
	struct file key = { .id = id }, *file;
	bool gone = false;

	pthread_mutex_lock(&files->lock);
	file = find(&files->by_id, &key, by_id);
	if (file) {
		file->opens -= count < file->opens ? count : file->opens;
		gone = file_unlink(files, file);
	}
	pthread_mutex_unlock(&files->lock);
	if (gone)
		later(file_free_later, files, file);
	return file ? 0 : -ENOENT;
}

/* Faults without a pause must not keep a writer out. */
static void map_init(pthread_rwlock_t *map)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(map, &attr);
	pthread_rwlockattr_destroy(&attr);
}

/* A new file around the two descriptors, not in the trees yet; NULL: no memory. */
static struct file *file_new(int fd, int append_fd, const struct stat *st,
			     bool writable)
{
	struct file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->dev = st->st_dev;
	file->ino = st->st_ino;
	file->fd = fd;
	file->append_fd = append_fd;
	file->writable = writable;
	map_init(&file->map);
	pthread_mutex_init(&file->append, NULL);
	return file;
}

/* Into the trees; files.lock held. 0 or -ENOMEM. */
static int file_link(struct files *files, struct file *file)
{
	file->id = files->next_id;
	if (!tsearch(file, &files->by_id, by_id))
		return -ENOMEM;
	if (files->dev >= 0 && !tsearch(file, &files->by_file, by_file)) {
		tdelete(file, &files->by_id, by_id);
		return -ENOMEM;
	}
	files->next_id++;
	files->count++;
	return 0;
}

/*
 * The file that @fresh is about: an earlier one, or else @fresh itself.
 * Counts the open and a user. NULL: no memory.
 */
static struct file *file_enter(struct files *files, struct file *fresh)
{
	struct file *file = NULL;

	pthread_mutex_lock(&files->lock);
	if (files->dev >= 0)
		file = find(&files->by_file, fresh, by_file);
	if (!file && !file_link(files, fresh))
		file = fresh;
	if (file) {
		file->opens++;
		file->users++;
	}
	pthread_mutex_unlock(&files->lock);
	return file;
}

static void swap_int(int *a, int *b)
{
	int c = *a;

	*a = *b;
	*b = c;
}

/*
 * Let @file be written, or appended to: @fresh's descriptors replace its own.
 * If windows cannot be made anew there are none, and the next fault makes one.
 */
static int file_upgrade(struct files *files, struct file *file,
			struct file *fresh)
{
	int ret = 0;

	pthread_rwlock_wrlock(&file->map);
	if (!file->writable && fresh->writable) {
		swap_int(&file->fd, &fresh->fd);
		file->writable = true;
		ret = windows_replace(files->dev, file);
		if (ret) {
			windows_remove(files->dev, file);
			swap_int(&file->fd, &fresh->fd);
			file->writable = false;
		} else if (file->append_fd >= 0) {
			swap_int(&file->append_fd, &fresh->append_fd);
		}
	} else if (!file->writable && file->append_fd < 0) {
		swap_int(&file->append_fd, &fresh->append_fd);
	}
	pthread_rwlock_unlock(&file->map);
	return ret;
}

int file_reopen(const struct files *files, int fd, int flags)
{
	struct sharedpc_reopen want = { .fd = fd, .flags = flags | O_NONBLOCK };
	int own;

	if (files->dev < 0)
		return procfd_open(fd, flags | O_NONBLOCK);
	own = ioctl(files->dev, SHAREDPC_IOC_REOPEN, &want);
	return own < 0 ? -errno : own;
}

/* What cannot be hushed is heard. */
static void hush(const struct files *files, int fd)
{
	if (files->dev >= 0 && fd >= 0)
		ioctl(files->dev, SHAREDPC_IOC_HUSH, &fd);
}

int file_peek(const struct files *files, int fd, int flags)
{
	int own = file_reopen(files, fd, flags);

	hush(files, own);
	return own;
}

/* The proxy's own descriptors of what @fd has open. 0 or -errno. */
static int own_open(const struct files *files, int fd, bool *write, int *own, int *append)
{
	*append = -1;
	*own = file_reopen(files, fd, *write ? O_RDWR : O_RDONLY);
	/* of a file whose users a map leaves out root may less than its owner */
	if (*own == -EACCES && !*write)
		*own = dup_cloexec(fd);
	if (*own != -EPERM || !*write)
		return *own < 0 ? *own : 0;
	*append = file_reopen(files, fd, O_WRONLY | O_APPEND);
	if (*append < 0)
		return *append;
	*write = false;
	*own = file_reopen(files, fd, O_RDONLY);
	if (*own < 0)
		close(*append);
	return *own < 0 ? *own : 0;
}

/* A file of the proxy's own of what @fd has open, not in the trees yet. */
static int file_fresh(struct files *files, int fd, bool write,
		      struct file **fresh)
{
	struct stat st;
	int own, append, ret;

	ret = own_open(files, fd, &write, &own, &append);
	if (ret)
		return ret;
	ret = -ENOMEM;
	if (fstat(own, &st)) {
		ret = -errno;
		goto close_own;
	}
	*fresh = file_new(own, append, &st, write);
	if (!*fresh)
		goto close_own;
	ret = size_find(files, *fresh);
	if (ret)
		file_free(files, *fresh);
	return ret;

close_own:
	close(own);
	if (append >= 0)
		close(append);
	return ret;
}

/* Does the proxy have @file open for writing? */
static bool file_writable(struct file *file)
{
	bool writable;

	pthread_rwlock_rdlock(&file->map);
	writable = file->writable || file->append_fd >= 0;
	pthread_rwlock_unlock(&file->map);
	return writable;
}

bool file_may(struct files *files, dev_t dev, ino_t ino, bool write)
{
	struct file *file;
	bool may;

	if (files->dev < 0)
		return true;
	file = file_find(files, dev, ino);
	may = file && (!write || file_writable(file));
	if (file)
		file_put(files, file);
	return may;
}

void file_squash(struct files *files, uint64_t id, enum conf_squash how)
{
	struct file *file = file_get(files, id);

	if (!file)
		return;
	pthread_rwlock_wrlock(&file->map);
	if (file->squash < how)
		file->squash = how;
	pthread_rwlock_unlock(&file->map);
	file_put(files, file);
}

int file_open(struct files *files, int fd, unsigned int flags, struct ccfs_open *out)
{
	bool write = (flags & O_ACCMODE) != O_RDONLY;
	struct file *fresh = NULL, *file;
	int ret;

	ret = file_fresh(files, fd, write, &fresh);
	if (!ret)
		hush(files, fd);	/* the client has not closed it */
	close(fd);
	if (ret)
		return ret;
	file = file_enter(files, fresh);
	if (!file) {
		file_free(files, fresh);
		return -ENOMEM;
	}
	if (file != fresh) {
		if (write)
			ret = file_upgrade(files, file, fresh);
		hush(files, fresh->fd);
		hush(files, fresh->append_fd);
		file_free(files, fresh);
	}
	if ((flags & O_ACCMODE) != O_WRONLY)
		__atomic_store_n(&file->readable, true, __ATOMIC_RELAXED);
	*out = (struct ccfs_open) {
		.file = file->id, .size_phys = file->size_phys, .identity = file->identity,
		.flags = file_writable(file) ? CCFS_OPEN_WRITABLE : 0,
	};
	if (files->dev < 0) {
		out->flags |= CCFS_OPEN_LOCAL;
		out->pid = getpid();
		out->fd = file->fd;
	}
	if (ret)
		file_close(files, out->file, 1);
	file_put(files, file);
	return ret;
}

void *file_map(struct files *files, struct file *file, uint64_t index,
	       uint64_t *pages, int *error)
{
	struct window *w;

	for (;;) {
		pthread_rwlock_rdlock(&file->map);
		w = window_find(file, index);
		if (w)
			break;
		pthread_rwlock_unlock(&file->map);
		pthread_rwlock_wrlock(&file->map);
		*error = window_find(file, index) ? 0 :
			 window_add(files->dev, file, index);
		pthread_rwlock_unlock(&file->map);
		if (*error)
			return NULL;
	}
	*pages = WINDOW_PAGES - (index - w->index);
	return (char *)w->addr + (index - w->index) * PAGE;
}
