/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * proxy-test.h - a proxy without sharedpc.ko, for the tests of proxyd.
 *
 * Real connections (socket pairs) to a proxy of this very process, on real
 * directories of a real file system. It is told that its client is its own
 * image, so opens answer with descriptors. Runs as root, in a mount namespace
 * that may be changed.
 */
#ifndef TESTS_UNIT_PROXY_TEST_H
#define TESTS_UNIT_PROXY_TEST_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <cmocka.h>

#include "msg.h"
#include "proxyd/life/later.h"
#include "proxyd/export/procfd.h"
#include "proxyd/process.h"
#include "proxyd/names/conn.h"
#include "proxyd/life/work.h"

#define USER		1234
/* An export where nothing is forbidden. */
#define WIDE		" squash = \"none\"\n nosuid = \"no\"\n nodev = \"no\"\n"

static char top[] = "/var/tmp/test-proxy-XXXXXX";
static char conf[256];
static struct proxy proxy;
static int conn = -1;		/* the connection to the export, read-write */
static __thread uint64_t last_id;
static const struct ccfs_cred root = { .umask = 022 };
static const struct ccfs_cred user = { .uid = USER, .gid = USER, .umask = 027 };

static inline const char *at(const char *name)
{
	static __thread char path[4][512];
	static __thread int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", top, name);
	return path[n];
}

static inline void put_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* A new connection to the proxy, HELLO not said. */
static inline int fresh(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	process_conn_add(&proxy, pair[1], NULL);
	return pair[0];
}

static inline void start(struct msg *m, unsigned int op, uint64_t node,
		  const struct ccfs_cred *cred)
{
	msg_start(m, op, ++last_id, node);
	msg_put(m, cred, sizeof(*cred));
}

static inline void put_name(struct msg *m, const char *name)
{
	msg_put_str(m, name, strlen(name));
}

/* Send @m; its answer replaces it.  The answer's error, or the stream's. */
static inline int ask_on(int fd, struct msg *m)
{
	uint64_t id = m->head.id;
	int ret = msg_send(fd, m);

	if (!ret)
		ret = msg_recv(fd, m);
	if (ret)
		return ret;
	assert_int_equal(m->head.id, id);
	return m->head.error;
}

static inline int ask(struct msg *m)
{
	return ask_on(conn, m);
}

static inline int hello(int fd, const char *path, unsigned int flags, struct msg *m)
{
	struct ccfs_hello h = { .revision = CCFS_REVISION, .flags = flags };

	start(m, CCFS_HELLO, 0, &root);
	msg_put(m, &h, sizeof(h));
	put_name(m, path);
	return ask_on(fd, m);
}

static inline int name_op(unsigned int op, uint64_t dir, const char *name,
		   const struct ccfs_cred *cred, struct ccfs_entry *e)
{
	struct msg m = { 0 };
	int ret;

	start(&m, op, dir, cred);
	put_name(&m, name);
	ret = ask(&m);
	if (!ret && e)
		assert_int_equal(msg_get(&m, e, sizeof(*e)), 0);
	msg_free(&m);
	return ret;
}

static inline uint64_t lookup(uint64_t dir, const char *name)
{
	struct ccfs_entry e;

	assert_int_equal(name_op(CCFS_LOOKUP, dir, name, &root, &e), 0);
	return e.node;
}

/* Has no answer: PING's comes after it. */
static inline void tell(struct msg *m)
{
	assert_int_equal(msg_send(conn, m), 0);
	start(m, CCFS_PING, 0, &root);
	assert_int_equal(ask(m), 0);
	msg_free(m);
}

static inline void drop(const struct ccfs_open *o)
{
	struct ccfs_handle h = { .handle = o->file };
	struct msg m = { 0 };

	start(&m, CCFS_DROP, 0, &root);
	msg_put(&m, &h, sizeof(h));
	tell(&m);
}

static inline int make(unsigned int op, uint64_t dir, const char *name, unsigned int mode,
		const struct ccfs_cred *cred, struct ccfs_entry *e)
{
	struct ccfs_make mk = {
		.mode = mode, .flags = O_RDWR | O_CREAT, .rdev = makedev(1, 3),
	};
	struct ccfs_open o;
	struct msg m = { 0 };
	int ret;

	start(&m, op, dir, cred);
	msg_put(&m, &mk, sizeof(mk));
	put_name(&m, name);
	ret = ask(&m);
	if (!ret && e)
		assert_int_equal(msg_get(&m, e, sizeof(*e)), 0);
	if (!ret && op == CCFS_CREATE) {
		assert_int_equal(msg_get(&m, &o, sizeof(o)), 0);
		drop(&o);
	}
	msg_free(&m);
	return ret;
}

static inline int open_node(uint64_t node, unsigned int flags,
		     const struct ccfs_cred *cred, struct ccfs_open *o)
{
	struct ccfs_make mk = { .flags = flags };
	struct msg m = { 0 };
	int ret;

	start(&m, CCFS_OPEN, node, cred);
	msg_put(&m, &mk, sizeof(mk));
	ret = ask(&m);
	if (!ret)
		assert_int_equal(msg_get(&m, o, sizeof(*o)), 0);
	msg_free(&m);
	return ret;
}

static inline void forget(uint64_t node, uint64_t count)
{
	struct ccfs_count n = { .count = 1 };
	struct ccfs_forget f = { .node = node, .count = count };
	struct msg m = { 0 };

	start(&m, CCFS_FORGET, 0, &root);
	msg_put(&m, &n, sizeof(n));
	msg_put(&m, &f, sizeof(f));
	tell(&m);
}

static inline int setattr(uint64_t node, const struct ccfs_setattr *set,
		   const struct ccfs_cred *cred)
{
	struct msg m = { 0 };
	int ret;

	start(&m, CCFS_SETATTR, node, cred);
	msg_put(&m, set, sizeof(*set));
	ret = ask(&m);
	msg_free(&m);
	return ret;
}

/* Wait until the proxy has but @n connections. */
static inline void await_conns(unsigned int n)
{
	unsigned int now = n + 1;

	for (int ms = 0; now != n && ms < 5000; ms += 10) {
		pthread_mutex_lock(&proxy.life.lock);
		now = proxy.life.conns;
		pthread_mutex_unlock(&proxy.life.lock);
		if (now != n)
			usleep(10000);
	}
	assert_int_equal(now, n);
}

/* The last: a connection takes its nodes and handles along. */
static inline void test_end(void **state)
{
	close(conn);
	await_conns(0);
}

static inline void write_conf(void)
{
	FILE *out;

	snprintf(conf, sizeof(conf), "%s/partitions.conf", top);
	out = fopen(conf, "we");
	assert_non_null(out);
	fprintf(out, "region {\n size = \"128M\"\n nodes = {1}\n}\n"
		"image boot {\n booted_by = \"firmware\"\n cpus = {0}\n memory = \"512M\"\n}\n"
		"image web {\n cpus = {1}\n memory = \"256M\"\n}\n"
		"image db {\n cpus = {2}\n memory = \"256M\"\n}\n"
		"export root {\n path = \"/\"\n to = {\"*\"}\n mode = \"rw\"\n" WIDE "}\n"
		"mount {\n export = \"root\"\n images = {\"*\"}\n target = \"/\"\n}\n");
	fprintf(out, "export rw {\n path = \"%s/rw\"\n to = {\"web\"}\n mode = \"rw\"\n" WIDE "}\n", top);
	fprintf(out, "export ro {\n path = \"%s/ro\"\n to = {\"*\"}\n mode = \"ro\"\n" WIDE "}\n", top);
	fprintf(out, "export others {\n path = \"%s/others\"\n to = {\"db\"}\n mode = \"rw\"\n" WIDE "}\n", top);
	assert_int_equal(fclose(out), 0);
}

/* The proxy with its export directories; nobody is connected. */
static inline void setup_proxy(bool local)
{
	assert_non_null(mkdtemp(top));
	assert_int_equal(chmod(top, 0755), 0);
	for (const char *const *d = (const char *const[]){ "rw", "ro", "others", NULL }; *d; d++)
		assert_int_equal(mkdir(at(*d), 0755), 0);
	put_file("secret", "x", 0644);
	write_conf();
	proxy = (struct proxy) {
		.config = conf, .owner = "boot", .client = "web", .image = 1,
		.local = local, .control = -1, .dev = -1,
	};
	process_init(&proxy);
	assert_int_equal(procfd_init(), 0);
	if (!local)
		proxy.dev = open("/dev/null", O_RDWR | O_CLOEXEC);
	files_init(&proxy.files, proxy.dev);
	assert_int_equal(later_start(), 0);
	assert_int_equal(work_start(), 0);
}

static inline void setup_conn(void)
{
	struct msg m = { 0 };

	conn = fresh();
	assert_int_equal(hello(conn, at("rw"), 0, &m), 0);
	msg_free(&m);
}

static inline int setup(void **state)
{
	setup_proxy(true);
	setup_conn();
	return 0;
}

static inline int teardown(void **state)
{
	char cmd[300];

	snprintf(cmd, sizeof(cmd), "rm -rf --one-file-system %s", top);
	return system(cmd);
}

#endif
