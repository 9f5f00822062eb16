// SPDX-License-Identifier: GPL-2.0-only
/*
 * call.c - the client asks: its kernel faults, writes, fsyncs, makes holes, closes; its ccfs names.
 *
 * Only the threads for what its kernel asks touch pages of files on its behalf: their
 * memory policy puts new page cache into the region. The policy prefers the
 * region and does not insist: when it has nothing to spare pages go elsewhere
 * and are moved when they are to be granted (fault.c). An allocation that must
 * have a page of a full region (MPOL_BIND) ends in the owner's OOM killer,
 * and no look at the free pages beforehand can rule that out.
 *
 * An fsync takes longer than all others and goes to threads of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <numaif.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "proxyd/data/call.h"
#include "proxyd/data/callers.h"
#include "proxyd/data/touch.h"
#include "proxyd/export/cred.h"
#include "proxyd/life/log.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_wire.h"

#define NODES_MAX	1024
#define WORD_BITS	(8 * sizeof(unsigned long))

struct sync {
	struct sync *next;
	struct sharedpc_call call;
};

static pthread_mutex_t sync_lock = PTHREAD_MUTEX_INITIALIZER;	/* both below */
static pthread_cond_t sync_more = PTHREAD_COND_INITIALIZER;
static struct sync *sync_first, **sync_last = &sync_first;

static int policy_prefer(int node)
{
	unsigned long mask[NODES_MAX / WORD_BITS] = { 0 };

	if (node < 0 || node >= NODES_MAX)
		return -EINVAL;
	mask[node / WORD_BITS] |= 1UL << node % WORD_BITS;
	return set_mempolicy(MPOL_PREFERRED, mask, NODES_MAX) ? -errno : 0;
}

/*
 * Append through the descriptor's own position, which nobody else uses: it
 * is at the end of what was written when the call returns.
 */
static ssize_t write_append(struct file *file, int fd, const struct iovec *iov,
			    int flags, __u64 *pos)
{
	ssize_t n;

	pthread_mutex_lock(&file->append);
	n = pwritev2(fd, iov, 1, -1, flags | RWF_APPEND);
	if (n >= 0)
		*pos = lseek(fd, 0, SEEK_CUR);
	else
		n = -errno;
	pthread_mutex_unlock(&file->append);
	return n;
}

static ssize_t write_as(struct proxy *proxy, struct file *file, int fd,
			const struct sharedpc_call *call, __u64 *pos)
{
	struct iovec iov = {
		.iov_base = (char *)proxy->bounce + call->data,
		.iov_len = call->count,
	};
	int flags = call->flags & SHAREDPC_CALL_DSYNC ? RWF_DSYNC : 0;
	ssize_t n;

	if (call->flags & SHAREDPC_CALL_APPEND)
		return write_append(file, fd, &iov, flags, pos);
	n = pwritev2(fd, &iov, 1, call->pos, flags);
	if (n < 0)
		return -errno;
	*pos = call->pos + n;
	return n;
}

static void call_write(struct proxy *proxy, struct file *file,
		       const struct sharedpc_call *call,
		       struct sharedpc_reply *reply)
{
	struct ccfs_cred cred = { .uid = call->uid, .gid = call->gid };
	size_t bounces = SHAREDPC_BOUNCES * SHAREDPC_BOUNCE_SIZE;
	struct file_use use;
	ssize_t n;

	if (call->count > bounces || call->data > bounces - call->count) {
		reply->error = -EINVAL;
		return;
	}
	use = file_use(file, call->flags & SHAREDPC_CALL_APPEND);
	n = use.fd;
	if (use.fd >= 0) {
		cred_squash(file->squash, &cred, NULL);
		n = cred_take(&cred, NULL);
		if (!n) {
			n = write_as(proxy, file, use.fd, call, &reply->pos);
			cred_back();
		}
	}
	file_used(&use);
	if (n < 0)
		reply->error = n;
	else
		reply->result = n;
}

static int call_punch(struct file *file, const struct sharedpc_call *call)
{
	struct ccfs_cred cred = { .uid = call->uid, .gid = call->gid };
	struct file_use use = file_use(file, false);
	int ret;

	if (use.fd < 0)
		return use.fd;
	cred_squash(file->squash, &cred, NULL);
	ret = cred_take(&cred, NULL);
	if (!ret) {
		if (fallocate(use.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, call->pos,
			      (off_t)call->count * PAGE))
			ret = -errno;
		cred_back();
	}
	file_used(&use);
	return ret;
}

static void call_reply(struct proxy *proxy, struct sharedpc_reply *reply)
{
	/* -ESTALE: nobody waits any more */
	if (ioctl(proxy->dev, SHAREDPC_IOC_REPLY, reply) && errno != ESTALE)
		log_say("reply to call %u: %s", reply->slot, strerror(errno));
}

static void call_do(struct proxy *proxy, const struct sharedpc_call *call)
{
	struct sharedpc_reply reply = { .slot = call->slot };
	struct file *file;

	if (call->op == SHAREDPC_OP_CLOSE) {
		if (file_close(&proxy->files, call->file, call->count))
			log_say("close of unknown file %llu",
				(unsigned long long)call->file);
		life_check(&proxy->life);
		return;
	}
	if (call->op == SHAREDPC_OP_FAULT) {
		reply.error = call_fault(proxy, call);
		if (reply.error)
			call_reply(proxy, &reply);
		return;
	}
	file = file_get(&proxy->files, call->file);
	if (!file)
		reply.error = -ESTALE;
	else if (call->op == SHAREDPC_OP_WRITE)
		call_write(proxy, file, call, &reply);
	else if (call->op == SHAREDPC_OP_PUNCH)
		reply.error = call_punch(file, call);
	else if (call->op == SHAREDPC_OP_FSYNC)
		reply.error = file_sync(file, call->flags & SHAREDPC_CALL_DATASYNC);
	else
		reply.error = -EOPNOTSUPP;
	call_reply(proxy, &reply);
	if (file && file_put(&proxy->files, file))
		life_check(&proxy->life);
}

/* Have @call, an FSYNC, done by those who may wait. */
static void sync_add(struct proxy *proxy, const struct sharedpc_call *call)
{
	struct sync *sync = malloc(sizeof(*sync));

	if (!sync) {
		call_do(proxy, call);
		return;
	}
	*sync = (struct sync) { .call = *call };
	pthread_mutex_lock(&sync_lock);
	*sync_last = sync;
	sync_last = &sync->next;
	pthread_cond_signal(&sync_more);
	pthread_mutex_unlock(&sync_lock);
}

static void *syncer(void *arg)
{
	struct proxy *proxy = arg;
	struct sync *sync;

	for (;;) {
		pthread_mutex_lock(&sync_lock);
		while (!sync_first)
			pthread_cond_wait(&sync_more, &sync_lock);
		sync = sync_first;
		sync_first = sync->next;
		if (!sync_first)
			sync_last = &sync_first;
		pthread_mutex_unlock(&sync_lock);
		call_do(proxy, &sync->call);
		free(sync);
	}
	return NULL;
}

static int data_begin(struct proxy *proxy)
{
	int ret = policy_prefer(proxy->region_node);

	if (ret)
		log_say("memory policy of node %d: %s", proxy->region_node,
			strerror(-ret));
	return ret;
}

static void data_take(struct proxy *proxy, const struct sharedpc_call *call)
{
	if (call->op == SHAREDPC_OP_FSYNC)
		sync_add(proxy, call);
	else
		call_do(proxy, call);
}

static void name_take(struct proxy *proxy, const struct sharedpc_call *call)
{
	proxy->asked(proxy, call);
}

static struct callers data = {
	.max = SHAREDPC_CALLS, .begin = data_begin, .take = data_take,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static struct callers names = {
	.max = SHAREDPC_NAME_CALLS, .flags = SHAREDPC_NEXT_NAMES, .take = name_take,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

void calls_limit(struct proxy *proxy, uint64_t quota)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static bool limited = true;	/* by all mounts so far */
	static __u64 frames;
	__u64 limit;

	pthread_mutex_lock(&lock);
	limited = limited && quota;
	if (quota / PAGE > frames)
		frames = quota / PAGE;
	limit = limited ? frames : 0;
	if (ioctl(proxy->dev, SHAREDPC_IOC_LIMIT, &limit))
		log_say("cannot limit what the client holds: %s", strerror(errno));
	pthread_mutex_unlock(&lock);
}

int calls_start(struct proxy *proxy)
{
	int i, ret = touch_init();

	if (!ret)
		ret = callers_start(&data, proxy);
	if (!ret)
		ret = callers_start(&names, proxy);
	for (i = 0; i < SYNC_THREADS && !ret; i++)
		ret = callers_thread(syncer, proxy);
	return ret;
}
