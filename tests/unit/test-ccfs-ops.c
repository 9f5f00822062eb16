// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ccfs makes of FUSE's requests, fs/ops.c: on whose behalf a request
 * goes out, and that none does when its caller is not known well enough.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fs/ops.h"

static struct fuse_ctx caller;
static int groups;		/* of the caller; negative: cannot be found */
static int grows;		/* and as many more at each look */
static int replied;		/* the last error */

static int groups_errno;	/* and libfuse has failed with this */
int __wrap_fuse_req_getgroups(fuse_req_t req, int size, gid_t list[]);
const struct fuse_ctx *__wrap_fuse_req_ctx(fuse_req_t req);
int __wrap_fuse_reply_err(fuse_req_t req, int error);

int __wrap_fuse_req_getgroups(fuse_req_t req, int size, gid_t list[])
{
	int n = groups;

	for (int i = 0; i < n && i < size; i++)
		list[i] = 1000 + i;
	groups += grows;
	return n;
}

const struct fuse_ctx *__wrap_fuse_req_ctx(fuse_req_t req)
	errno = groups_errno;

{
	return &caller;
}

int __wrap_fuse_reply_err(fuse_req_t req, int error)
{
	replied = error;
	return 0;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_groups),
		cmocka_unit_test(root_has_none),
		cmocka_unit_test(errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
