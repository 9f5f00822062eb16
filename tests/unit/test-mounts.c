// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts of one client, seen from its proxy: many at the same time, exports
 * that are not what they were, connections that end in between.
 */
#include "proxy-test.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

#define MOUNTERS	8
#define MOUNTS		40	/* of each */

/* Mounts and unmounts; asserts are for the main thread, so it counts. */
static void *mounter(void *arg)
{
	struct msg m = { 0 };
	long granted = 0;
	int fd;

	for (int i = 0; i < MOUNTS; i++) {
		fd = fresh();
		granted += !hello(fd, at(i % 2 ? "rw" : "ro"), CCFS_HELLO_RO, &m);
		close(fd);
	}
	msg_free(&m);
	return (void *)granted;
}

/* Each reads the configuration, whose parser is one for all. */
static void test_parallel(void **state)
{
	pthread_t threads[MOUNTERS];
	void *granted;

	for (int i = 0; i < MOUNTERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, mounter, NULL), 0);
	for (int i = 0; i < MOUNTERS; i++) {
		assert_int_equal(pthread_join(threads[i], &granted), 0);
		assert_int_equal((long)granted, MOUNTS);
	}
}

static void linked(const char *path)
{
	struct msg m = { 0 };
	char *why = NULL;
	int fd = fresh();

	assert_int_equal(hello(fd, path, 0, &m), -ELOOP);
	assert_int_equal(msg_get_str(&m, 1000, &why), 0);
	assert_non_null(strstr(why, "symbolic link"));
	free(why);
	msg_free(&m);
	close(fd);
}

/* Whoever may write a parent of an export cannot have something else exported. */
static void test_links(void **state)
{
	char saved[512];

	snprintf(saved, sizeof(saved), "%s", at("rw.saved"));
	assert_int_equal(rename(at("rw"), saved), 0);
	assert_int_equal(symlink("/", at("rw")), 0);
	linked(at("rw"));
	assert_int_equal(unlink(at("rw")), 0);
	assert_int_equal(rename(saved, at("rw")), 0);
	snprintf(saved, sizeof(saved), "%s.saved", top);
	assert_int_equal(rename(top, saved), 0);
	assert_int_equal(symlink(saved, top), 0);
	linked(at("rw"));	/* a parent is enough */
	assert_int_equal(unlink(top), 0);
	assert_int_equal(rename(saved, top), 0);
}

/* What is mounted in the export later does not come through to the clone. */
static void test_propagation(void **state)
{
	struct ccfs_entry e;
	struct msg m = { 0 };
	int old = conn;

	assert_int_equal(mount(at("rw"), at("rw"), NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(NULL, at("rw"), NULL, MS_SHARED, NULL), 0);
	conn = fresh();
	assert_int_equal(hello(conn, at("rw"), 0, &m), 0);
	assert_int_equal(mkdir(at("rw/late"), 0755), 0);
	assert_int_equal(mount("none", at("rw/late"), "tmpfs", 0, NULL), 0);
	put_file("rw/late/hidden", "x", 0644);
	assert_int_equal(name_op(CCFS_LOOKUP, lookup(CCFS_ROOT, "late"), "hidden",
				 &root, &e), -ENOENT);
	close(conn);
	conn = old;
	assert_int_equal(umount(at("rw/late")), 0);
	assert_int_equal(umount(at("rw")), 0);
	msg_free(&m);
}

/* An open whose answer nobody hears is given back. */
static void test_lost_answers(void **state)
{
	struct ccfs_make mk = { .mode = 0600, .flags = O_RDWR | O_CREAT };
	struct msg m = { 0 };
	uint64_t node;
	int fd;

	put_file("rw/lost", "x", 0644);
	for (int create = 0; create < 2; create++) {
		fd = fresh();
		assert_int_equal(hello(fd, at("rw"), 0, &m), 0);
		start(&m, CCFS_LOOKUP, CCFS_ROOT, &root);
		put_name(&m, "lost");
		assert_int_equal(ask_on(fd, &m), 0);
		assert_int_equal(msg_get(&m, &node, sizeof(node)), 0);
		start(&m, create ? CCFS_CREATE : CCFS_OPEN,
		      create ? CCFS_ROOT : node, &root);
		msg_put(&m, &mk, sizeof(mk));
		if (create)
			put_name(&m, "lost-too");
		assert_int_equal(shutdown(fd, SHUT_RD), 0);
		assert_int_equal(msg_send(fd, &m), 0);
		await_conns(1);
		assert_int_equal(files_count(&proxy.files), 0);
		close(fd);
	}
	assert_int_equal(access(at("rw/lost-too"), F_OK), 0);	/* it was done */
	msg_free(&m);
}

/*
 * chattr +a or -a of rw/log. Its other flags stay: without EXTENTS ext4 would
 * set them, then try to make the file one that has none, and say that it cannot.
 */
static int log_append(bool on)
{
	int fd = open(at("rw/log"), O_RDONLY | O_CLOEXEC), flags, ret;

	assert_true(fd >= 0);
	ret = ioctl(fd, FS_IOC_GETFLAGS, &flags);
	if (!ret) {
		flags = on ? flags | FS_APPEND_FL : flags & ~FS_APPEND_FL;
		ret = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	close(fd);
	return ret;
}

/* However the test ended: with +a nobody could remove the file. */
static int log_end(void **state)
{
	log_append(false);
	return 0;
}

/* chattr +a: who appends may open it, and nobody else for writing. */
static void test_append_only(void **state)
{
	struct ccfs_open o;
	uint64_t node;

	put_file("rw/log", "x", 0644);
	node = lookup(CCFS_ROOT, "log");
	if (log_append(true))
		skip();
	assert_int_equal(open_node(node, O_WRONLY, &root, &o), -EPERM);
	assert_int_equal(open_node(node, O_WRONLY | O_APPEND | O_TRUNC, &root, &o), -EPERM);
	assert_int_equal(open_node(node, O_WRONLY | O_APPEND, &root, &o), 0);
	drop(&o);
	assert_int_equal(open_node(node, O_RDWR | O_APPEND, &root, &o), 0);
	drop(&o);
	assert_int_equal(log_append(false), 0);
}

/* A client has so many connections and no more; the others work on. */
static void test_connections(void **state)
{
	int fds[LIFE_CONNS + 10];
	struct msg m = { 0 };
	int granted = 0;

	for (int i = 0; i < LIFE_CONNS + 10; i++) {
		fds[i] = fresh();
		granted += !hello(fds[i], at("rw"), 0, &m);
	}
	assert_int_equal(granted, LIFE_CONNS - 1);	/* and conn */
	assert_int_equal(name_op(CCFS_LOOKUP, CCFS_ROOT, "none", &root, NULL), -ENOENT);
	for (int i = 0; i < LIFE_CONNS + 10; i++)
		close(fds[i]);
	await_conns(1);
	msg_free(&m);
}

#define FLOOD	300		/* requests of 60 KiB */

/* A connection that is flooded. */
struct flood {
	int fd;
	pthread_t sender, taker;
	int answers;		/* the taker's, as all below */
	size_t most;		/* of the proxy's bytes, after each answer */
};

static void *flood_send(void *arg)
{
	static const char value[60 * 1024];
	struct ccfs_xattr xa = { 0 };
	const struct flood *f = arg;
	struct msg m = { 0 };

	for (int i = 0; i < FLOOD; i++) {
		start(&m, CCFS_SETXATTR, CCFS_ROOT, &root);
		msg_put(&m, &xa, sizeof(xa));
		put_name(&m, "user.x");
		msg_put_str(&m, value, sizeof(value));
		if (msg_send(f->fd, &m))
			break;
	}
	msg_free(&m);
	return NULL;
}

/*
 * A client takes its answers whenever they come: the six workers would wait for
 * one that does so only in turn with the others, and with them all.
 */
static void *flood_take(void *arg)
{
	struct flood *f = arg;
	struct msg m = { 0 };

	while (f->answers < FLOOD && !msg_recv(f->fd, &m)) {
		f->answers++;
		pthread_mutex_lock(&proxy.life.lock);
		if (proxy.life.bytes > f->most)
			f->most = proxy.life.bytes;
		pthread_mutex_unlock(&proxy.life.lock);
	}
	msg_free(&m);
	return NULL;
}

/* Large requests wait in the sockets, not in the proxy's memory. */
static void test_flood(void **state)
{
	struct flood floods[4] = { 0 }, *f;
	struct msg m = { 0 };

	for (f = floods; f < floods + 4; f++) {
		f->fd = fresh();
		assert_int_equal(hello(f->fd, at("rw"), 0, &m), 0);
		assert_int_equal(pthread_create(&f->taker, NULL, flood_take, f), 0);
		assert_int_equal(pthread_create(&f->sender, NULL, flood_send, f), 0);
	}
	for (f = floods; f < floods + 4; f++) {
		pthread_join(f->sender, NULL);
		pthread_join(f->taker, NULL);
		close(f->fd);
	}
	for (f = floods; f < floods + 4; f++) {
		assert_int_equal(f->answers, FLOOD);
		assert_true(f->most <= LIFE_BYTES);
	}
	msg_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parallel),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_propagation),
		cmocka_unit_test(test_lost_answers),
		cmocka_unit_test_teardown(test_append_only, log_end),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
