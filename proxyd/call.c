// SPDX-License-Identifier: GPL-2.0-only
/*
 * call.c - the client's kernel asks: faults, writes, fsyncs, closes.
 *
 * Only the threads here touch pages of files on a client's behalf: their
 * memory policy puts new page cache into the region. The policy prefers the
 * region and does not insist: when it has nothing to spare pages go elsewhere
 * and are moved when they are to be granted (fault.c). An allocation that must
 * have a page of a full region (MPOL_BIND) ends in the owner's OOM killer,
 * and no look at the free pages beforehand can rule that out.
 *
 * A fault must always find a thread. Writes, which may wait for a disk, can
 * keep as many as the client has bounce buffers and no more; an fsync has no
 * such bound and goes to threads of its own.
 */
#include <errno.h>
#include <numaif.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "proxyd/call.h"
#include "proxyd/cred.h"
#include "proxyd/log.h"
#include "sharedpc_ioctl.h"

#define NODES_MAX	1024
#define WORD_BITS	(8 * sizeof(unsigned long))

_Static_assert(2 * SHAREDPC_BOUNCES <= CALL_THREADS, "threads are left for faults");

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
	ssize_t n;
	int fd;

	if (call->count > bounces || call->data > bounces - call->count) {
		reply->error = -EINVAL;
		return;
	}
	fd = n = file_dup(file, call->flags & SHAREDPC_CALL_APPEND);
	if (fd >= 0) {
		n = cred_take(&cred, NULL);
		if (!n) {
			n = write_as(proxy, file, fd, call, &reply->pos);
			cred_back();
		}
		close(fd);
	}
	if (n < 0)
		reply->error = n;
	else
		reply->result = n;
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
		proxy_file_gone(proxy);
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
	else if (call->op == SHAREDPC_OP_FSYNC)
		reply.error = file_sync(file, call->flags & SHAREDPC_CALL_DATASYNC);
	else
		reply.error = -EOPNOTSUPP;
	call_reply(proxy, &reply);
	if (file && file_put(&proxy->files, file))
		proxy_file_gone(proxy);
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

static void *caller(void *arg)
{
	struct proxy *proxy = arg;
	struct sharedpc_call call;
	int ret;

	ret = cred_thread();
	if (!ret)
		ret = policy_prefer(proxy->region_node);
	if (ret) {
		log_say("memory policy of node %d: %s", proxy->region_node,
			strerror(-ret));
		proxy_end("cannot place pages in the region");
	}
	for (;;) {
		if (ioctl(proxy->dev, SHAREDPC_IOC_NEXT, &call)) {
			if (errno == ENODEV)
				proxy_end("the client is gone");
			if (errno != EINTR)
				proxy_end(strerror(errno));
		} else if (call.op == SHAREDPC_OP_FSYNC) {
			sync_add(proxy, &call);
		} else {
			call_do(proxy, &call);
		}
	}
	return NULL;
}

int calls_start(struct proxy *proxy)
{
	pthread_t thread;
	int i, ret;

	for (i = 0; i < CALL_THREADS + SYNC_THREADS; i++) {
		ret = pthread_create(&thread, NULL,
				     i < CALL_THREADS ? caller : syncer, proxy);
		if (ret)
			return -ret;
		pthread_detach(thread);
	}
	return 0;
}
