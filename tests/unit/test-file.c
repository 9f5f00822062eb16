// SPDX-License-Identifier: GPL-2.0-only
/*
 * The open files of a client on another image, proxyd/data/file.c and window.c,
 * without sharedpc.ko: its ioctls are answered here, and a list of maps is
 * kept as it keeps one.
 */
#include "proxy-test.h"
#include "fds.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "proxyd/data/call.h"
#include "proxyd/data/window.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_wire.h"

#define WINDOW	(WINDOW_PAGES * PAGE)
#define MAPS	8

static pthread_mutex_t maps_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sharedpc_map maps[MAPS];	/* .pages: 0, free; maps_lock */
static int fail_fixed;		/* the how manieth mmap over another one fails */
static off_t synced_at;		/* position of the struct file that was synced */
static int sync_error;
static int calls[2];		/* what NEXT hands out; SEQPACKET */
static int replies[2];		/* and what is answered */
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;	/* held: it hangs */

static int do_reopen(const struct sharedpc_reopen *want)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", want->fd);
	return open(path, want->flags | O_CLOEXEC);
}

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __real_ioctl(int fd, unsigned long request, void *arg);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t at);
void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t at);
int __wrap_fsync(int fd);

static struct sharedpc_map *map_find(const struct sharedpc_map *key)
{
	for (int i = 0; i < MAPS; i++)
		if (maps[i].pages && maps[i].file == key->file &&
		    maps[i].index == key->index)
			return &maps[i];
	return NULL;
}

static int do_map(const struct sharedpc_map *map)
{
	errno = EEXIST;
	if (map_find(map))
		return -1;
	for (int i = 0; i < MAPS; i++) {
		if (maps[i].pages)
			continue;
		maps[i] = *map;
		return 0;
	}
	errno = ENOSPC;
	return -1;
}

static int do_unmap(const struct sharedpc_map *map)
{
	struct sharedpc_map *found = map_find(map);

	errno = ENOENT;
	if (!found)
		return -1;
	found->pages = 0;
	return 0;
}

static int locked(int (*run)(const struct sharedpc_map *), void *arg)
{
	int ret;

	pthread_mutex_lock(&maps_lock);
	ret = run(arg);
	pthread_mutex_unlock(&maps_lock);
	return ret;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	switch (request) {
	case SHAREDPC_IOC_SIZE:
		((struct sharedpc_size *)arg)->phys = 4096;
		return 0;
	case SHAREDPC_IOC_UNSIZE:
		return 0;
	case SHAREDPC_IOC_REOPEN:
		return do_reopen(arg);
	case SHAREDPC_IOC_MAP:
		return locked(do_map, arg);
	case SHAREDPC_IOC_UNMAP:
		return locked(do_unmap, arg);
	case SHAREDPC_IOC_NEXT:
		while (((struct sharedpc_call *)arg)->flags & SHAREDPC_NEXT_NAMES)
			pause();
		return recv(calls[1], arg, sizeof(struct sharedpc_call), 0) < 0 ? -1 : 0;
	case SHAREDPC_IOC_REPLY:
		return send(replies[1], arg, sizeof(struct sharedpc_reply), 0) < 0 ? -1 : 0;
	}
	return __real_ioctl(fd, request, arg);
}

void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t at)
{
	if ((flags & MAP_FIXED) && fail_fixed && !--fail_fixed) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return __real_mmap64(addr, len, prot, flags, fd, at);
}

int __wrap_fsync(int fd)
{
	pthread_mutex_lock(&disk);
	synced_at = lseek(fd, 0, SEEK_CUR);
	pthread_mutex_unlock(&disk);
	errno = sync_error;
	return sync_error ? -1 : 0;
}

static int nmaps(void)
{
	int n = 0;

	pthread_mutex_lock(&maps_lock);
	for (int i = 0; i < MAPS; i++)
		n += !!maps[i].pages;
	pthread_mutex_unlock(&maps_lock);
	return n;
}

static void none_left(void)
{
	for (int ms = 0; (nmaps() || files_count(&proxy.files)) && ms < 5000; ms += 10)
		usleep(10000);
	assert_int_equal(nmaps(), 0);
	assert_int_equal(files_count(&proxy.files), 0);
}

/* Touch page @index: where it is, mapped. */
static char *touch(uint64_t id, uint64_t index)
{
	struct file *file = file_get(&proxy.files, id);
	uint64_t pages;
	int error = 0;
	char *addr;

	assert_non_null(file);
	addr = file_map(&proxy.files, file, index, &pages, &error);
	assert_non_null(addr);
	pthread_rwlock_unlock(&file->map);
	file_put(&proxy.files, file);
	return addr;
}

static bool mapped(const char *addr)
{
	unsigned char vec;

	return !mincore((void *)addr, PAGE, &vec);
}

/* A reader's windows become a writer's, at the same place. */
static void test_upgrade(void **state)
{
	struct ccfs_open o, p;
	uint64_t node;
	char *addr;

	put_file("rw/up", "abc", 0644);
	node = lookup(CCFS_ROOT, "up");
	assert_int_equal(open_node(node, O_RDONLY, &root, &o), 0);
	addr = touch(o.file, 0);
	touch(o.file, WINDOW_PAGES);
	assert_int_equal(nmaps(), 2);
	assert_int_equal(open_node(node, O_RDWR, &root, &p), 0);
	assert_int_equal(p.file, o.file);
	assert_int_equal(nmaps(), 2);
	assert_ptr_equal(touch(o.file, 0), addr);
	addr[0] = 'A';
	drop(&o);
	drop(&p);
	none_left();
}

/* If that fails nothing stays mapped that nobody knows, and reading goes on. */
static void test_upgrade_fails(void **state)
{
	struct ccfs_open o, p;
	char *addr[2];
	uint64_t node;

	put_file("rw/fail", "abc", 0644);
	node = lookup(CCFS_ROOT, "fail");
	for (int at = 1; at <= 2; at++) {
		assert_int_equal(open_node(node, O_RDONLY, &root, &o), 0);
		addr[0] = touch(o.file, 0);
		addr[1] = touch(o.file, WINDOW_PAGES);
		fail_fixed = at;
		assert_int_equal(open_node(node, O_RDWR, &root, &p), -ENOMEM);
		assert_int_equal(nmaps(), 0);
		assert_false(mapped(addr[0]));
		assert_false(mapped(addr[1]));
		assert_int_equal(touch(o.file, 0)[0], 'a');
		assert_int_equal(open_node(node, O_RDWR, &root, &p), 0);
		touch(o.file, 0)[0] = 'a';
		drop(&o);
		drop(&p);
		none_left();
	}
}

/* The sync goes to the struct file that was written through. */
static void test_sync(void **state)
{
	struct ccfs_range range = { 0 };
	struct ccfs_open o;
	struct msg m = { 0 };
	struct file *file;
	uint64_t node;

	put_file("rw/sync", "abc", 0644);
	node = lookup(CCFS_ROOT, "sync");
	for (int opened = 0; opened < 2; opened++) {
		if (opened) {
			assert_int_equal(open_node(node, O_RDWR, &root, &o), 0);
			file = file_get(&proxy.files, o.file);
			assert_int_equal(lseek(file->fd, 1234, SEEK_SET), 1234);
			file_put(&proxy.files, file);
		}
		sync_error = opened ? EIO : 0;
		start(&m, CCFS_FSYNC, node, &root);
		msg_put(&m, &range, sizeof(range));
		assert_int_equal(ask(&m), opened ? -EIO : 0);
		assert_int_equal(synced_at, opened ? 1234 : 0);
	}
	sync_error = 0;
	drop(&o);
	none_left();
	msg_free(&m);
}

static int dup_file(uint64_t id, bool append)
{
	struct file *file = file_get(&proxy.files, id);
	struct file_use use = file_use(file, append);

	assert_null(use.held);
	file_put(&proxy.files, file);
	return use.fd;
}

/* At the limit of descriptors what is open can be written and synced. */
static void test_no_descriptors(void **state)
{
	struct rlimit limit, none;
	struct file_use use;
	struct ccfs_open o;
	struct file *file;

	put_file("rw/limit", "abc", 0644);
	assert_int_equal(open_node(lookup(CCFS_ROOT, "limit"), O_RDWR, &root, &o), 0);
	file = file_get(&proxy.files, o.file);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	use = file_use(file, false);
	assert_ptr_equal(use.held, file);
	assert_int_equal(pwrite(use.fd, "X", 1, 0), 1);
	assert_int_equal(pthread_rwlock_trywrlock(&file->map), EBUSY);
	file_used(&use);
	assert_int_equal(file_sync(file, false), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(pthread_rwlock_trywrlock(&file->map), 0);
	pthread_rwlock_unlock(&file->map);
	file_put(&proxy.files, file);
	assert_int_equal(touch(o.file, 0)[0], 'X');
	drop(&o);
	none_left();
}

/* A file that is appended to is read through a descriptor that may be mapped. */
static void test_append_only(void **state)
{
	int fd, own, flags = FS_APPEND_FL;
	struct ccfs_open o, p;
	uint64_t node;

	put_file("rw/log", "x", 0644);
	node = lookup(CCFS_ROOT, "log");
	fd = open(at("rw/log"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags)) {
		close(fd);
		skip();
	}
	assert_int_equal(open_node(node, O_RDWR | O_APPEND, &root, &o), 0);
	assert_int_equal(touch(o.file, 0)[0], 'x');
	assert_int_equal(dup_file(o.file, false), -EPERM);
	own = dup_file(o.file, true);
	assert_true(own >= 0);
	assert_int_equal(write(own, "y", 1), 1);
	close(own);
	assert_int_equal(touch(o.file, 0)[1], 'y');
	flags = 0;
	assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
	assert_int_equal(open_node(node, O_RDWR, &root, &p), 0);
	own = dup_file(o.file, false);
	assert_true(own >= 0);
	assert_int_equal(pwrite(own, "X", 1, 0), 1);
	close(own);
	assert_int_equal(touch(o.file, 0)[0], 'X');
	drop(&o);
	drop(&p);
	none_left();
	close(fd);
}

static int getattr(uint64_t node, struct ccfs_attr *attr)
{
	struct msg m = { 0 };
	int ret;

	start(&m, CCFS_GETATTR, node, &user);
	ret = ask(&m);
	if (!ret)
		assert_int_equal(msg_get(&m, attr, sizeof(*attr)), 0);
	msg_free(&m);
	return ret;
}

/* More nodes than descriptors: what was let go of comes back, for a user too. */
static void test_many_nodes(void **state)
{
	struct ccfs_rename rn = { 0 };
	struct ccfs_entry dir[2], e;
	struct ccfs_attr attr;
	struct msg m = { 0 };
	char name[32];

	assert_int_equal(chmod(at("rw"), 0777), 0);
	assert_int_equal(make(CCFS_MKDIR, CCFS_ROOT, "d0", 0700, &user, &dir[0]), 0);
	assert_int_equal(make(CCFS_MKDIR, CCFS_ROOT, "d1", 0700, &user, &dir[1]), 0);
	assert_int_equal(make(CCFS_CREATE, dir[0].node, "f", 0600, &user, &e), 0);
	for (int i = 0; i < NODE_FDS + 500; i++) {
		snprintf(name, sizeof(name), "rw/d0/%d", i);
		put_file(name, "", 0644);
		lookup(dir[0].node, name + 6);
	}
	for (int ms = 0; open_fds() > NODE_FDS + 100 && ms < 10000; ms += 10)
		usleep(10000);
	assert_true(open_fds() < NODE_FDS + 100);
	rn.newdir = dir[1].node;
	start(&m, CCFS_RENAME, dir[0].node, &user);
	msg_put(&m, &rn, sizeof(rn));
	put_name(&m, "f");
	put_name(&m, "g");
	assert_int_equal(ask(&m), 0);
	assert_int_equal(access(at("rw/d1/g"), F_OK), 0);
	assert_int_equal(getattr(e.node, &attr), 0);
	assert_int_equal(attr.ino, e.attr.ino);
	assert_int_equal(lookup(dir[1].node, "g"), e.node);
	msg_free(&m);
}

static void call(unsigned int op, uint32_t slot, uint64_t file)
{
	struct sharedpc_call c = { .slot = slot, .op = op, .file = file, .count = 1 };

	assert_int_equal(send(calls[0], &c, sizeof(c), 0), sizeof(c));
}

/* Of a page behind the end of a small file. */
static void fault(uint32_t slot, uint64_t file)
{
	struct sharedpc_call c = {
		.slot = slot, .op = SHAREDPC_OP_FAULT, .file = file, .pos = 100,
		.count = 1,
	};

	assert_int_equal(send(calls[0], &c, sizeof(c), 0), sizeof(c));
}

static uint32_t answered(int error)
{
	struct sharedpc_reply r;

	assert_int_equal(recv(replies[0], &r, sizeof(r), 0), sizeof(r));
	assert_int_equal(r.error, error);
	return r.slot;
}

/* However many wait for a disk that hangs, faults are taken. */
static void test_slow_disk(void **state)
{
	struct timeval tv = { .tv_sec = 10 };
	struct ccfs_open o;
	uint64_t slots = 0;

	proxy.bounce = top;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, calls), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, replies), 0);
	setsockopt(replies[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	assert_int_equal(calls_start(&proxy), 0);
	put_file("rw/slow", "abc", 0644);
	assert_int_equal(open_node(lookup(CCFS_ROOT, "slow"), O_RDWR, &root, &o), 0);
	pthread_mutex_lock(&disk);
	for (uint32_t i = 0; i < 40; i++)
		call(SHAREDPC_OP_FSYNC, i, o.file);
	call(SHAREDPC_OP_FAULT, 50, o.file + 1000);
	assert_int_equal(answered(-ESTALE), 50);
	call(SHAREDPC_OP_WRITE, 51, o.file);
	assert_int_equal(answered(0), 51);
	pthread_mutex_unlock(&disk);
	for (int i = 0; i < 40; i++)
		slots |= 1ULL << answered(0);
	assert_true(slots == (1ULL << 40) - 1);
	call(SHAREDPC_OP_CLOSE, 0, o.file);
	none_left();
}

/* To be allowed to write is not to be allowed to read. */
static void test_write_only(void **state)
{
	struct ccfs_open o, p;
	uint64_t node;

	put_file("rw/drop", "secret", 0644);
	node = lookup(CCFS_ROOT, "drop");
	assert_int_equal(open_node(node, O_WRONLY, &root, &o), 0);
	fault(1, o.file);
	assert_int_equal(answered(-EACCES), 1);
	call(SHAREDPC_OP_WRITE, 2, o.file);
	assert_int_equal(answered(0), 2);
	/* control: with a reader beside it is looked for, but lies beyond the end */
	assert_int_equal(open_node(node, O_RDONLY, &root, &p), 0);
	assert_int_equal(p.file, o.file);
	fault(3, o.file);
	assert_int_equal(answered(-EFAULT), 3);
	drop(&o);
	drop(&p);
	none_left();
}

static unsigned int threads(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/self/task", &st), 0);
	return st.st_nlink - 2;
}

/* Faults that hang keep no other from being taken, and leave no threads. */
static void test_slow_faults(void **state)
{
	const uint32_t hang = SHAREDPC_CALLS - 1;
	unsigned int before = threads();
	struct ccfs_open o, other;
	struct file *file;
	uint64_t slots = 0;

	put_file("rw/hangs", "abc", 0644);
	put_file("rw/other", "abc", 0644);
	assert_int_equal(open_node(lookup(CCFS_ROOT, "hangs"), O_RDONLY, &root, &o), 0);
	assert_int_equal(open_node(lookup(CCFS_ROOT, "other"), O_RDONLY, &root, &other), 0);
	file = file_get(&proxy.files, o.file);
	assert_non_null(file);
	pthread_rwlock_wrlock(&file->map);
	for (uint32_t i = 0; i < hang; i++)
		fault(i, o.file);
	fault(hang, other.file);
	assert_int_equal(answered(-EFAULT), hang);
	pthread_rwlock_unlock(&file->map);
	for (uint32_t i = 0; i < hang; i++)
		slots |= 1ULL << answered(-EFAULT);
	assert_true(slots == (1ULL << hang) - 1);
	for (int ms = 0; threads() > before && ms < 10000; ms += 10)
		usleep(10000);
	assert_true(threads() <= before);
	file_put(&proxy.files, file);
	call(SHAREDPC_OP_CLOSE, 0, o.file);
	call(SHAREDPC_OP_CLOSE, 0, other.file);
	none_left();
}

/* The client is on another image. */
static int setup_remote(void **state)
{
	setup_proxy(false);
	setup_conn();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upgrade),
		cmocka_unit_test(test_upgrade_fails),
		cmocka_unit_test(test_sync),
		cmocka_unit_test(test_append_only),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_many_nodes),
		cmocka_unit_test(test_slow_disk),
		cmocka_unit_test(test_write_only),
		cmocka_unit_test(test_slow_faults),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, setup_remote, teardown);
}
