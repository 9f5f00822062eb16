/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * server.h - the owner's side: a server for each client and file system
 *
 * Each is worked by a proxy, a process of its own.
 *
 *	server.c	the server's life, from SERVE to close
 *	request.c	calls of the client, on their way to the proxy and back
 *	map.c		the proxy's mappings, watched by mmu notifiers
 *	grant.c		vtop: from a page of such a mapping to a frame
 *	share.c		the maps of one file, by all its clients
 *	revoke.c	taking frames, or the right to write them, back
 *	kept.c		frames that a client's I/O holds after that
 *	quota.c		how many a client may hold
 *	size.c		the inodes whose size the client reads
 *	locking.c	locks of files that its processes have: holder.h
 *
 * What the client says comes in a soft interrupt (peer.h), so locks that this takes are
 * taken with bottom halves off.  Lock order: maps_lock, then a map's grants (xa_lock), then lock, then the
 * ring's lock.  sizes_lock, locks_lock and share.c's lock stand alone.  Nothing waits for the client under
 * any of them.
 */
#ifndef SERVER_H
#define SERVER_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include "sharedpc_ioctl.h"
#include "sharedpc_wire.h"

#define MAPS_BITS	10
#define HELD_BITS	8

enum call_state { CALL_FREE, CALL_QUEUED, CALL_HANDED };

struct request {
	enum call_state state;
	bool answered;			/* FREE: msg was, with done */
	struct sharedpc_msg done;
	struct list_head node;		/* in a queue */
	struct sharedpc_msg msg;	/* checked copy */
};

/* QUEUED calls, and the threads of the proxy that take them. */
struct call_queue {
	struct list_head list;		/* server.lock */
	wait_queue_head_t wait;		/* for one, and for gone */
};

struct server {
	struct kref ref;
	u32 number;			/* on the wire; never given again */
	u32 client;
	u32 epoch;			/* the client's life that we serve */
	const struct super_block *sb;	/* to compare with only, as is mm */
	dev_t dev;			/* its device, for people */
	struct mm_struct *mm;		/* the proxy's, to compare with only */
	bool gone;			/* the client died, or the proxy left */

	spinlock_t lock;		/* call, queues, revokes */
	struct request call[SHAREDPC_CALLS];
	struct call_queue names;	/* of ccfs */
	struct call_queue data;	/* the others */
	struct list_head revokes;	/* waiting for REVOKED */
	u32 revoke_serial;

	struct mutex maps_lock;		/* both */
	struct list_head maps;
	struct hlist_head maps_by_file[1 << MAPS_BITS];

	struct mutex sizes_lock;	/* sizes */
	struct xarray sizes;		/* see size.c */

	struct mutex locks_lock;	/* held, and all that is in it */
	struct hlist_head held[1 << HELD_BITS];	/* see holder.h */

	u64 limit;			/* frames at once; 0: none of its own */
	atomic64_t granted;		/* frames that the client holds */
	atomic64_t faults, grants, writes, revokes_sent, foreign;
};

/* One that takes something back just now: revoke.c. */
struct taking {
	struct list_head node;		/* in map.takings, oldest first */
	u64 first, last;
	u64 serial;
	bool ahead;			/* nothing of it is granted meanwhile */
};

/* A REVOKE that waits for its REVOKED. */
struct revoke {
	struct list_head node;		/* in server.revokes */
	struct map *map;		/* NULL: of all files */
	struct sharedpc_msg msg;
	u64 try;
	u64 kept, kept_sum;		/* KEPTs of this try, what their addresses add up to */
	int sent;			/* what sending it gave */
	int error;
	bool waits;			/* it is in the list */
	struct completion done;
};

/* What can be done while somebody waits for a REVOKED: now and then. */
struct meanwhile {
	void (*run)(struct meanwhile *w);
};

/* What is taken back of a map for what happens to another one of the same file. */
struct ahead {
	unsigned long busy;		/* bit 0: somebody does that */
	struct taking taking;
	struct revoke revoke;
	bool write;			/* the right to write only */
};

struct map {
	struct kref ref;
	struct list_head node;		/* in maps */
	struct hlist_node by_file;	/* in maps_by_file */
	struct server *server;
	struct mmu_interval_notifier mni;
	u64 file, index, pages, addr;	/* as in struct sharedpc_map */
	dev_t dev;			/* what is mapped there, for people */
	u64 ino;
	/*
	 * Frames that the client may have mapped: page index -> pfn value.
	 * Each holds a reference to its page, so that no frame is reused
	 * before the client gave it back, whatever goes wrong.
	 */
	struct xarray grants;
	bool dead;			/* under xa_lock: grants no more */
	struct list_head takings;	/* under xa_lock: REVOKEs not answered */
	u64 taking_serial;		/* under xa_lock: of the last one */
	wait_queue_head_t taken;	/* for one to end */
	struct file *vm_file;		/* what is mapped, open; NULL: nothing, or it has ended */
	struct share *share;		/* of that file; NULL: none */
	struct list_head in_share;
	struct ahead ahead;
};

#define GRANT_WRITE	XA_MARK_0	/* the client may write it */
#define GRANT_DIRTY	XA_MARK_1	/* may have, since it was last cleaned */

/* server.c */
/* For whom and what @want says; -EBUSY fills in @want->server. */
struct server *server_open(struct sharedpc_serve *want);
void server_close(struct server *s);
/* @client's server @number, or NULL. */
struct server *server_get(u32 client, u32 number);
/* The next one from *@number on, with a reference, or NULL: for (n = 1; ; n++). */
struct server *server_next(u32 *number);
void server_put(struct server *s);
void server_peer_went(u32 client);
bool server_current(const struct server *s);	/* the client's life is ours */
/* REMOVED of sharedpc_ioctl.h. */
int server_removed(const struct server *s, const struct sharedpc_removed *removed);
void server_granted_add(struct server *s, int frames);
u64 server_granted(u32 client);			/* by all its servers */

/* request.c */
void request_wake(struct server *s);		/* it is gone */
void request_arrived(u32 client, const struct sharedpc_msg *msg);
int request_next(struct server *s, struct sharedpc_call *out);
int request_reply(struct server *s, const struct sharedpc_reply *reply);
int request_find(struct server *s, u32 slot, struct sharedpc_msg *msg);
/* @done: what is said if the call comes again. */
int request_finish(struct server *s, u32 slot, const struct sharedpc_msg *done);
void request_unfinish(struct server *s, u32 slot);
void request_fail_all(struct server *s);

/* map.c */
int map_add(struct server *s, const struct sharedpc_map *want);
int map_remove(struct server *s, u64 file, u64 index);
void map_remove_all(struct server *s);
struct map *map_find(struct server *s, u64 file, u64 index, u64 count);
void map_put(struct map *m);

/* grant.c */
int grant_frames(struct server *s, struct sharedpc_grant *want);

/* share.c */
/* @m is a map of @inode, which stays there until share_leave: then it is one of none. */
void share_join(struct map *m, const struct inode *inode);
void share_leave(struct map *m);
/* As revoke_all or revoke_write, but of all maps of the file, ahead of their turn. */
void share_revoke(struct map *m, u64 first, u64 last, bool write);

/* revoke.c */
/* @w: what to do while they wait, or NULL. */
void revoke_all(struct map *m, u64 first, u64 last, struct meanwhile *w);
/* False, without @wait: somebody else's message would have to be waited for. */
bool revoke_write(struct map *m, u64 first, u64 last, struct meanwhile *w, bool wait);
/* Wait until nobody takes anything of @m back, which is dead: nobody will begin to. */
void revoke_quiesce(struct map *m);
/*
 * The same for a map that will be told to, soon: begin, without waiting.  False: nothing
 * is to be taken back, or somebody does it.  If true revoke_ahead_end has to follow, which
 * does not wait when it is ready.
 */
bool revoke_ahead(struct map *m, u64 first, u64 last, bool write);
bool revoke_ahead_ready(const struct map *m);
void revoke_ahead_end(struct map *m, struct meanwhile *w);
/* Is any of it being taken back ahead?  With the grants' lock. */
bool revoke_blocks(const struct map *m, u64 index, u64 count);
int revoke_end(struct server *s);
/* If it was given up because it was silent and could not be fenced: it is not any more. */
void revoke_believe(u32 client);
void revoke_answered(u32 client, const struct sharedpc_msg *msg);
void revoke_kept(u32 client, const struct sharedpc_msg *msg);

/* kept.c */
void kept_init(void);
/* @page is granted to @client and stays so meanwhile.  Neither sleeps. */
void kept_add(const struct server *s, u64 name, struct page *page);
void kept_stuck(u32 client, u32 epoch, struct page *page);
/* Let go of what is stuck, up to the life @epoch of @client, which has ended. */
void kept_unstick(u32 client, u32 epoch);
void kept_released(u32 client, const struct sharedpc_msg *msg);
void kept_drop(u32 client);
u64 kept_count(u32 client);

/* quota.c */
u64 quota_share(void);				/* frames that each client can have */
u64 quota_room(const struct server *s);		/* frames that may be granted now */

/* size.c */
int size_keep(struct server *s, int fd, struct sharedpc_size *out);
int size_drop(struct server *s, u64 phys);
void size_drop_all(struct server *s);

/* locking.c */
/* In a process of @s's: what LOCK says.  0 or -errno. */
int locking_serve(struct server *s, struct sharedpc_lock *call);
void locking_mount_ended(struct server *s, u64 mount);
void locking_drop_all(struct server *s);

/* wait.c */
int wait_init(void);
void wait_exit(void);

/* identity.c */
void identity_init(void);
u64 identity_of(struct inode *inode);		/* sharedpc_size.identity */

/* seal.c */
/* In a process of @s's.  0, -EINVAL, -EFAULT. */
int seal_make(const struct server *s, struct sharedpc_seal *seal);

#endif
