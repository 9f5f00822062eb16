// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of nodes, proxyd/names/node.c, with more files than it may keep open:
 * they are closed and opened again as needed, and a node never becomes another
 * file. On the disk's file system and on tmpfs. Runs as root.
 */
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "ccfs_proto.h"
#include "fds.h"
#include "proxyd/export/cred.h"
#include "proxyd/life/later.h"
#include "proxyd/limits.h"
#include "proxyd/names/node.h"

#define FILES	4000
#define FDS	64

static char top[] = "/var/tmp/test-node-XXXXXX";
static const char *dir;		/* where the files of this round are */
static struct nodes table;
static uint64_t ids[FILES];
static ino_t inos[FILES];
static ino_t open_ino;		/* the client has this one open */

static unsigned int told;		/* so often has anything been told */
static bool is_told[FILES * 4];		/* by id */

static void sweep(void)
{
	uint64_t tell[NODE_TELLS];
	unsigned int n = nodes_sweep(&table, tell);

	assert_true(n <= NODE_TELLS);
	told += n;
	for (unsigned int i = 0; i < n; i++)
		is_told[tell[i]] = true;
}

static bool is_open(void *arg, dev_t dev, ino_t ino)
{
	return ino == open_ino;
}

static const char *name(int n)
{
	static char path[4][128];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%d", dir, n);
	return path[turn];
}

static uint64_t add(const char *path, ino_t *ino)
{
	int fd = open(path, O_PATH | O_NOFOLLOW);
	struct stat st;
	uint64_t id;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(node_add(&table, fd, &st, &id), 0);
	if (ino)
		*ino = st.st_ino;
	return id;
}

/* The node is file @ino, or there is none (0). */
static void is(uint64_t id, ino_t ino)
{
	struct node *n = NULL;
	struct stat st;
	int ret = node_get(&table, id, &n);

	assert_int_equal(ret, ino ? 0 : -ESTALE);
	if (ret)
		return;
	assert_int_equal(fstat(n->fd, &st), 0);
	assert_int_equal(st.st_ino, ino);
	node_put(&table, n);
}

/* There is no such file any more, a little later: it is closed by another thread. */
static void goes(uint64_t id)
{
	struct node *n;

	for (int ms = 0; ms < 5000; ms += 10) {
		if (node_get(&table, id, &n))
			break;
		node_put(&table, n);
		sweep();
		usleep(10000);
	}
	is(id, 0);
}

static void make_file(int n)
{
	int fd = open(name(n), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void begin_with(const char *where,
		       bool (*open)(void *arg, dev_t dev, ino_t ino))
{
	int root;

	dir = where;
	open_ino = 0;
	memset(&table, 0, sizeof(table));
	told = 0;
	memset(is_told, 0, sizeof(is_told));
	root = syscall(SYS_open_tree, AT_FDCWD, dir,
		       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);	/* as an export is */
	assert_true(root >= 0);
	assert_int_equal(nodes_init(&table, root, open, NULL), 0);
	assert_true(table.mount >= 0);
	table.fds_max = FDS;
	for (int i = 0; i < FILES; i++) {
		make_file(i);
		ids[i] = add(name(i), &inos[i]);
	}
}

static void begin(const char *where)
{
	begin_with(where, is_open);
}

static void end(void)
{
	nodes_exit(&table);
	for (int i = 0; i < FILES; i++)
		unlink(name(i));
}

static void test_many(void **state)
{
	int before = open_fds();

	begin(*state);
	assert_true(table.fds <= FDS);
	for (int i = 0; open_fds() > before + 2 * FDS && i < 500; i++)
		usleep(10000);
	assert_true(open_fds() <= before + 2 * FDS);
	for (int i = 0; i < FILES; i++)
		is(ids[i], inos[i]);
	is(CCFS_ROOT, table.by_id[CCFS_ROOT]->ino);
	assert_true(table.fds <= FDS);
	for (int i = 0; i < FILES; i++)		/* looked up again: the same */
		assert_int_equal(add(name(i), NULL), ids[i]);
	for (int i = 0; i < FILES; i++)
		node_forget(&table, ids[i], 1);
	is(ids[7], inos[7]);
	for (int i = 0; i < FILES; i++)
		node_forget(&table, ids[i], 1);
	is(ids[7], 0);
	assert_int_equal(table.fds, 1);		/* the root's */
	end();
}

/* Removed while closed: gone for ever, whoever gets the inode number. */
static void test_removed(void **state)
{
	ino_t ino;
	int reused = 0;

	begin(*state);
	for (int i = 0; i < FILES / 2; i++)
		assert_int_equal(unlink(name(i)), 0);
	for (int i = 0; i < FILES / 2; i++) {
		uint64_t id;

		make_file(i);
		id = add(name(i), &ino);
		for (int j = 0; j < FILES / 2 && !reused; j++)
			reused += inos[j] == ino;
		assert_true(id > ids[FILES - 1]);
		is(id, ino);
	}
	for (int i = 0; i < FILES; i++)
		is(ids[i], i < FILES / 2 ? 0 : inos[i]);
	print_message("inode numbers were %s\n", reused ? "used again" : "not used again");
	end();
}

/*
 * What the client has open stays open, and so a removed file stays a file. Once it has not
 * the client is told, now and then, until it has forgotten it.
 */
static void test_open(void **state)
{
	begin(*state);
	is(ids[0], inos[0]);
	open_ino = inos[0];
	for (int i = 1; i < FILES; i++)
		is(ids[i], inos[i]);
	assert_int_equal(unlink(name(0)), 0);
	for (int i = 0; i < 2 * NODE_TURNS * FILES / NODE_LOOKS; i++)
		sweep();
	is(ids[0], inos[0]);
	assert_int_equal(told, 0);
	open_ino = 0;
	for (int i = 0; i < 64 * NODE_TURNS; i++)
		sweep();
	is(ids[0], inos[0]);
	assert_true(is_told[ids[0]]);
	assert_in_range(told, 6, 8);	/* at turns 1, 2, 4, 8, 16, 32, 64 */
	node_forget(&table, ids[0], 1);
	is(ids[0], 0);
	end();
}

/* Of what a client has been told, and does not forget, it keeps half of its descriptors. */
static void test_overdue(void **state)
{
	const int removed = FDS * 3 / 4;
	struct node *n;
	int left = 0;

	begin(*state);
	for (int i = 0; i < removed; i++)
		is(ids[i], inos[i]);
	for (int i = 0; i < removed; i++)
		assert_int_equal(unlink(name(i)), 0);
	for (int i = 0; i < (NODE_OVERDUE - 2) * NODE_TURNS; i++)
		sweep();
	for (int i = FDS; i < 8 * FDS; i++)
		is(ids[i], inos[i]);
	for (int i = 0; i < removed; i++)
		is(ids[i], inos[i]);
	for (int i = 0; i < 4 * NODE_TURNS; i++)
		sweep();
	for (int i = FDS; i < 32 * FDS; i++)
		is(ids[i], inos[i]);
	for (int i = 0; i < removed; i++) {
		if (node_get(&table, ids[i], &n))
			continue;
		node_put(&table, n);
		left++;
	}
	assert_int_equal(left, FDS / 2);
	assert_true(table.fds <= FDS);
	end();
}

/*
 * On the owner itself: a removed file is let go of, and its node is good for as
 * long as somebody has it open.
 */
static void test_local(void **state)
{
	char path[64];
	struct stat st;
	struct node *n;
	int fd, again;

	begin_with(*state, NULL);
	assert_int_equal(table.fds, FILES + 1);		/* nothing is trimmed */
	fd = open(name(0), O_RDWR | O_CLOEXEC);
	assert_int_equal(write(fd, "abc", 3), 3);
	for (int i = 0; i < 10; i++)
		assert_int_equal(unlink(name(i)), 0);
	for (int i = 0; i < 2 * NODE_TURNS + FILES / NODE_LOOKS; i++)
		sweep();
	assert_int_equal(told, 0);
	assert_int_equal(table.fds, FILES + 1 - 10);
	is(ids[0], inos[0]);
	goes(ids[1]);
	assert_int_equal(node_get(&table, ids[0], &n), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", n->fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	assert_true(again >= 0);
	node_put(&table, n);
	assert_int_equal(ftruncate(again, 2), 0);
	close(again);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 2);
	is(ids[0], inos[0]);
	close(fd);
	for (int i = 0; i < 2 * NODE_TURNS + FILES / NODE_LOOKS; i++)
		sweep();
	goes(ids[0]);
	end();
}

/* A sweep looks at no more than it may, and comes to all. */
static void test_sweep(void **state)
{
	begin(*state);
	table.fds_max = FILES + 1;
	for (int i = 0; i < FILES; i++)
		is(ids[i], inos[i]);
	assert_int_equal(table.fds, FILES + 1);
	for (int i = 0; i < FILES; i += 2)
		assert_int_equal(unlink(name(i)), 0);
	sweep();
	assert_true(told <= NODE_TELLS);
	for (int i = 0; i < NODE_TURNS + FILES / NODE_TELLS; i++)
		sweep();
	for (int i = 0; i < FILES; i++)
		assert_int_equal(is_told[ids[i]], !(i % 2));
	for (int i = 0; i < FILES; i += 2)
		node_forget(&table, ids[i], 1);
	assert_int_equal(table.fds, FILES / 2 + 1);
	end();
}

static uint64_t unwatched[4];
static int nunwatched;

static void unwatch(void *arg, uint64_t id)
{
	assert_ptr_equal(arg, unwatched);
	unwatched[nunwatched++ % 4] = id;
}

static void watch(uint64_t id)
{
	struct node *n;

	assert_int_equal(node_get(&table, id, &n), 0);
	node_watched(&table, n);
	node_put(&table, n);
}

/* Who is watched is said when it goes, once. */
static void test_watched(void **state)
{
	begin(*state);
	nunwatched = 0;
	table.unwatch = unwatch;
	table.unwatch_arg = unwatched;
	table.fds_max = FILES + 1;
	for (int i = 0; i < 3; i++)
		watch(ids[i]);
	assert_int_equal(unlink(name(0)), 0);
	assert_int_equal(unlink(name(3)), 0);
	for (int i = 0; i < NODE_TURNS + FILES / NODE_LOOKS; i++)
		sweep();
	assert_int_equal(nunwatched, 0);
	for (int i = 0; i < 4; i += 2)
		node_forget(&table, ids[i], 1);
	assert_int_equal(nunwatched, 2);
	assert_int_equal(unwatched[0], ids[0]);
	assert_int_equal(unwatched[1], ids[2]);
	end();
}

/* Directories and links, too; and by a thread that acts as somebody else. */
static void test_kinds(void **state)
{
	const struct ccfs_cred user = { .uid = 1234, .gid = 1234 };
	char sub[128], link[128], in[140];
	struct node *n;
	ino_t subino, linkino;
	uint64_t subid, linkid;

	assert_int_equal(cred_thread(), 0);
	begin(*state);
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(mkdir(sub, 0755), 0);
	assert_int_equal(symlink("sub", link), 0);
	subid = add(sub, &subino);
	linkid = add(link, &linkino);
	for (int i = 0; i < FILES; i++)
		is(ids[i], inos[i]);
	assert_int_equal(cred_take(&user, NULL), 0);
	is(linkid, linkino);
	assert_int_equal(node_get(&table, subid, &n), 0);
	assert_int_equal(mkdirat(n->fd, "not", 0700), -1);	/* still nobody */
	cred_back();
	assert_int_equal(mkdirat(n->fd, "in", 0700), 0);
	node_put(&table, n);
	snprintf(in, sizeof(in), "%s/in", sub);
	assert_int_equal(rmdir(in), 0);
	assert_int_equal(rmdir(sub), 0);
	assert_int_equal(unlink(link), 0);
	end();
}

static void *user(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	long bad = 0;

	for (int i = 0; i < 4 * FILES; i++) {
		int k = rand_r(&seed) % (2 * FDS);
		struct node *n;
		struct stat st;

		if (node_get(&table, ids[k], &n)) {
			bad++;
			continue;
		}
		bad += fstat(n->fd, &st) || st.st_ino != inos[k];
		node_put(&table, n);
	}
	return (void *)bad;
}

static void test_threads(void **state)
{
	pthread_t threads[6];
	void *bad;

	begin(*state);
	table.fds_max = 8;
	for (int i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, user,
						(void *)(uintptr_t)(i + 1)), 0);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_int_equal((long)bad, 0);
	}
	end();
}

/* Limits of the machine: upwards only. */
static void test_limit(void **state)
{
	char path[128], text[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/limit", top);
	for (int i = 0; i < 2; i++) {
		f = fopen(path, "we");
		assert_non_null(f);
		fputs(i ? "18446744073709551615\n" : "50000\n", f);
		assert_int_equal(fclose(f), 0);
		assert_int_equal(limit_raise(path, 4194304), 0);
		f = fopen(path, "re");
		assert_non_null(fgets(text, sizeof(text), f));
		assert_int_equal(fclose(f), 0);
		assert_string_equal(text, i ? "18446744073709551615\n" : "4194304\n");
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(limit_raise(path, 1), -ENOENT);
}

static char tmpfs[64];

static int setup(void **state)
{
	assert_int_equal(later_start(), 0);
	assert_int_equal(mkdir(tmpfs, 0755), 0);
	return mount("none", tmpfs, "tmpfs", 0, NULL);
}

static int teardown(void **state)
{
	umount2(tmpfs, MNT_DETACH);
	return rmdir(tmpfs) || rmdir(top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_many, top),
		cmocka_unit_test_prestate(test_many, tmpfs),
		cmocka_unit_test_prestate(test_removed, top),
		cmocka_unit_test_prestate(test_removed, tmpfs),
		cmocka_unit_test_prestate(test_open, top),
		cmocka_unit_test_prestate(test_open, tmpfs),
		cmocka_unit_test_prestate(test_local, top),
		cmocka_unit_test_prestate(test_local, tmpfs),
		cmocka_unit_test_prestate(test_overdue, top),
		cmocka_unit_test_prestate(test_sweep, top),
		cmocka_unit_test_prestate(test_watched, top),
		cmocka_unit_test_prestate(test_kinds, top),
		cmocka_unit_test_prestate(test_kinds, tmpfs),
		cmocka_unit_test_prestate(test_threads, top),
		cmocka_unit_test_prestate(test_threads, tmpfs),
		cmocka_unit_test(test_limit),
	};

	if (!mkdtemp(top))
		return 1;
	snprintf(tmpfs, sizeof(tmpfs), "%s/tmpfs", top);
	return cmocka_run_group_tests(tests, setup, teardown);
}
