// SPDX-License-Identifier: GPL-2.0-only
/*
 * direct.c - what the owner is asked without FUSE
 *
 * FUSE hands a question to ccfs, which puts it into a message, and takes the answer
 * apart again: half of what a question costs.  Where nothing has to come into being here
 * (an inode, an open file), the question, or what is to be removed, goes to the owner's proxy from whoever has it,
 * in ccfs's words (ccfs_proto.h) and for its mount.  The answer is taken as if ccfs had
 * told it.
 *
 * Whatever is not as usual is left to FUSE, which has the outcome for it: no buffer, no
 * slot, a server or a mount that has ended, an answer that makes no sense.  What changes
 * something is done once, however often it is said on the way (client/call.c); whoever is
 * killed meanwhile does not know whether it was.
 */
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include "cache/cache.h"
#include "ccfs_proto.h"
#include "client/ask.h"

#define REQUEST_MAX	SHAREDPC_BOUNCE_SIZE	/* bytes, with the caller's groups */

/* A question, as it is written. */
struct question {
	struct ask ask;
	struct ccfs_header head;
	size_t len;
	bool full;
	bool sent;			/* so the owner may have done it */
};

static void put(struct question *q, const void *data, size_t len)
{
	if (len > q->ask.room - q->len) {
		q->full = true;
		return;
	}
	memcpy(q->ask.at + q->len, data, len);
	q->len += len;
}

/* Who asks: as FUSE and ccfs would say. */
static void put_caller(struct question *q)
{
	const struct cred *cred = current_cred();
	const struct group_info *groups = cred->group_info;
	struct ccfs_cred who = {
		.uid = from_kuid(&init_user_ns, cred->fsuid),
		.gid = from_kgid(&init_user_ns, cred->fsgid),
		.pid = task_pid_nr(current),
	};
	u32 gid, i;

	if (who.uid)	/* root needs none */
		who.ngroups = groups->ngroups;
	put(q, &who, sizeof(who));
	for (i = 0; i < who.ngroups && !q->full; i++) {
		gid = from_kgid(&init_user_ns, groups->gid[i]);
		put(q, &gid, sizeof(gid));
	}
}

static void put_name(struct question *q, const struct qstr *name)
{
	u32 len = name->len;

	put(q, &len, sizeof(len));
	put(q, name->name, len);
}

static int question_begin(struct question *q, const struct cache_mount *m,
			  enum ccfs_op op, u64 node)
{
	int err;

	q->head = (struct ccfs_header){
		.magic = CCFS_MAGIC, .op = op, .id = 1, .node = node,
	};
	q->len = sizeof(q->head);	/* it comes last, with the length */
	q->full = false;
	q->sent = false;
	err = ask_begin(&q->ask, m->session, REQUEST_MAX);
	if (err)
		return err;
	put_caller(q);
	return 0;
}

/*
 * The answer in @from, of @bytes, is one to @asked: 0, the owner's error as ccfs would hand it
 * on, or DIRECT_NOT.
 */
static int answer_check(const void *from, size_t bytes, const struct ccfs_header *asked)
{
	struct ccfs_header head;

	memcpy(&head, from, sizeof(head));
	barrier();	/* from here on the copy counts */
	if (head.magic != CCFS_MAGIC || head.len != bytes || head.op != asked->op ||
	    head.id != asked->id || head.error > 0 || head.error <= -ERESTARTSYS)
		return DIRECT_NOT;
	switch (head.error) {
	case -EINTR:
	case -EAGAIN:
		return DIRECT_NOT;
	case -ENOTCONN:
	case -EPROTO:
		return -EIO;
	case -ENOSYS:
		return -EOPNOTSUPP;
	}
	return head.error;
}

/* Ask, and have the answer's body of @len bytes in @body. */
static int question_end(struct question *q, const struct cache_mount *m, void *body,
			size_t len)
{
	ssize_t got;
	int ret;

	q->head.len = q->len;
	memcpy(q->ask.at, &q->head, sizeof(q->head));
	got = q->full ? -EMSGSIZE : ask_send(&q->ask, m->ask, q->len, &m->dead);
	q->sent = got != -EBUSY && got != -EMSGSIZE;
	if (got < 0) {
		ret = got == -EINTR ? -EINTR : DIRECT_NOT;
	} else {
		ret = answer_check(q->ask.at, got, &q->head);
		if (!ret && got != sizeof(q->head) + len)
			ret = DIRECT_NOT;
		if (!ret && len)
			memcpy(body, q->ask.at + sizeof(q->head), len);
	}
	ask_end(&q->ask);
	if (ret != DIRECT_NOT)
		cache_count(m, CACHE_DIRECT);
	return ret;
}

static bool may_ask(const struct cache_mount *m, const struct inode *inode)
{
	return m->session && m->ask && !READ_ONCE(m->dead) && cache_inode(inode);
}

/* What ccfs would tell of @a. */
static void tale_of(struct sharedpc_tale *tale, u64 node, const struct ccfs_attr *a)
{
	*tale = (struct sharedpc_tale){
		.node = node, .gen = a->gen, .ino = a->ino, .size = a->size,
		.blocks = a->blocks, .atime = a->atime, .mtime = a->mtime,
		.ctime = a->ctime, .atime_ns = a->atime_ns, .mtime_ns = a->mtime_ns,
		.ctime_ns = a->ctime_ns, .btime = a->btime, .btime_ns = a->btime_ns,
		.attributes = a->attributes, .attributes_mask = a->attributes_mask,
		.mode = a->mode, .nlink = a->nlink,
		.uid = a->uid, .gid = a->gid, .blksize = a->blksize, .flags = a->flags,
	};
}

static int tale_or_not(int err, const struct inode *inode, const struct ccfs_attr *a,
		       struct sharedpc_tale *tale)
{
	if (err)
		return err;
	if ((a->mode ^ inode->i_mode) & S_IFMT || a->size > S64_MAX)
		return DIRECT_NOT;
	tale_of(tale, cache_inode(inode)->node, a);
	return 0;
}

int direct_getattr(const struct inode *inode, struct sharedpc_tale *tale)
{
	const struct cache_mount *m = cache_mount_of(inode->i_sb);
	struct ccfs_attr attr;
	struct question q;

	if (!may_ask(m, inode) ||
	    question_begin(&q, m, CCFS_GETATTR, cache_inode(inode)->node))
		return DIRECT_NOT;
	return tale_or_not(question_end(&q, m, &attr, sizeof(attr)), inode, &attr, tale);
}

int direct_revalidate(const struct inode *dir, const struct qstr *name,
		      const struct inode *inode, struct sharedpc_tale *tale)
{
	const struct cache_mount *m = cache_mount_of(inode->i_sb);
	struct ccfs_same same;
	struct ccfs_attr attr;
	struct question q;

	if (!may_ask(m, inode) || !cache_inode(dir) ||
	    question_begin(&q, m, CCFS_REVALIDATE, cache_inode(dir)->node))
		return DIRECT_NOT;
	same.node = cache_inode(inode)->node;
	put(&q, &same, sizeof(same));
	put_name(&q, name);
	return tale_or_not(question_end(&q, m, &attr, sizeof(attr)), inode, &attr, tale);
}

int direct_remove(const struct inode *dir, const struct dentry *d, struct sharedpc_tale *tale)
{
	const struct cache_mount *m = cache_mount_of(dir->i_sb);
	struct ccfs_attr attr;
	struct question q;
	int err;

	if (!may_ask(m, dir) || !cache_inode(d_inode(d)) ||
	    question_begin(&q, m, d_is_dir(d) ? CCFS_RMDIR : CCFS_UNLINK,
			   cache_inode(dir)->node))
		return DIRECT_NOT;
	put_name(&q, &d->d_name);
	err = question_end(&q, m, &attr, sizeof(attr));
	if (!err && tale_or_not(0, dir, &attr, tale))
		*tale = (struct sharedpc_tale){ 0 };
	return err;
}

int direct_access(const struct inode *inode, int mask)
{
	const struct cache_mount *m = cache_mount_of(inode->i_sb);
	struct ccfs_count may = { .count = mask & (MAY_READ | MAY_WRITE | MAY_EXEC) };
	struct question q;

	if (!may_ask(m, inode) ||
	    question_begin(&q, m, CCFS_ACCESS, cache_inode(inode)->node))
		return DIRECT_NOT;
	put(&q, &may, sizeof(may));
	return question_end(&q, m, NULL, 0);
}

int direct_handle(const struct inode *inode, struct ccfs_fhandle *h)
{
	const struct cache_mount *m = cache_mount_of(inode->i_sb);
	struct question q;
	int err;

	if (!may_ask(m, inode) ||
	    question_begin(&q, m, CCFS_HANDLE, cache_inode(inode)->node))
		return DIRECT_NOT;
	err = question_end(&q, m, h, sizeof(*h));
	return !err && h->len > sizeof(h->bytes) ? DIRECT_NOT : err;
}

int direct_lock(const struct inode *inode, struct ccfs_lock *lock, u32 *call)
{
	const struct cache_mount *m = cache_mount_of(inode->i_sb);
	struct question q;
	int err;

	if (!may_ask(m, inode) ||
	    question_begin(&q, m, CCFS_LOCK, cache_inode(inode)->node))
		return DIRECT_NOT;
	put(&q, lock, sizeof(*lock));
	err = question_end(&q, m, lock, sizeof(*lock));
	if (err == -EINTR)
		*call = q.ask.call;
	return err;
}

int direct_watch(const struct inode *inode, u32 mask, u64 serial)
{
	const struct cache_mount *m = cache_mount_of(inode->i_sb);
	const struct ccfs_watch watch = { .serial = serial, .mask = mask };
	struct question q;

	if (!may_ask(m, inode) ||
	    question_begin(&q, m, CCFS_WATCH, cache_inode(inode)->node))
		return DIRECT_NOT;
	put(&q, &watch, sizeof(watch));
	return question_end(&q, m, NULL, 0);
}

int direct_present(const struct cache_mount *m, const struct ccfs_fhandle *h, u64 *node)
{
	struct ccfs_entry entry;
	struct question q;
	int err;

	if (READ_ONCE(m->dead) || question_begin(&q, m, CCFS_PRESENT, FUSE_ROOT))
		return DIRECT_NOT;
	put(&q, h, sizeof(*h));
	err = question_end(&q, m, &entry, sizeof(entry));
	if (err)
		return err;
	*node = entry.node;
	return *node ? 0 : DIRECT_NOT;
}

int direct_sync(const struct cache_mount *m, u32 *call)
{
	struct question q;
	int err;

	if (question_begin(&q, m, CCFS_SYNC, FUSE_ROOT))
		return DIRECT_NOT;
	err = question_end(&q, m, NULL, 0);
	if (err == -EINTR)
		*call = q.ask.call;
	return err;
}

int direct_allocate(const struct inode *inode, int mode, loff_t pos, loff_t len)
{
	const struct cache_mount *m = cache_mount_of(inode->i_sb);
	const struct ccfs_range range = { .pos = pos, .len = len, .mode = mode };
	struct question q;
	int err;

	if (!may_ask(m, inode) ||
	    question_begin(&q, m, CCFS_FALLOCATE, cache_inode(inode)->node))
		return DIRECT_NOT;
	put(&q, &range, sizeof(range));
	err = question_end(&q, m, NULL, 0);
	if (q.full)	/* the caller's groups: it will not be shorter */
		return -EOPNOTSUPP;
	/* Twice would be once too often. */
	return err == DIRECT_NOT && q.sent ? -EIO : err;
}

int direct_pause(const struct cache_mount *m)
{
	schedule_timeout_killable(HZ / 50);
	if (READ_ONCE(m->dead))
		return -EIO;
	return fatal_signal_pending(current) ? -EINTR : 0;
}

int direct_forget(const struct cache_mount *m, u64 node)
{
	const struct ccfs_count n = { .count = 1 };
	const struct ccfs_forget one = { .node = node, .count = 1 };
	struct question q;
	int err;

	if (READ_ONCE(m->dead) || question_begin(&q, m, CCFS_FORGET, FUSE_ROOT))
		return DIRECT_NOT;
	put(&q, &n, sizeof(n));
	put(&q, &one, sizeof(one));
	err = question_end(&q, m, NULL, 0);
	/* Twice would be once too often. */
	return err == DIRECT_NOT && q.sent ? -EIO : err;
}
