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
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "fs/inode.h"
#include "fs/ops.h"
#include "sharedpc_ioctl.h"

static struct fuse_ctx caller;
static int groups;		/* of the caller; negative: cannot be found */
static int groups_errno;	/* and libfuse has failed with this */
static int grows;		/* and as many more at each look */
static int replied;		/* the last error */
static size_t written;		/* or count */
static struct {
	struct sharedpc_tale tale;
	char name[32];
} said[4];			/* since the last answer */
static int tales;		/* of them */
static int answered;		/* how many there were when FUSE got its answer */
static uint64_t shown_ino;	/* of the file in that */
static struct sharedpc_backing backing;
static int backing_dev;
static struct ccfs fs = { .owner.dev = -1, .attach.dev = -1 };

int __wrap_fuse_req_getgroups(fuse_req_t req, int size, gid_t list[]);
const struct fuse_ctx *__wrap_fuse_req_ctx(fuse_req_t req);
int __wrap_fuse_reply_err(fuse_req_t req, int error);
int __wrap_fuse_reply_write(fuse_req_t req, size_t count);
void *__wrap_fuse_req_userdata(fuse_req_t req);
int __wrap_fuse_reply_entry(fuse_req_t req, const struct fuse_entry_param *e);
int __wrap_fuse_reply_attr(fuse_req_t req, const struct stat *st, double timeout);
int __wrap_fuse_reply_create(fuse_req_t req, const struct fuse_entry_param *e,
			     const struct fuse_file_info *fi);
int __wrap_fuse_reply_open(fuse_req_t req, const struct fuse_file_info *fi);
int __wrap_fuse_passthrough_open(fuse_req_t req, int fd);
int __wrap_fuse_passthrough_close(fuse_req_t req, int id);
int __wrap_ioctl(int fd, unsigned long request, void *arg);

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
	answered = tales;
	tales = 0;
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

static int shown(const struct stat *st)
{
	shown_ino = st->st_ino;
	answered = tales;
	tales = 0;
	replied = 0;
	return 0;
}

int __wrap_fuse_reply_entry(fuse_req_t req, const struct fuse_entry_param *e)
{
	assert_true(e->entry_timeout == 0 && e->attr_timeout == 0);
	return shown(&e->attr);
}

int __wrap_fuse_reply_attr(fuse_req_t req, const struct stat *st, double timeout)
{
	assert_true(timeout == 0);
	return shown(st);
}

int __wrap_fuse_reply_create(fuse_req_t req, const struct fuse_entry_param *e,
			     const struct fuse_file_info *fi)
{
	return shown(&e->attr);
}

int __wrap_fuse_reply_open(fuse_req_t req, const struct fuse_file_info *fi)
{
	replied = 0;
	return 0;
}

int __wrap_fuse_passthrough_open(fuse_req_t req, int fd)
{
	return 1;
}

int __wrap_fuse_passthrough_close(fuse_req_t req, int id)
{
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	const struct sharedpc_tell *tell = arg;
	const char *at;

	if (request == SHAREDPC_IOC_BACKING) {
		backing = *(struct sharedpc_backing *)arg;
		backing_dev = fd;
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	}
	assert_int_equal(request, SHAREDPC_IOC_TELL);
	assert_int_equal(fd, fs.attach.dev);
	assert_int_equal(tell->count, 1);
	at = (const char *)(uintptr_t)tell->tales;
	assert_true(tales < 4);
	memcpy(&said[tales].tale, at, sizeof(said[0].tale));
	memcpy(said[tales].name, at + sizeof(said[0].tale),
	       said[tales].tale.name_len);
	said[tales].name[said[tales].tale.name_len] = '\0';
	tales++;
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

/* The owner, once: what it was asked, and what it answers. */
struct owner_once {
	pthread_t thread;
	int fd;
	struct msg in;
	int error;
	uint64_t count;
	const void *data;	/* instead of count */
	size_t len;
};

static void *owner_run(void *arg)
{
	struct owner_once *o = arg;
	struct msg out = { 0 };

	if (!msg_recv(o->fd, &o->in)) {
		msg_start(&out, o->in.head.op, o->in.head.id, 0);
		out.head.error = o->error;
		if (!o->error && o->data)
			msg_put(&out, o->data, o->len);
		else if (!o->error)
			msg_put(&out, &o->count, sizeof(o->count));
		msg_send(o->fd, &out);
	}
	msg_free(&out);
	return NULL;
}

/* @o is an answer, but for the stream. */
static void owner_answers(struct owner_once *o)
{
	static int peer;
	int fd[2];

	if (!peer) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
		conn_init(&fs.conn, fd[0], &fs.owner);
		assert_int_equal(conn_start(&fs.conn), 0);
		assert_int_equal(forgets_start(&fs.forgets, &fs.conn), 0);
		assert_int_equal(slow_start(&fs.slow, &fs.conn), 0);
		peer = fd[1];
	}
	o->fd = peer;
	assert_int_equal(pthread_create(&o->thread, NULL, owner_run, o), 0);
}

static void owner_start(struct owner_once *o, int error, uint64_t count)
{
	*o = (struct owner_once) { .error = error, .count = count };
	owner_answers(o);
}

static void owner_shows(struct owner_once *o, const void *data, size_t len)
{
	*o = (struct owner_once) { .data = data, .len = len };
	owner_answers(o);
}

static void owner_end(struct owner_once *o)
{
	pthread_join(o->thread, NULL);
	msg_free(&o->in);
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

/* A file that is shown, and a directory after a change in it. */
#define FILE_NOW	{ .node = 9, .name_gen = 8, .attr = {		\
				.ino = 7, .mode = S_IFREG | 0600, .gen = 6 } }
#define DIR_NOW(n)	{ .ino = n, .mode = S_IFDIR | 0700, .gen = 100 + n }

/* An entry, as the owner shows it, an open of it, and where it is. */
static const struct {
	struct ccfs_entry e;
	struct ccfs_open o;
	struct ccfs_attr dir;
} made = {
	.e = FILE_NOW,
	.o = { .file = 77, .size_phys = 4096 },
	.dir = DIR_NOW(50),
};

/* Without an open. */
static const struct {
	struct ccfs_entry e;
	struct ccfs_attr dir;
} named = {
	.e = FILE_NOW,
	.dir = DIR_NOW(50),
};

/* FUSE was shown the file, after @n tales, of which the first is of the file. */
static void told_file(uint64_t dir, const char *name, int n)
{
	const struct sharedpc_tale *t = &said[0].tale;

	assert_int_equal(replied, 0);
	assert_int_equal(answered, n);
	assert_int_equal(shown_ino, 7);
	assert_int_equal(t->node, 9);
	assert_int_equal(t->ino, 7);
	assert_int_equal(t->gen, 6);
	assert_int_equal(t->dir, dir);
	assert_int_equal(t->name_gen, dir ? 8 : 0);
	assert_string_equal(said[0].name, name);
}

/* The tale @i is of directory @node, whose inode is @ino, and has no name. */
static void told_dir(int i, uint64_t node, uint64_t ino)
{
	const struct sharedpc_tale *t = &said[i].tale;

	assert_int_equal(replied, 0);
	assert_true(i < answered);
	assert_int_equal(t->node, node);
	assert_int_equal(t->ino, ino);
	assert_int_equal(t->gen, 100 + ino);
	assert_int_equal(t->mode, S_IFDIR | 0700);
	assert_int_equal(t->dir, 0);
	assert_int_equal(t->name_len, 0);
}

/* What was made as @name in @dir is told, and so is @dir. */
static void told_made(uint64_t dir, const char *name)
{
	told_file(dir, name, 2);
	told_dir(1, dir, 50);
}

/* Each answer that shows a file is told before FUSE gets it, no other is. */
static void tells(void **state)
{
	struct owner_once o;
	struct stat st = { 0 };

	caller = (struct fuse_ctx) { .pid = 1 };
	fs.attach.dev = 1000;
	owner_shows(&o, &named.e, sizeof(named.e));
	op_lookup(NULL, 5, "name");
	owner_end(&o);
	told_file(5, "name", 1);
	owner_shows(&o, &named.e.attr, sizeof(named.e.attr));
	op_getattr(NULL, 9, NULL);
	owner_end(&o);
	told_file(0, "", 1);
	owner_shows(&o, &named.e.attr, sizeof(named.e.attr));
	op_setattr(NULL, 9, &st, FUSE_SET_ATTR_MODE, NULL);
	owner_end(&o);
	told_file(0, "", 1);
	assert_int_equal(looked_up(-ENOENT), ENOENT);
	assert_int_equal(answered, 0);
	fs.attach.dev = -1;
	owner_shows(&o, &named.e, sizeof(named.e));
	op_lookup(NULL, 5, "name");
	owner_end(&o);
	assert_int_equal(answered, 0);
}

/* How the file is once an extended attribute has changed. */
static void tells_xattr(void **state)
{
	struct owner_once o;

	caller = (struct fuse_ctx) { .pid = 1 };
	fs.attach.dev = 1000;
	shown_ino = 7;		/* FUSE is not shown it here */
	owner_shows(&o, &named.e.attr, sizeof(named.e.attr));
	op_setxattr(NULL, 9, "user.x", "y", 1, 0);
	owner_end(&o);
	told_file(0, "", 1);
	owner_shows(&o, &named.e.attr, sizeof(named.e.attr));
	op_removexattr(NULL, 9, "user.x");
	owner_end(&o);
	told_file(0, "", 1);
	owner_start(&o, -ENODATA, 0);
	op_removexattr(NULL, 9, "user.x");
	owner_end(&o);
	assert_int_equal(replied, ENODATA);
	assert_int_equal(answered, 0);
	fs.attach.dev = -1;
}

/* What is made is told with the directory, which is another one now. */
static void tells_made(void **state)
{
	struct owner_once o;

	caller = (struct fuse_ctx) { .pid = 1 };
	fs.attach.dev = 1000;
	owner_shows(&o, &named, sizeof(named));
	op_mknod(NULL, 5, "fifo", S_IFIFO | 0600, 0);
	owner_end(&o);
	told_made(5, "fifo");
	owner_shows(&o, &named, sizeof(named));
	op_mkdir(NULL, 5, "dir", 0700);
	owner_end(&o);
	told_made(5, "dir");
	owner_shows(&o, &named, sizeof(named));
	op_symlink(NULL, "text", 5, "soft");
	owner_end(&o);
	told_made(5, "soft");
	owner_shows(&o, &named, sizeof(named));
	op_link(NULL, 9, 6, "hard");
	owner_end(&o);
	told_made(6, "hard");
	owner_shows(&o, &named.e, sizeof(named.e));	/* not all that it has to be */
	op_mkdir(NULL, 5, "dir", 0700);
	owner_end(&o);
	assert_int_equal(replied, EIO);
	fs.attach.dev = -1;
}

/* What UNLINK or RMDIR makes of the owner's answer: what FUSE gets. */
static int removed(unsigned int op, const struct ccfs_attr *dir, int error)
{
	struct owner_once o = { .data = dir, .len = sizeof(*dir), .error = error };

	owner_answers(&o);
	if (op == CCFS_UNLINK)
		op_unlink(NULL, 5, "name");
	else
		op_rmdir(NULL, 5, "name");
	owner_end(&o);
	return replied;
}

/* What is removed or moved is told of as its directories; what is not, is not. */
static void tells_gone(void **state)
{
	const struct ccfs_attr dirs[2] = { DIR_NOW(50), DIR_NOW(60) };
	const struct ccfs_attr unread = { 0 };
	struct owner_once o;

	caller = (struct fuse_ctx) { .pid = 1 };
	fs.attach.dev = 1000;
	for (int op = CCFS_UNLINK; op <= CCFS_RMDIR; op++) {
		assert_int_equal(removed(op, dirs, 0), 0);
		assert_int_equal(answered, 1);
		told_dir(0, 5, 50);
		assert_int_equal(removed(op, &unread, 0), 0);
		assert_int_equal(answered, 0);
		assert_int_equal(removed(op, dirs, -EACCES), EACCES);
		assert_int_equal(answered, 0);
	}
	owner_shows(&o, dirs, sizeof(dirs));
	op_rename(NULL, 5, "name", 6, "new", 0);
	owner_end(&o);
	assert_int_equal(answered, 2);
	told_dir(0, 5, 50);
	told_dir(1, 6, 60);
	owner_start(&o, -EXDEV, 0);
	op_rename(NULL, 5, "name", 6, "new", 0);
	owner_end(&o);
	assert_int_equal(replied, EXDEV);
	assert_int_equal(answered, 0);
	fs.attach.dev = -1;
}

static void id_close(void *arg, int id)
{
}

/* Open it with @flags when the owner's answer has @of: what BACKING is asked for. */
static unsigned int kept(int flags, unsigned int of)
{
	struct fuse_file_info fi = { .flags = flags };
	struct ccfs_open open = made.o;
	struct owner_once o;

	open.flags = of;
	owner_shows(&o, &open, sizeof(open));
	op_open(NULL, 9, &fi);
	owner_end(&o);
	assert_int_equal(replied, 0);
	assert_int_equal(backing.file, 77);
	assert_int_equal(backing.node, 9);
	inode_release(9, &(struct backing_ops){ .close = id_close }, NULL);
	return backing.flags;
}

/* What is open for reading alone is kept, where anything is remembered. */
static void keeps(void **state)
{
	struct fuse_file_info fi = { .flags = O_RDWR };
	struct owner_once o;

	caller = (struct fuse_ctx) { .pid = 1 };
	fs.owner.dev = 999;
	fs.attach.dev = 1000;
	fs.attach.remembers = true;
	assert_int_equal(kept(O_RDONLY, 0), SHAREDPC_BACKING_KEEP);
	assert_int_equal(backing_dev, 1000);
	assert_int_equal(kept(O_RDONLY, CCFS_OPEN_WRITABLE), 0);
	assert_int_equal(kept(O_RDWR, 0), 0);
	assert_int_equal(kept(O_WRONLY, CCFS_OPEN_WRITABLE), 0);
	owner_shows(&o, &made, sizeof(made));
	op_create(NULL, 5, "new", 0600, &fi);
	owner_end(&o);
	told_made(5, "new");
	assert_int_equal(backing.flags, 0);
	assert_int_equal(backing.node, 9);
	fs.attach.remembers = false;
	assert_int_equal(kept(O_RDONLY, 0), 0);
	assert_int_equal(backing_dev, 1000);
	fs.attach.dev = -1;
	assert_int_equal(kept(O_RDONLY, 0), 0);
	assert_int_equal(backing_dev, 999);
	fs.owner.dev = -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_groups),
		cmocka_unit_test(root_has_none),
		cmocka_unit_test(errors),
		cmocka_unit_test(lookup_errors),
		cmocka_unit_test(copy),
		cmocka_unit_test(tells),
		cmocka_unit_test(tells_xattr),
		cmocka_unit_test(tells_made),
		cmocka_unit_test(tells_gone),
		cmocka_unit_test(keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
