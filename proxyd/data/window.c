// SPDX-License-Identifier: GPL-2.0-only
/*
 * window.c - mappings of a file, known to sharedpc.ko.
 *
 * A window is mapped whole, past the end of the file as well, so that a file
 * may grow into it; only what is touched costs anything. MLOCK_ONFAULT keeps
 * reclaim away from what a client may be using, which the owner's kernel
 * cannot see it use.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "proxyd/data/window.h"
#include "proxyd/export/procfd.h"
#include "proxyd/life/log.h"
#include "sharedpc_ioctl.h"

#define WINDOW_BYTES	(WINDOW_PAGES * PAGE)

struct window *window_find(struct file *file, uint64_t index)
{
	unsigned int i;

	for (i = 0; i < file->nwindows; i++)
		if (file->windows[i].index == (index & ~(WINDOW_PAGES - 1)))
			return &file->windows[i];
	return NULL;
}

/*
 * Map @w at w->addr, or anywhere if that is NULL, and tell the module. On
 * failure nothing is mapped there.
 */
static int window_make(int dev, struct file *file, struct window *w)
{
	int prot = PROT_READ | (file->writable ? PROT_WRITE : 0);
	int flags = MAP_SHARED | MAP_NORESERVE | (w->addr ? MAP_FIXED : 0);
	struct sharedpc_map map = {
		.file = file->id, .index = w->index, .pages = WINDOW_PAGES,
	};
	void *addr;
	int ret;

	addr = mmap(w->addr, WINDOW_BYTES, prot, flags, file->fd, w->index * PAGE);
	if (addr == MAP_FAILED) {
		ret = -errno;
		if (w->addr)
			munmap(w->addr, WINDOW_BYTES);
		return ret;
	}
	map.addr = (uintptr_t)addr;
	if (mlock2(addr, WINDOW_BYTES, MLOCK_ONFAULT) ||
	    ioctl(dev, SHAREDPC_IOC_MAP, &map)) {
		ret = -errno;
		munmap(addr, WINDOW_BYTES);
		return ret;
	}
	w->addr = addr;
	return 0;
}

static void window_unwatch(int dev, struct file *file, struct window *w)
{
	struct sharedpc_map map = {
		.file = file->id, .index = w->index, .pages = WINDOW_PAGES,
	};
	char where[PATH_MAX];

	if (ioctl(dev, SHAREDPC_IOC_UNMAP, &map))
		log_say("%s: cannot unmap at page %llu: %m", procfd_where(file->fd, where),
			(unsigned long long)w->index);
}

int window_add(int dev, struct file *file, uint64_t index)
{
	struct window w = { .index = index & ~(WINDOW_PAGES - 1) }, *more;
	int ret;

	if (index >= INT64_MAX / PAGE)
		return -EFAULT;
	more = reallocarray(file->windows, file->nwindows + 1, sizeof(w));
	if (!more)
		return -ENOMEM;
	file->windows = more;
	ret = window_make(dev, file, &w);
	if (!ret)
		file->windows[file->nwindows++] = w;
	return ret;
}

int windows_replace(int dev, struct file *file)
{
	unsigned int i;
	int ret;

	for (i = 0; i < file->nwindows; i++) {
		window_unwatch(dev, file, &file->windows[i]);
		ret = window_make(dev, file, &file->windows[i]);
		if (ret) {
			/* unmapped and unknown: the next fault makes it again */
			file->windows[i] = file->windows[--file->nwindows];
			return ret;
		}
	}
	return 0;
}

void windows_remove(int dev, struct file *file)
{
	unsigned int i;

	for (i = 0; i < file->nwindows; i++) {
		window_unwatch(dev, file, &file->windows[i]);
		munmap(file->windows[i].addr, WINDOW_BYTES);
	}
	free(file->windows);
	file->windows = NULL;
	file->nwindows = 0;
}
