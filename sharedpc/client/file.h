/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * file.h - a client's backing files: what FUSE passthrough reads and maps
 */
#ifndef FILE_H
#define FILE_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include "sharedpc_ioctl.h"
#include "client/session.h"

struct closing;
struct seq_file;

/* A file of an owner, as a regular file of our own pseudo file system. */
struct sharedpc_file {
	struct inode inode;
	struct session *session;	/* with its owner's server; ours */
	u64 id;			/* as that server names it */
	u64 identity;		/* as its owner knows it, whoever has it open */
	struct xarray frames;	/* see frames.c */
	atomic64_t held;	/* entries in frames */
	atomic_t opens;		/* BACKING calls, to be given back with CLOSE */
	void *size_page;	/* the owner's i_size, mapped read-only in effect */
	const u64 *size;
	struct mutex late_lock;		/* held by who runs frames_late */
	struct delayed_work late;	/* runs it */
	unsigned long late_queued;	/* bit 0: and holds a reference */
	struct closing *closing;
};

struct file_stat {
	atomic64_t fetches;	/* FAULT calls */
	atomic64_t faults;	/* page faults that came here */
	atomic64_t around;	/* pages mapped beside the faulting one */
	atomic64_t upgrades;	/* first writes to a page mapped read-only */
	atomic64_t revokes;
	atomic64_t late;	/* stores noted after the right to write had gone */
	atomic64_t files;
};

extern struct file_stat file_stat;
extern const struct vm_operations_struct fault_ops;
extern const struct file_operations io_ops;

static inline struct sharedpc_file *sharedpc_file(struct inode *inode)
{
	return container_of(inode, struct sharedpc_file, inode);
}

/*
 * The file's size, in bytes, as its owner's kernel has it this moment.  One
 * aligned 64-bit load from the owner's inode, which stays where it is until
 * our CLOSE, or until we have said that we know of the end of its server: that
 * waits for whoever is in here (file_ended).
 */
static inline u64 file_size(const struct sharedpc_file *f)
{
	u64 size = 0;

	rcu_read_lock();
	if (!READ_ONCE(f->session->ended))
		size = READ_ONCE(*f->size);
	rcu_read_unlock();
	return size;
}

/*
 * Told when a session has ended; main.c sets it.  In the listening thread: it
 * waits for nobody.
 */
extern void (*file_session_ended)(const struct session *s);

int file_init(void);
/* No file is open any more: the last ones are closed at their owners. */
void file_flush(void);
void file_exit(void);
void file_late(struct sharedpc_file *f, unsigned long delay);
/*
 * What has been stored to files of @s so far its owner knows of, by whatever way it was
 * stored.  0; -EINTR: killed; -EIO: it does not.
 */
int file_noted(struct session *s);
/* BACKING: a new descriptor, and in *@keep (unless NULL) its file, or -errno. */
int file_backing(const struct sharedpc_backing *want, struct file **keep);
void file_revoke(u32 owner, const struct sharedpc_msg *msg);
void file_peer_went(u32 owner);
bool file_alive(const struct sharedpc_file *f);
u64 file_held(void);
void file_show(struct seq_file *m);	/* all files: a line for each */

#endif
