// SPDX-License-Identifier: GPL-2.0-only
/*
 * words.c - for how long what is answered holds good, see words.h
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
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

static void attr_fill(struct ccfs_attr *attr, const struct stat *st)
{
	*attr = (struct ccfs_attr) {
		.ino = st->st_ino,
		.size = st->st_size,
		.blocks = st->st_blocks,
		.atime = st->st_atim.tv_sec, .atime_ns = st->st_atim.tv_nsec,
		.mtime = st->st_mtim.tv_sec, .mtime_ns = st->st_mtim.tv_nsec,
		.ctime = st->st_ctim.tv_sec, .ctime_ns = st->st_ctim.tv_nsec,
		.mode = st->st_mode,
		.nlink = st->st_nlink,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.blksize = st->st_blksize,
		.rdev = st->st_rdev,
	};
}

/* What changes after the word was read makes its value an old one. */
int words_stat(const struct words *w, int fd, struct stat *st,
	       struct ccfs_attr *attr)
{
	struct sharedpc_look look = { .fd = fd };

	if (w->dev < 0 || ioctl(w->dev, SHAREDPC_IOC_LOOK, &look))
		look = (struct sharedpc_look) { .fd = fd };
	if (fstat(fd, st))
		return -errno;
	attr_fill(attr, st);
	attr->gen = look.gen;
	attr->flags = look.flags;
	return 0;
}
