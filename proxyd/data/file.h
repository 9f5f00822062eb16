/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * file.h - the open files of one client, and the proxy's maps of them.
 *
 * One struct file for each regular file that the client has open or mapped
 * on any of its mounts, however often. It owns a descriptor and windows:
 * mappings of 1 GiB of the file each, locked on fault, made when the first
 * fault falls into them and watched by sharedpc.ko.
 *
 * A file opened for reading first has windows that cannot be written; when a
 * writer comes they are made again around a new descriptor. A file that may
 * only be appended to (chattr +a) cannot be mapped through a descriptor that
 * is open for writing: it has a second one, for writes alone.
 *
 * Lock order: file.map, then files.lock. map is held for reading while a
 * frame is granted, for writing while windows are made or replaced.
 */
#ifndef PROXYD_FILE_H
#define PROXYD_FILE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ccfs_proto.h"
#include "proxyd/export/cred.h"

#define WINDOW_PAGES	(1UL << 18)	/* 1 GiB */
#define PAGE		4096UL

struct window {
	uint64_t index;		/* first page, a multiple of WINDOW_PAGES */
	void *addr;
};

struct file {
	uint64_t id;
	dev_t dev;
	ino_t ino;
	uint64_t opens;		/* of the client; files.lock */
	unsigned int users;	/* calls in work; files.lock */
	uint64_t size_phys;	/* of sharedpc_size, both */
	uint64_t identity;
	bool readable;		/* an open was not for writing alone; set once, atomically */
	pthread_rwlock_t map;	/* protects all below */
	int fd;
	bool writable;		/* fd is O_RDWR */
	enum conf_squash squash;	/* of the mounts it was opened by: the narrowest */
	int append_fd;		/* not writable, but appended to; -1 */
	struct window *windows;
	unsigned int nwindows;
	pthread_mutex_t append;	/* holder uses fd's file position */
};

struct files {
	int dev;		/* /dev/sharedpc that serves; -1: same image */
	pthread_mutex_t lock;	/* protects all below */
	void *by_id;		/* tsearch(3) trees */
	void *by_file;		/* not of the same image */
	uint64_t next_id;
	uint64_t count;
};

void files_init(struct files *files, int dev);
uint64_t files_count(struct files *files);
/* Close all. No call may be in work. */
void files_exit(struct files *files);

/*
 * The client has opened the file at @fd (taken over even on failure), for what the
 * O_ACCMODE bits of @flags say; only of a file that it may read pages are granted.
 * Fills in @out. Call as root. 0 or -errno.
 */
int file_open(struct files *files, int fd, unsigned int flags, struct ccfs_open *out);
/* The client is done with @count opens of @id. -ENOENT: there is none. */
int file_close(struct files *files, uint64_t id, uint64_t count);

/*
 * @fd's file (O_PATH will do) once more, for the proxy's own use, as root may open it with
 * @flags: the descriptor or -errno. Who watches the file does not hear of that; by _peek(),
 * nor of what is done with it. O_NONBLOCK and O_CLOEXEC are added.
 */
int file_reopen(const struct files *files, int fd, int flags);
int file_peek(const struct files *files, int fd, int flags);
/* File @id was opened by a mount where @how holds. */
void file_squash(struct files *files, uint64_t id, enum conf_squash how);
/*
 * Has the client this one open, for writing if @write? Of one on the same image it is
 * not known: then what its kernel says has to do.
 */
bool file_may(struct files *files, dev_t dev, ino_t ino, bool write);

/* Has the client (not of the same image) this one open or mapped? */
bool file_is_open(struct files *files, dev_t dev, ino_t ino);

/* The file @id, to be put back; NULL if there is none. */
struct file *file_get(struct files *files, uint64_t id);
/* The same for (dev, ino), if it is not of the same image. */
struct file *file_find(struct files *files, dev_t dev, ino_t ino);
/* True: the client had closed it meanwhile, and now it is gone. */
bool file_put(struct files *files, struct file *file);

/*
 * A descriptor of @file's long-lived struct file. It is a copy, so that what it
 * is used for holds up nobody; at the limit of descriptors it is the file's own
 * one, and who upgrades @file waits.
 */
struct file_use {
	int fd;			/* -errno: there is none */
	struct file *held;	/* map is held for reading; NULL: fd is a copy */
};

/*
 * @append: for appending, else for what its mode allows; -EPERM: it may be
 * appended to, and no more. To be followed by file_used().
 */
struct file_use file_use(struct file *file, bool append);
/* One for what needs no mode: locks, writing back. */
struct file_use file_lockable(struct file *file);
void file_used(const struct file_use *use);
/*
 * Make @file durable, through the struct file that saw it written: only that
 * one is sure to be told if writing back failed.
 */
int file_sync(struct file *file, bool data_only);

/*
 * Where page @index of @file is mapped; makes the window if need be. Returns
 * with file->map held for reading, to be released by the caller; @pages says
 * how many pages from there on are in the same window. NULL: *@error.
 */
void *file_map(struct files *files, struct file *file, uint64_t index,
	       uint64_t *pages, int *error);

#endif
