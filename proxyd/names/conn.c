// SPDX-License-Identifier: GPL-2.0-only
/*
 * conn.c - one connection: one mount of the proxy's client.
 *
 * The reader owns the connection. When the stream ends it waits for the
 * requests that workers still have, then takes everything down. Whoever
 * finds the peer at fault shuts the socket down, and the reader sees that.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "proxyd/names/asked.h"
#include "proxyd/names/conn.h"
#include "proxyd/data/call.h"
#include "proxyd/data/proxy.h"
#include "proxyd/export/cred.h"
#include "proxyd/life/log.h"
#include "proxyd/names/ops.h"
#include "proxyd/names/watches.h"
#include "proxyd/life/work.h"
#include "container.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_limits.h"

#define SWEEP_MS	LIMIT_PROXY_SWEEP_MS

static pthread_mutex_t greeted_lock = PTHREAD_MUTEX_INITIALIZER;	/* both below */
static struct conn *greeted;
static uint64_t mounts;		/* so far */

/* From here on it is found by its number, which it gets. */
static void greeted_add(struct conn *conn)
{
	pthread_mutex_lock(&greeted_lock);
	conn->mount = ++mounts;
	conn->next = greeted;
	greeted = conn;
	pthread_mutex_unlock(&greeted_lock);
}

static void greeted_remove(struct conn *conn)
{
	struct conn **p;

	pthread_mutex_lock(&greeted_lock);
	for (p = &greeted; *p; p = &(*p)->next) {
		if (*p == conn) {
			*p = conn->next;
			break;
		}
	}
	pthread_mutex_unlock(&greeted_lock);
}

struct conn *conn_get(struct proxy *proxy, uint64_t mount)
{
	struct conn *conn;

	pthread_mutex_lock(&greeted_lock);
	for (conn = greeted; conn; conn = conn->next)
		if (conn->mount == mount && conn->proxy == proxy)
			break;
	if (conn) {
		pthread_mutex_lock(&conn->lock);
		conn->pending++;
		pthread_mutex_unlock(&conn->lock);
	}
	pthread_mutex_unlock(&greeted_lock);
	return conn;
}

void conn_put(struct conn *conn)
{
	pthread_mutex_lock(&conn->lock);
	conn->pending--;
	pthread_cond_signal(&conn->fewer);
	pthread_mutex_unlock(&conn->lock);
}

/* Send @out; a peer that cannot be answered is of no use. 0 or -errno. */
static int conn_send(struct conn *conn, const struct msg *out)
{
	int ret;

	pthread_mutex_lock(&conn->send);
	ret = msg_send(conn->fd, out);
	if (ret)
		shutdown(conn->fd, SHUT_RDWR);
	pthread_mutex_unlock(&conn->send);
	return ret;
}

/*
 * Answer @req: @error, or what its out holds. 0 if the peer gets what that holds,
 * else -errno.
 */
static int request_answer(struct request *req, int error)
{
	const struct ccfs_header *head = &req->in.head;
	struct msg *out = &req->out;
	int ret;

	if (!error)
		error = out->error;
	if (error)
		msg_start(out, head->op, head->id, 0);
	out->error = 0;
	out->head.error = error;
	ret = req->call ? asked_answer(req) : conn_send(req->conn, out);
	return ret ? ret : error;
}

static int request_do(struct request *req)
{
	const struct op *op = op_find(req->in.head.op);
	int ret;

	if (!op || req->in.head.error)
		return -EPROTO;
	ret = msg_get_cred(&req->in, &req->cred, &req->groups);
	if (ret)
		return ret;
	cred_squash(req->conn->rules.squash, &req->cred, req->groups);
	ret = node_get(&req->conn->nodes, req->in.head.node, &req->node);
	if (ret)
		return ret;
	if (!(op->flags & OP_CALLER))
		return op->run(req);
	ret = cred_take(&req->cred, req->groups);
	if (ret)
		return ret;
	ret = op->run(req);
	cred_back();
	return ret;
}

/* The client will never give back what it has not been told to have. */
static void request_undo(struct request *req)
{
	if (req->opened)
		file_close(&req->conn->proxy->files, req->opened, 1);
	for (size_t i = 0; i < req->nentered; i++)
		node_forget(&req->conn->nodes, req->entered[i], 1);
}

int request_enter(struct request *req, uint64_t node)
{
	uint64_t *more = req->entered;
	size_t n = req->nentered;

	if (!(n & (n - 1)))	/* full: 0, 1, 2, 4, 8 ... */
		more = reallocarray(more, n ? 2 * n : 1, sizeof(*more));
	if (!more) {
		node_forget(&req->conn->nodes, node, 1);
		return -ENOMEM;
	}
	req->entered = more;
	req->entered[req->nentered++] = node;
	return 0;
}

void request_run(struct request *req)
{
	struct conn *conn = req->conn;
	int ret;

	msg_start(&req->out, req->in.head.op, req->in.head.id, 0);
	ret = request_do(req);
	node_put(&conn->nodes, req->node);
	if (ret == -EPROTO) {
		log_say("malformed request %u: connection closed", req->in.head.op);
		shutdown(conn->fd, SHUT_RDWR);
	}
	if (ret != -EPROTO || req->call)
		ret = request_answer(req, ret);
	if (ret)
		request_undo(req);
	msg_free(&req->in);
	msg_free(&req->out);
	free(req->groups);
	free(req->entered);
}

/* In a worker. */
static void job_run(struct job *job)
{
	struct request *req = container_of(job, struct request, job);
	struct conn *conn = req->conn;
	size_t bytes = req->bytes;

	request_run(req);
	free(req);
	life_bytes_put(&conn->proxy->life, bytes);
	conn_put(conn);
}

/* Give @in (its memory goes along) to a worker, when there are not too many. */
static int request_add(struct conn *conn, struct msg *in)
{
	const struct op *op = op_find(in->head.op);
	struct request *req;

	if (!op)
		return -EPROTO;
	req = calloc(1, sizeof(*req));
	if (!req)
		return -ENOMEM;
	req->job.run = job_run;
	req->conn = conn;
	req->room = CCFS_MSG_MAX;
	req->bytes = in->room;
	req->in = *in;
	*in = (struct msg) { 0 };
	life_bytes_get(&conn->proxy->life, req->bytes);
	pthread_mutex_lock(&conn->lock);
	while (conn->pending >= CONN_REQUESTS)
		pthread_cond_wait(&conn->fewer, &conn->lock);
	conn->pending++;
	pthread_mutex_unlock(&conn->lock);
	work_add(&req->job, op->flags & OP_SLOW);
	return 0;
}

int conn_forget(struct conn *conn, struct msg *in)
{
	struct ccfs_forget one;
	struct ccfs_count n;
	uint64_t i;
	int ret;

	ret = msg_get(in, &n, sizeof(n));
	if (ret)
		return ret;
	if (n.count > CCFS_FORGET_MAX)
		return -EPROTO;
	for (i = 0; i < n.count; i++) {
		ret = msg_get(in, &one, sizeof(one));
		if (ret)
			return ret;
		node_forget(&conn->nodes, one.node, one.count);
	}
	return msg_end(in);
}

static int take_drop(struct conn *conn, struct msg *in)
{
	struct ccfs_handle file;
	int ret = msg_get(in, &file, sizeof(file));

	if (!ret)
		ret = msg_end(in);
	if (!ret)
		file_close(&conn->proxy->files, file.handle, 1);
	return ret;
}

static bool is_open(void *files, dev_t dev, ino_t ino)
{
	return file_is_open(files, dev, ino);
}

/* @fd (taken over even on failure) is the root of what is mounted. */
static int root_take(struct conn *conn, int fd, struct ccfs_welcome *welcome)
{
	struct proxy *proxy = conn->proxy;
	struct stat st;
	int ret;

	words_watch(&conn->words, fd, welcome);
	ret = words_stat(&conn->words, fd, &st, &welcome->root);
	conn->nodes.unwatch = watches_drop;
	conn->nodes.unwatch_arg = conn;
	/* what is open on the owner itself is not in the table of files */
	if (!ret)
		return nodes_init(&conn->nodes, fd, proxy->local ? NULL : is_open,
				  &proxy->files);
	close(fd);
	return ret;
}

/* Tell the peer what it gets, or why it does not. 0 or -errno: it ends. */
static int conn_greet(struct conn *conn, struct hello *hello, int error, const char *why)
{
	struct ccfs_welcome welcome = {
		.revision = CCFS_REVISION, .flags = hello->flags,
		.server = conn->proxy->server,
	};
	const bool local = conn->proxy->local;
	struct msg out = { 0 };
	int ret = error;

	if (!ret) {
		conn->rules = hello->rules;
		if (!local)
			calls_limit(conn->proxy, hello->rules.quota);
		ret = root_take(conn, hello->root, &welcome);
	}
	conn->greeted = !ret;
	if (!ret && !local) {
		greeted_add(conn);
		welcome.mount = conn->mount;
	}
	if (ret) {
		hello_refusal(conn->proxy, hello->id, ret, why, &out);
	} else {
		msg_start(&out, CCFS_HELLO, hello->id, 0);
		msg_put(&out, &welcome, sizeof(welcome));
	}
	conn_send(conn, &out);
	msg_free(&out);
	return ret;
}

static int take_hello(struct conn *conn, struct msg *in)
{
	struct hello hello = { .id = in->head.id };
	char why[256] = "";
	int ret = hello_open(conn->proxy, in, &hello, why, sizeof(why));

	return ret == -EPROTO ? ret : conn_greet(conn, &hello, ret, why);
}

/* 0, or -errno: the connection ends. */
static int conn_take(struct conn *conn, struct msg *in)
{
	const unsigned int op = in->head.op;
	struct msg out = { 0 };

	if (in->head.error)
		return -EPROTO;
	if (conn->greeted != (op != CCFS_HELLO))
		return -EPROTO;		/* HELLO first, and once */
	/* What the reader does itself it does as nobody in particular. */
	if ((op == CCFS_HELLO || op == CCFS_FORGET || op == CCFS_DROP ||
	     op == CCFS_EVENTS || op == CCFS_PING) && msg_skip_cred(in))
		return -EPROTO;
	switch (in->head.op) {
	case CCFS_HELLO:
		return take_hello(conn, in);
	case CCFS_FORGET:
		return conn_forget(conn, in);
	case CCFS_DROP:
		return take_drop(conn, in);
	case CCFS_EVENTS:
		if (conn->events_id || msg_end(in))
			return -EPROTO;
		if (conn->words.dev >= 0) {
			conn->events_id = in->head.id;
			return 0;
		}
		msg_start(&out, CCFS_EVENTS, in->head.id, 0);
		out.head.error = -EOPNOTSUPP;
		conn_send(conn, &out);
		msg_free(&out);
		return 0;
	case CCFS_PING:
		msg_start(&out, CCFS_PING, in->head.id, 0);
		conn_send(conn, &out);
		return 0;
	}
	return request_add(conn, in);
}

static void conn_free(struct conn *conn)
{
	greeted_remove(conn);
	pthread_mutex_lock(&conn->lock);
	while (conn->pending)
		pthread_cond_wait(&conn->fewer, &conn->lock);
	pthread_mutex_unlock(&conn->lock);
	locks_drop(conn);
	if (conn->greeted)
		nodes_exit(&conn->nodes);
	words_exit(&conn->words);
	close(conn->fd);
	pthread_mutex_destroy(&conn->send);
	pthread_mutex_destroy(&conn->lock);
	pthread_cond_destroy(&conn->fewer);
	free(conn);
}

/* Something has happened to what the client watches: its EVENTS is answered. */
static void conn_report(struct conn *conn)
{
	struct msg out = { 0 };
	int ret;

	msg_start(&out, CCFS_EVENTS, conn->events_id, 0);
	ret = watches_take(conn, &out);
	if (ret > 0)
		ret = conn_send(conn, &out) ? -ENOTCONN : 1;
	if (ret < 0 && ret != -ENOMEM) {
		log_say("what happens to watched files: %s", strerror(-ret));
		shutdown(conn->fd, SHUT_RDWR);
	}
	if (ret == -ENOMEM)
		usleep(10000);	/* then again */
	else if (ret)
		conn->events_id = 0;
	msg_free(&out);
}

/* The client is told which of its nodes have been removed: it will not be if it is busy. */
static void conn_sweep(struct conn *conn)
{
	uint64_t tell[NODE_TELLS];
	unsigned int n = nodes_sweep(&conn->nodes, tell);

	for (unsigned int i = 0; i < n; i++) {
		struct sharedpc_removed removed = { .mount = conn->mount, .node = tell[i] };

		ioctl(conn->proxy->files.dev, SHAREDPC_IOC_REMOVED, &removed);
	}
}

/* Wait for the next message, and look after nodes and what is watched meanwhile. */
static void conn_await(struct conn *conn)
{
	struct pollfd p[2] = {
		{ .fd = conn->fd, .events = POLLIN },
		{ .events = POLLIN },
	};
	struct timespec now;
	int64_t ms;
	int n;

	if (!conn->greeted)
		return;
	do {
		p[1].fd = conn->events_id ? conn->words.dev : -1;
		n = poll(p, 2, SWEEP_MS);
		/* Also when there are always requests. */
		if (n > 0 && p[1].revents)
			conn_report(conn);
		clock_gettime(CLOCK_MONOTONIC, &now);
		ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
		if (ms - conn->swept_ms >= SWEEP_MS) {
			conn->swept_ms = ms;
			conn_sweep(conn);
		}
	} while (n <= 0 || !p[0].revents);
}

static void *conn_reader(void *arg)
{
	struct conn *conn = arg;
	struct proxy *proxy = conn->proxy;
	struct msg in = { 0 };
	int ret = 0;

	if (conn->said)
		ret = conn_greet(conn, &conn->hello, 0, "");
	while (!ret) {
		conn_await(conn);
		ret = msg_recv(conn->fd, &in);
		if (!ret)
			ret = conn_take(conn, &in);
	}
	if (ret == -EPROTO)
		log_say("malformed message: connection closed");
	else if (conn->greeted)
		log_say("mount ended: %s", ret == -ENOTCONN ? "unmounted" : strerror(-ret));
	shutdown(conn->fd, SHUT_RDWR);
	msg_free(&in);
	conn_free(conn);
	life_conn_gone(&proxy->life);
	return NULL;
}

int conn_serve(struct proxy *proxy, int fd, const struct hello *hello)
{
	struct timeval tv = { .tv_sec = CONN_TIMEOUT };
	struct conn *conn = calloc(1, sizeof(*conn));
	pthread_t thread;
	int ret;

	if (!conn) {
		if (hello)
			close(hello->root);
		close(fd);
		return -ENOMEM;
	}
	conn->said = hello;
	if (hello)
		conn->hello = *hello;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	conn->proxy = proxy;
	conn->fd = fd;
	conn->words.dev = -1;
	pthread_mutex_init(&conn->send, NULL);
	pthread_mutex_init(&conn->lock, NULL);
	pthread_cond_init(&conn->fewer, NULL);
	ret = pthread_create(&thread, NULL, conn_reader, conn);
	if (ret) {
		if (hello)
			close(hello->root);
		conn_free(conn);
		return -ret;
	}
	pthread_detach(thread);
	return 0;
}
