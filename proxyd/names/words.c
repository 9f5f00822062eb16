// SPDX-License-Identifier: GPL-2.0-only
/*
 * words.c - for how long what is answered holds good, see words.h
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "proxyd/life/log.h"
#include "proxyd/names/words.h"
#include "sharedpc_ioctl.h"

void words_watch(struct words *w, int root, struct ccfs_welcome *welcome)
{
	struct sharedpc_watch watch = { .fd = root };

	w->dev = open(SHAREDPC_DEVICE, O_RDWR | O_CLOEXEC);
	if (w->dev < 0)
		return;
	if (ioctl(w->dev, SHAREDPC_IOC_WATCH, &watch)) {
		log_say("nothing of this mount can be remembered: %s",
			strerror(errno));
		words_exit(w);
		return;
	}
	welcome->flags |= CCFS_WELCOME_WORDS;
	welcome->bits = watch.bits;
	welcome->salt = watch.salt;
}

void words_exit(struct words *w)
{
	if (w->dev >= 0)
		close(w->dev);
	w->dev = -1;
}

uint64_t words_name_gen(const struct words *w, int dir, const char *name)
{
	struct sharedpc_name ask = {
		.dir = dir, .len = strlen(name), .name = (uintptr_t)name,
	};

	if (w->dev < 0 || ioctl(w->dev, SHAREDPC_IOC_NAME, &ask))
		return 0;
	return ask.gen;
}

static void attr_fill(struct ccfs_attr *attr, const struct statx *stx)
{
	*attr = (struct ccfs_attr) {
		.ino = stx->stx_ino,
		.size = stx->stx_size,
		.blocks = stx->stx_blocks,
		.atime = stx->stx_atime.tv_sec, .atime_ns = stx->stx_atime.tv_nsec,
		.mtime = stx->stx_mtime.tv_sec, .mtime_ns = stx->stx_mtime.tv_nsec,
		.ctime = stx->stx_ctime.tv_sec, .ctime_ns = stx->stx_ctime.tv_nsec,
		.mode = stx->stx_mode,
		.nlink = stx->stx_nlink,
		.uid = stx->stx_uid,
		.gid = stx->stx_gid,
		.blksize = stx->stx_blksize,
		.rdev = makedev(stx->stx_rdev_major, stx->stx_rdev_minor),
		.attributes = stx->stx_attributes & CCFS_ATTRIBUTES,
		.attributes_mask = stx->stx_attributes_mask & CCFS_ATTRIBUTES,
	};
	if (stx->stx_mask & STATX_BTIME) {
		attr->btime = stx->stx_btime.tv_sec;
		attr->btime_ns = stx->stx_btime.tv_nsec;
	}
}

/* What changes after the word was read makes its value an old one. */
int words_stat(const struct words *w, int fd, struct stat *st,
	       struct ccfs_attr *attr)
{
	struct sharedpc_look look = { .fd = fd };
	struct statx stx;

	if (w->dev < 0 || ioctl(w->dev, SHAREDPC_IOC_LOOK, &look))
		look = (struct sharedpc_look) { .fd = fd };
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &stx))
		return -errno;
	attr_fill(attr, &stx);
	attr->gen = look.gen;
	attr->flags = look.flags;
	*st = (struct stat) {
		.st_dev = makedev(stx.stx_dev_major, stx.stx_dev_minor),
		.st_ino = attr->ino, .st_mode = attr->mode, .st_nlink = attr->nlink,
	};
	return 0;
}
