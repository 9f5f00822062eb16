// SPDX-License-Identifier: GPL-2.0-only
/*
 * What sharedpc.ko is told of a mount and of files, fs/attach.c, and what FUSE is
 * told of a mount that is attached, or not: the module is played here.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#include "fs/ops.h"
#include "sharedpc_ioctl.h"

static const struct owner owner = { .dev = 7, .id = 3, .epoch = 4, .server = 5 };
static struct ccfs fs = { .owner.dev = -1, .attach.dev = -1 };
static bool absent;		/* there is no device */
static int refuse;		/* ATTACH and BACKING fail with this */
static struct sharedpc_attach attached;
static struct sharedpc_backing backing;
static int backing_dev;
static uint8_t tales[SHAREDPC_TELL_MAX] __attribute__((aligned(8)));
static struct sharedpc_tell told;
static int refused;		/* calls of a device that has gone */
static int replied = -1;	/* error; 0 */
static int ready_error;

int __wrap_open64(const char *path, int flags, ...);
int __real_open64(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_fuse_reply_err(fuse_req_t req, int err);
int __wrap_fuse_reply_open(fuse_req_t req, const struct fuse_file_info *fi);
void *__wrap_fuse_req_userdata(fuse_req_t req);

int __wrap_open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (strcmp(path, SHAREDPC_DEVICE))
		return __real_open64(path, flags, mode);
	errno = ENOENT;
	return absent ? -1 : __real_open64("/dev/zero", flags);
}

static bool is_device(int fd)
{
	char path[64], to[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, to, sizeof(to) - 1) > 0 && !strcmp(to, "/dev/zero");
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	errno = refuse;
	switch (request) {
	case SHAREDPC_IOC_ATTACH:
		attached = *(struct sharedpc_attach *)arg;
		assert_true(fcntl(attached.root, F_GETFL) & O_PATH);
		return refuse ? -1 : 0;
	case SHAREDPC_IOC_LEAVE:
		return 0;
	case SHAREDPC_IOC_BACKING:
		backing = *(struct sharedpc_backing *)arg;
		backing_dev = fd;
		return refuse ? -1 : 100;
	}
	assert_int_equal(request, SHAREDPC_IOC_TELL);
	errno = ENOTTY;
	refused += !is_device(fd);
	if (!is_device(fd))
		return -1;
	told = *(struct sharedpc_tell *)arg;
	assert_int_equal(told.tales % 8, 0);
	assert_true(told.bytes <= sizeof(tales));
	memcpy(tales, (void *)(uintptr_t)told.tales, told.bytes);
	return 0;
}

int __wrap_fuse_reply_err(fuse_req_t req, int err)
{
	replied = err;
	return 0;
}

int __wrap_fuse_reply_open(fuse_req_t req, const struct fuse_file_info *fi)
{
	assert_false(fi->cache_readdir);
	assert_false(fi->keep_cache);
	replied = 0;
	return 0;
}

void *__wrap_fuse_req_userdata(fuse_req_t req)
{
	return &fs;
}

static int open_fds(void)
{
	int fd = dup(0);

	close(fd);
	return fd;	/* the lowest that is free */
}

/* What ATTACH is asked for, with and without words; and nothing is left if it fails. */
static void attach(void **state)
{
	struct ccfs_welcome w = {
		.flags = CCFS_WELCOME_WORDS, .salt = 0x1122334455667788, .bits = 17,
		.root.ino = 99, .mount = 7,
	};
	struct attach a = { .dev = -1 };
	int root = open("/", O_PATH | O_CLOEXEC);
	int before = open_fds();

	assert_true(root >= 0);
	absent = true;
	assert_int_equal(attach_mount(&a, &owner, root, &w, 9, true), -ENOENT);
	absent = false;
	refuse = ENOTTY;	/* an older module */
	assert_int_equal(attach_mount(&a, &owner, root, &w, 9, true), -EOPNOTSUPP);
	refuse = EOPNOTSUPP;
	assert_int_equal(attach_mount(&a, &owner, root, &w, 9, true), -EOPNOTSUPP);
	refuse = EBUSY;
	assert_int_equal(attach_mount(&a, &owner, root, &w, 9, true), -EBUSY);
	refuse = 0;
	assert_int_equal(a.dev, -1);
	attach_end(&a);
	assert_int_equal(open_fds(), before);

	assert_int_equal(attach_mount(&a, &owner, root, &w, 9, true), 0);
	assert_true(a.remembers);
	assert_int_equal(attached.owner, 3);
	assert_int_equal(attached.epoch, 4);
	assert_int_equal(attached.flags, 0);
	assert_int_equal(attached.bits, 17);
	assert_int_equal(attached.salt, w.salt);
	assert_int_equal(attached.root_ino, 99);
	assert_int_equal(attached.server, 5);
	assert_int_equal(attached.mount, 7);
	assert_int_equal(attached.generation, 9);
	attach_end(&a);
	close(a.dev);
	close(a.null);
	/* nobody wants it remembered */
	assert_int_equal(attach_mount(&a, &owner, root, &w, 9, false), 0);
	assert_false(a.remembers);
	assert_int_equal(attached.flags, SHAREDPC_ATTACH_FORGET);
	assert_int_equal(attached.mount, 7);
	attach_end(&a);
	close(a.dev);
	close(a.null);
	w = (struct ccfs_welcome) { .root.ino = 99 };
	assert_int_equal(attach_mount(&a, &owner, root, &w, 9, true), 0);
	assert_false(a.remembers);
	assert_int_equal(attached.flags, SHAREDPC_ATTACH_FORGET);
	fs.attach = a;
}

static const struct ccfs_attr attr = {
	.ino = 11, .size = 12, .blocks = 13, .atime = 14, .mtime = 15, .ctime = 16,
	.atime_ns = 17, .mtime_ns = 18, .ctime_ns = 19, .mode = S_IFREG | 0640,
	.nlink = 20, .uid = 21, .gid = 22, .blksize = 23, .gen = 24,
	.flags = SHAREDPC_LOOK_XATTR,
};

/* One tale has all of the attributes. */
static void tell_one(void **state)
{
	const struct tale_name name = { .dir = 31, .name = "name", .len = 4, .gen = 32 };
	const struct sharedpc_tale *t = (const void *)tales;

	attach_tell(&fs.attach, 30, &attr, NULL);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.bytes, sizeof(*t));
	assert_int_equal(t->node, 30);
	assert_int_equal(t->dir, 0);
	assert_int_equal(t->name_len, 0);
	attach_tell(&fs.attach, 30, &attr, &name);
	assert_int_equal(told.bytes, sizeof(*t) + 8);
	assert_memory_equal(t, (&(struct sharedpc_tale) {
		.node = 30, .gen = 24, .dir = 31, .name_gen = 32, .ino = 11,
		.size = 12, .blocks = 13, .atime = 14, .mtime = 15, .ctime = 16,
		.atime_ns = 17, .mtime_ns = 18, .ctime_ns = 19,
		.mode = S_IFREG | 0640, .nlink = 20, .uid = 21, .gid = 22,
		.blksize = 23, .flags = SHAREDPC_LOOK_XATTR, .name_len = 4,
	}), sizeof(*t));
	assert_memory_equal(t + 1, "name\0\0\0", 8);
}

/* Many, as far as there is room: first the texts go, then whole tales. */
static void tell_many(void **state)
{
	char longest[CCFS_PATH_MAX];
	const struct tale_name name = {
		.dir = 31, .name = "n", .len = 1, .gen = 32,
		.text = longest, .text_len = sizeof(longest),
	};
	const struct sharedpc_tale *t = (const void *)tales;
	struct tales many = { 0 };
	uint32_t at = 0;

	memset(longest, 'x', sizeof(longest));
	tales_tell(&fs.attach, &many);		/* none: nothing is said */
	for (int i = 0; i < 200; i++)
		tales_add(&many, 100 + i, &attr, &name);
	told.count = 0;
	tales_tell(&fs.attach, &many);
	assert_null(many.data);
	assert_in_range(told.count, 16, 199);
	for (uint32_t i = 0; i < told.count; i++) {
		t = (const void *)(tales + at);
		assert_int_equal(t->node, 100 + i);
		assert_int_equal(t->name_len, 1);
		assert_int_equal(t->text_len, i < 15 ? sizeof(longest) : 0);
		at += (sizeof(*t) + 1 + t->text_len + 7) & ~7;
	}
	assert_int_equal(at, told.bytes);
}

/* The owner is gone: the device is closed, and its number means nothing else. */
static void end(void **state)
{
	int dev = fs.attach.dev;

	refused = 0;
	assert_true(is_device(dev));
	attach_end(&fs.attach);
	assert_false(is_device(dev));
	attach_tell(&fs.attach, 30, &attr, NULL);
	assert_int_equal(refused, 1);
	assert_true(fcntl(dev, F_GETFD) & FD_CLOEXEC);
	attach_end(&fs.attach);
	/* and to FUSE it remains what it was at first */
	op_opendir(NULL, 1, &(struct fuse_file_info){ 0 });
	assert_int_equal(replied, ENOSYS);
	fs.attach.dev = -1;
	op_opendir(NULL, 1, &(struct fuse_file_info){ 0 });
	assert_int_equal(replied, 0);
	attach_tell(&fs.attach, 30, &attr, NULL);
	assert_int_equal(refused, 1);
}

static void backing_file(void **state)
{
	const struct ccfs_open o = { .file = 5, .size_phys = 6, .identity = 7 };
	struct owner none = { .dev = -1 };

	assert_int_equal(owner_backing(&none, -1, 8, &o, false), -ENODEV);
	assert_int_equal(owner_backing(&owner, -1, 8, &o, false), 100);
	assert_int_equal(backing_dev, 7);
	assert_int_equal(backing.flags, 0);
	assert_int_equal(owner_backing(&owner, 9, 8, &o, true), 100);
	assert_int_equal(backing_dev, 9);
	assert_int_equal(backing.owner, 3);
	assert_int_equal(backing.epoch, 4);
	assert_int_equal(backing.server, 5);
	assert_int_equal(backing.file, 5);
	assert_int_equal(backing.size_phys, 6);
	assert_int_equal(backing.identity, 7);
	assert_int_equal(backing.node, 8);
	assert_int_equal(backing.flags, SHAREDPC_BACKING_KEEP);
}

static void is_ready(struct ccfs *f, int error)
{
	ready_error = error;
}

/* What INIT asks for: bits of @want among those of @set or not. */
static uint64_t init(int dev, bool remembers)
{
	struct fuse_conn_info conn = {
		.proto_major = 7, .proto_minor = 40,
		.capable = ~0u, .capable_ext = ~0ull,
		.want = FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_READDIRPLUS |
			FUSE_CAP_READDIRPLUS_AUTO,
	};

	conn.want_ext = conn.want;
	fs.attach.dev = dev;
	fs.attach.remembers = remembers;
	fs.ready = is_ready;
	ready_error = 1;
	ccfs_ops.init(&fs, &conn);
	assert_int_equal(ready_error, 0);
	fs.attach.dev = -1;
	return conn.want_ext;
}

static void init_flags(void **state)
{
	uint64_t both = FUSE_CAP_PASSTHROUGH | FUSE_CAP_DONT_MASK;
	uint64_t want = init(-1, false);

	assert_int_equal(want & (both | FUSE_CAP_POSIX_ACL), both | FUSE_CAP_POSIX_ACL);
	assert_int_equal(want & (FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
				 FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_WRITEBACK_CACHE), 0);
	want = init(0, true);
	both |= FUSE_CAP_READDIRPLUS | FUSE_CAP_CACHE_SYMLINKS;
	assert_int_equal(want & both, both);
	assert_int_equal(want & (FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_POSIX_ACL |
				 FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_WRITEBACK_CACHE), 0);
	/* attributes of a listing that nobody remembers would only come late */
	want = init(0, false);
	both &= ~FUSE_CAP_READDIRPLUS;
	assert_int_equal(want & both, both);
	assert_int_equal(want & (FUSE_CAP_READDIRPLUS | FUSE_CAP_POSIX_ACL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attach),
		cmocka_unit_test(tell_one),
		cmocka_unit_test(tell_many),
		cmocka_unit_test(end),
		cmocka_unit_test(backing_file),
		cmocka_unit_test(init_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
