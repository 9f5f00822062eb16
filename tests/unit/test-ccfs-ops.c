// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ccfs makes of FUSE's requests, fs/ops.c: on whose behalf a request
 * goes out, and that none does when its caller is not known well enough; what FUSE
 * is told of the owner's answer.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "fs/ops.h"

static struct fuse_ctx caller;
static int groups;		/* of the caller; negative: cannot be found */
static int groups_errno;	/* and libfuse has failed with this */
static int grows;		/* and as many more at each look */
static int replied;		/* the last error */
static size_t written;		/* or count */
static struct ccfs fs = { .owner.dev = -1, .attach.dev = -1 };

int __wrap_fuse_req_getgroups(fuse_req_t req, int size, gid_t list[]);
const struct fuse_ctx *__wrap_fuse_req_ctx(fuse_req_t req);
int __wrap_fuse_reply_err(fuse_req_t req, int error);
int __wrap_fuse_reply_write(fuse_req_t req, size_t count);
void *__wrap_fuse_req_userdata(fuse_req_t req);

int __wrap_fuse_req_getgroups(fuse_req_t req, int size, gid_t list[])
{
	int n = groups;

	errno = groups_errno;

	for (int i = 0; i < n && i < size; i++)
		list[i] = 1000 + i;
	groups += grows;
	return n;
}

const struct fuse_ctx *__wrap_fuse_req_ctx(fuse_req_t req)
{
	return &caller;
}

int __wrap_fuse_reply_err(fuse_req_t req, int error)
{
	replied = error;
	return 0;
}

int __wrap_fuse_reply_write(fuse_req_t req, size_t count)
{
	written = count;
	return 0;
}

void *__wrap_fuse_req_userdata(fuse_req_t req)
{
	return &fs;
}

/* A request of a user with @n groups is written: 0 and all are in it. */
static int asked(int n)
{
	struct ccfs_cred cred;
	uint32_t *list = NULL;
	struct msg m = { 0 };
	int ret;

	groups = n;
	ask(&m, NULL, CCFS_GETATTR, CCFS_ROOT);
	ret = m.error;
	if (!ret) {
		assert_int_equal(msg_get_cred(&m, &cred, &list), 0);
		assert_int_equal(msg_end(&m), 0);
		assert_int_equal(cred.uid, caller.uid);
		assert_true((int)cred.ngroups >= (n > 0 ? n : 0));
		for (uint32_t i = 0; i < cred.ngroups; i++)
			assert_int_equal(list[i], 1000 + i);
	}
	free(list);
	msg_free(&m);
	return ret;
}

static void user_groups(void **state)
{
	caller = (struct fuse_ctx) { .uid = 1234, .gid = 1234, .pid = 1 };
	grows = 0;
	assert_int_equal(asked(0), 0);
	assert_int_equal(asked(1), 0);
	assert_int_equal(asked(32), 0);
	assert_int_equal(asked(33), 0);
	assert_int_equal(asked(CCFS_GROUPS_MAX), 0);
	grows = 7;
	assert_int_equal(asked(30), 0);
	/* never as somebody who has fewer groups than the caller */
	assert_int_equal(asked(40), -EACCES);	/* grows for ever */
	grows = 0;
	assert_int_equal(asked(CCFS_GROUPS_MAX + 1), -EACCES);
	assert_int_equal(asked(-ENOENT), -EACCES);	/* has ended */
	caller.pid = 0;
	assert_int_equal(asked(-ENOENT), -EACCES);
	/* not the caller's fault, and libfuse says EIO of it */
	assert_int_equal(asked(-ENOMEM), -ENOMEM);
	groups_errno = EMFILE;
	assert_int_equal(asked(-EIO), -ENOMEM);
	groups_errno = ENFILE;
	assert_int_equal(asked(-EIO), -ENOMEM);
	groups_errno = ENOENT;
	assert_int_equal(asked(-EIO), -EACCES);
	groups_errno = 0;
}

static void root_has_none(void **state)
{
	caller = (struct fuse_ctx) { .pid = 1 };
	assert_int_equal(asked(-ENOENT), 0);
}

/* What the owner's file system cannot do on one file it may do on the next. */
static void errors(void **state)
{
	answer_error(NULL, -ENOSPC);
	assert_int_equal(replied, ENOSPC);
	answer_error(NULL, -ENOSYS);
	assert_int_equal(replied, EOPNOTSUPP);
	answer_error(NULL, -EPROTO);
	assert_int_equal(replied, EIO);
	answer_error(NULL, -ENOTCONN);
	assert_int_equal(replied, EIO);
}

/* The owner, once: what it was asked, and what it answers. */
struct owner_once {
	pthread_t thread;
	int fd;
	struct msg in;
	int error;
	uint64_t count;
};

static void *owner_run(void *arg)
{
	struct owner_once *o = arg;
	struct msg out = { 0 };

	if (!msg_recv(o->fd, &o->in)) {
		msg_start(&out, o->in.head.op, o->in.head.id, 0);
		out.head.error = o->error;
		if (!o->error)
			msg_put(&out, &o->count, sizeof(o->count));
		msg_send(o->fd, &out);
	}
	msg_free(&out);
	return NULL;
}

static void owner_start(struct owner_once *o, int error, uint64_t count)
{
	static int peer;
	int fd[2];

	if (!peer) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
		conn_init(&fs.conn, fd[0], &fs.owner);
		assert_int_equal(conn_start(&fs.conn), 0);
		assert_int_equal(slow_start(&fs.slow, &fs.conn), 0);
		peer = fd[1];
	}
	*o = (struct owner_once) { .fd = peer, .error = error, .count = count };
	assert_int_equal(pthread_create(&o->thread, NULL, owner_run, o), 0);
}

/* What LOOKUP makes of @error; all but ENOMEM unmounts what is mounted there. */
static int looked_up(int error)
{
	struct owner_once o;

	owner_start(&o, error, 0);
	op_lookup(NULL, CCFS_ROOT, "name");
	pthread_join(o.thread, NULL);
	msg_free(&o.in);
	return replied;
}

static void lookup_errors(void **state)
{
	caller = (struct fuse_ctx) { .pid = 1 };
	assert_int_equal(looked_up(-ENOENT), ENOENT);
	assert_int_equal(looked_up(-EACCES), EACCES);
	assert_int_equal(looked_up(-EMFILE), ENOMEM);
	assert_int_equal(looked_up(-ENFILE), ENOMEM);
	assert_int_equal(looked_up(-ENOBUFS), ENOMEM);
	assert_int_equal(looked_up(-ENOMEM), ENOMEM);
}

/* A copy in parts; a refusal has the kernel copy. */
static void copy(void **state)
{
	struct owner_once o;
	struct ccfs_cred cred;
	struct ccfs_copy c;

	caller = (struct fuse_ctx) { .pid = 1 };
	owner_start(&o, 0, 16 << 20);
	op_copy(NULL, 2, 5, NULL, 3, 6, NULL, SIZE_MAX >> 1, 0);
	pthread_join(o.thread, NULL);
	slow_end(&fs.slow);
	assert_int_equal(written, 16 << 20);
	assert_int_equal(msg_get(&o.in, &cred, sizeof(cred)), 0);
	assert_int_equal(msg_get(&o.in, &c, sizeof(c)), 0);
	assert_int_equal(c.len, 16 << 20);
	assert_int_equal(c.pos_in, 5);
	assert_int_equal(c.pos_out, 6);
	msg_free(&o.in);
	owner_start(&o, -EXDEV, 0);
	op_copy(NULL, 2, 5, NULL, 3, 6, NULL, 1, 0);
	pthread_join(o.thread, NULL);
	slow_end(&fs.slow);
	assert_int_equal(replied, EOPNOTSUPP);
	msg_free(&o.in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_groups),
		cmocka_unit_test(root_has_none),
		cmocka_unit_test(errors),
		cmocka_unit_test(lookup_errors),
		cmocka_unit_test(copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
