// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a proxy says of how long its answers hold, proxyd/names/words.c, with
 * sharedpc.ko played here. A word's value has to be older than what it is sent
 * with: so files are changed at the moment when their word is read, and the
 * answer must know of it.
 */
#include "proxy-test.h"

#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "sharedpc_ioctl.h"

#define GEN_NAME	1000	/* and the length of the name */
#define GEN_LOOK	2000	/* and the low digits of the inode's number */

static bool absent;		/* there is no device */
static int refuse;		/* WATCH fails with this */
static bool broken;		/* NAME and LOOK fail */
static bool caller;		/* somebody else than root has asked the module */
static const char *make_at_name;	/* made when the word of its name is read */
static const char *remove_at_name;
static const char *swap_at_name;
static int mode_at_look;	/* given to the file whose word is read; 0: none */
static struct ccfs_entry dirs[2];	/* in which names are changed */
static const char *name_at_look;	/* that must be in dirs[0] then, or not */
static const char *xattr_at_look;	/* that the file must have then, or not */
static bool there_at_look;
static int early;		/* words that were read before the change */
static int watched;		/* descriptors that watch */
static int dev_fd = -1;

int __wrap_open64(const char *path, int flags, ...);
int __real_open64(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, void *arg);

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
	if (absent)
		return -1;
	dev_fd = __real_open64("/dev/null", flags);
	return dev_fd;
}

static int watch(struct sharedpc_watch *w)
{
	errno = refuse;
	if (refuse)
		return -1;
	assert_true(fcntl(w->fd, F_GETFL) & O_PATH);
	w->bits = 17;
	w->salt = 0x1234567890;
	watched++;
	return 0;
}

static int name_word(struct sharedpc_name *n)
{
	char name[256] = "";

	memcpy(name, (void *)(uintptr_t)n->name, n->len);
	if (make_at_name && !strcmp(name, make_at_name))
		assert_int_equal(mkdirat(n->dir, name, 0700), 0);
	if (remove_at_name && !strcmp(name, remove_at_name))
		assert_int_equal(unlinkat(n->dir, name, 0), 0);
	if (swap_at_name && !strcmp(name, swap_at_name))
		assert_int_equal(renameat(n->dir, "other", n->dir, name), 0);
	n->gen = GEN_NAME + n->len;
	return 0;
}

static bool has(int dir, const char *name)
{
	return !faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

static int look_word(struct sharedpc_look *l)
{
	char path[64];
	struct stat st;

	assert_int_equal(fstat(l->fd, &st), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", l->fd);
	if (mode_at_look && !S_ISLNK(st.st_mode))
		assert_int_equal(chmod(path, mode_at_look), 0);
	if (name_at_look && st.st_ino == dirs[0].attr.ino)
		early += has(l->fd, name_at_look) != there_at_look;
	if (name_at_look && st.st_ino == dirs[1].attr.ino)
		early += !has(l->fd, "moved");
	if (xattr_at_look)
		early += (getxattr(path, xattr_at_look, NULL, 0) >= 0) != there_at_look;
	l->gen = GEN_LOOK + st.st_ino % 1000;
	l->flags = SHAREDPC_LOOK_ACL;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	assert_int_equal(fd, dev_fd);
	if (setfsuid(-1))
		caller = true;
	if (request == SHAREDPC_IOC_WATCH)
		return watch(arg);
	errno = EIO;
	if (broken)
		return -1;
	if (request == SHAREDPC_IOC_NAME)
		return name_word(arg);
	assert_int_equal(request, SHAREDPC_IOC_LOOK);
	return look_word(arg);
}

static struct ccfs_welcome greet(void)
{
	struct ccfs_welcome w;
	struct msg m = { 0 };

	if (conn >= 0)
		close(conn);
	conn = fresh();
	assert_int_equal(hello(conn, at("rw"), 0, &m), 0);
	assert_int_equal(msg_get(&m, &w, sizeof(w)), 0);
	msg_free(&m);
	return w;
}

static int setup_words(void **state)
{
	setup_proxy(true);
	return 0;
}

static void attr_holds(const struct ccfs_attr *a)
{
	assert_int_equal(a->gen, GEN_LOOK + a->ino % 1000);
	assert_int_equal(a->flags, SHAREDPC_LOOK_ACL);
	if (mode_at_look && !S_ISLNK(a->mode))
		assert_int_equal(a->mode & 07777, mode_at_look);
}

static void entry_holds(const struct ccfs_entry *e, const char *name)
{
	attr_holds(&e->attr);
	assert_int_equal(e->name_gen, GEN_NAME + strlen(name));
}

/* No module, or one that will not have this file system: nothing holds. */
static void test_none(void **state)
{
	struct ccfs_welcome w;
	struct ccfs_entry e;

	put_file("rw/f", "abc", 0644);
	for (int i = 0; i < 3; i++) {
		absent = i == 0;
		refuse = i == 1 ? EOPNOTSUPP : 0;
		broken = i == 2;
		w = greet();
		assert_int_equal(w.flags & CCFS_WELCOME_WORDS,
				 broken ? CCFS_WELCOME_WORDS : 0);
		assert_int_equal(w.root.gen, 0);
		assert_true(S_ISDIR(w.root.mode));
		assert_int_equal(name_op(CCFS_LOOKUP, CCFS_ROOT, "f", &root, &e), 0);
		assert_int_equal(e.name_gen, 0);
		assert_int_equal(e.attr.gen, 0);
		assert_int_equal(e.attr.flags, 0);
		assert_int_equal(e.attr.size, 3);
	}
	broken = false;
}

/* What is read after the word is newer than its value. */
static void test_order(void **state)
{
	struct ccfs_setattr set = { .valid = CCFS_SET_SIZE, .size = 5 };
	struct ccfs_welcome w;
	struct ccfs_entry e;
	struct ccfs_attr a;
	struct msg m = { 0 };

	mode_at_look = 0751;
	w = greet();
	assert_int_equal(w.flags, CCFS_WELCOME_LOCAL | CCFS_WELCOME_WORDS);
	assert_int_equal(w.bits, 17);
	assert_int_equal(w.salt, 0x1234567890);
	attr_holds(&w.root);
	assert_int_equal(name_op(CCFS_LOOKUP, CCFS_ROOT, "f", &root, &e), 0);
	entry_holds(&e, "f");
	mode_at_look = 0640;
	start(&m, CCFS_GETATTR, e.node, &root);
	assert_int_equal(ask(&m), 0);
	assert_int_equal(msg_get(&m, &a, sizeof(a)), 0);
	attr_holds(&a);
	start(&m, CCFS_SETATTR, e.node, &root);
	msg_put(&m, &set, sizeof(set));
	assert_int_equal(ask(&m), 0);
	assert_int_equal(msg_get(&m, &a, sizeof(a)), 0);
	attr_holds(&a);
	assert_int_equal(a.size, 5);
	/* a name that comes once its word is read is found */
	make_at_name = "soon";
	assert_int_equal(name_op(CCFS_LOOKUP, CCFS_ROOT, "soon", &root, &e), 0);
	entry_holds(&e, "soon");
	make_at_name = NULL;
	msg_free(&m);
}

/* All that is made comes with its words, whoever makes it. */
static void test_made(void **state)
{
	const struct ccfs_cred *who[] = { &root, &user };
	struct ccfs_link ln = { .newdir = CCFS_ROOT };
	struct ccfs_entry e;
	struct msg m = { 0 };
	char name[16];

	mode_at_look = 0;
	assert_int_equal(chmod(at("rw"), 0777), 0);
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "dir%d", i);
		assert_int_equal(make(CCFS_MKDIR, CCFS_ROOT, name, 0777, who[i], &e), 0);
		entry_holds(&e, name);
		assert_int_equal(name_op(CCFS_LOOKUP, CCFS_ROOT, name, who[i], &e), 0);
		entry_holds(&e, name);
		snprintf(name, sizeof(name), "fifo%d", i);
		assert_int_equal(make(CCFS_MKNOD, CCFS_ROOT, name, S_IFIFO | 0666,
				      who[i], &e), 0);
		entry_holds(&e, name);
		snprintf(name, sizeof(name), "file%d", i);
		assert_int_equal(make(CCFS_CREATE, CCFS_ROOT, name, 0666, who[i], &e), 0);
		entry_holds(&e, name);
		start(&m, CCFS_LINK, e.node, who[i]);
		msg_put(&m, &ln, sizeof(ln));
		snprintf(name, sizeof(name), "hard%d", i);
		put_name(&m, name);
		assert_int_equal(ask(&m), 0);
		assert_int_equal(msg_get(&m, &e, sizeof(e)), 0);
		entry_holds(&e, name);
		start(&m, CCFS_SYMLINK, CCFS_ROOT, who[i]);
		snprintf(name, sizeof(name), "soft%d", i);
		put_name(&m, name);
		put_name(&m, "to");
		assert_int_equal(ask(&m), 0);
		assert_int_equal(msg_get(&m, &e, sizeof(e)), 0);
		entry_holds(&e, name);
	}
	assert_false(caller);
	msg_free(&m);
}

/*
 * The answer in @m ends with @dir, as it is after the change: its word is read
 * when that is done, all else is read when its word is.
 */
static void changed_holds(struct msg *m, const struct ccfs_entry *dir)
{
	struct ccfs_attr a;

	assert_int_equal(msg_get(m, &a, sizeof(a)), 0);
	assert_true(S_ISDIR(a.mode));
	assert_int_equal(a.ino, dir->attr.ino);
	attr_holds(&a);
	assert_int_equal(early, 0);
}

/* Whatever it is that changes @name in dirs[0], which is @there afterwards. */
static void change(struct msg *m, const char *name, bool there)
{
	assert_int_equal(chmod(at("rw/d0"), 0777), 0);
	assert_int_equal(chmod(at("rw/d1"), 0777), 0);
	mode_at_look = 01777;
	name_at_look = name;
	there_at_look = there;
	assert_int_equal(ask(m), 0);
}

/* Make @name by @op; its node. */
static uint64_t change_make(unsigned int op, const char *name, mode_t mode,
			    const struct ccfs_cred *who)
{
	struct ccfs_make mk = { .mode = mode, .flags = O_RDWR | O_CREAT };
	struct ccfs_open o = { 0 };
	struct ccfs_entry e;
	struct msg m = { 0 };

	start(&m, op, dirs[0].node, who);
	if (op != CCFS_SYMLINK)
		msg_put(&m, &mk, sizeof(mk));
	put_name(&m, name);
	if (op == CCFS_SYMLINK)
		put_name(&m, "to");
	change(&m, name, true);
	assert_int_equal(msg_get(&m, &e, sizeof(e)), 0);
	if (op == CCFS_CREATE)
		assert_int_equal(msg_get(&m, &o, sizeof(o)), 0);
	changed_holds(&m, &dirs[0]);
	assert_int_equal(msg_end(&m), 0);
	if (op == CCFS_CREATE)
		drop(&o);
	msg_free(&m);
	return e.node;
}

static void change_link(uint64_t node, const char *name,
			const struct ccfs_cred *who)
{
	struct ccfs_link ln = { .newdir = dirs[0].node };
	struct ccfs_entry e;
	struct msg m = { 0 };

	start(&m, CCFS_LINK, node, who);
	msg_put(&m, &ln, sizeof(ln));
	put_name(&m, name);
	change(&m, name, true);
	assert_int_equal(msg_get(&m, &e, sizeof(e)), 0);
	changed_holds(&m, &dirs[0]);
	assert_int_equal(msg_end(&m), 0);
	msg_free(&m);
}

static void change_remove(unsigned int op, const char *name,
			  const struct ccfs_cred *who)
{
	struct msg m = { 0 };

	start(&m, op, dirs[0].node, who);
	put_name(&m, name);
	change(&m, name, false);
	changed_holds(&m, &dirs[0]);
	assert_int_equal(msg_end(&m), 0);
	msg_free(&m);
}

/* From dirs[0] into dirs[@to]. */
static void change_rename(int to, const struct ccfs_cred *who)
{
	struct ccfs_rename rn = { .newdir = dirs[to].node };
	struct msg m = { 0 };

	put_file("rw/d0/old", "", 0600);
	assert_int_equal(chown(at("rw/d0/old"), who->uid, who->gid), 0);
	start(&m, CCFS_RENAME, dirs[0].node, who);
	msg_put(&m, &rn, sizeof(rn));
	put_name(&m, "old");
	put_name(&m, to ? "moved" : "renamed");
	change(&m, "old", false);
	changed_holds(&m, &dirs[0]);
	changed_holds(&m, &dirs[to]);
	assert_int_equal(msg_end(&m), 0);
	msg_free(&m);
}

/* What is refused says nothing of the directory. */
static void refused(unsigned int op, const char *name)
{
	struct msg m = { 0 };

	start(&m, op, dirs[0].node, &root);
	put_name(&m, name);
	assert_int_equal(ask(&m), -ENOENT);
	assert_int_equal(m.len, 0);
	msg_free(&m);
}

/* Whoever changes a name gets to know the directory as it is then. */
static void test_changed(void **state)
{
	const struct ccfs_cred *who[] = { &root, &user };
	uint64_t node;

	for (int i = 0; i < 2; i++)
		assert_int_equal(make(CCFS_MKDIR, CCFS_ROOT, i ? "d1" : "d0", 0777,
				      &root, &dirs[i]), 0);
	for (int i = 0; i < 2; i++) {
		change_make(CCFS_MKDIR, "sub", 0777, who[i]);
		change_make(CCFS_MKNOD, "fifo", S_IFIFO | 0600, who[i]);
		change_make(CCFS_SYMLINK, "soft", 0, who[i]);
		node = change_make(CCFS_CREATE, "file", 0666, who[i]);
		change_link(node, "hard", who[i]);
		change_rename(0, who[i]);
		change_rename(1, who[i]);
		change_remove(CCFS_RMDIR, "sub", who[i]);
		change_remove(CCFS_UNLINK, "fifo", who[i]);
		change_remove(CCFS_UNLINK, "soft", who[i]);
		change_remove(CCFS_UNLINK, "file", who[i]);
		change_remove(CCFS_UNLINK, "hard", who[i]);
	}
	mode_at_look = 0;
	name_at_look = NULL;
	refused(CCFS_UNLINK, "none");
	refused(CCFS_RMDIR, "none");
	assert_false(caller);
}

/*
 * Change the extended attribute @name of @node by @op: the answer has the file as
 * it is then.
 */
static struct ccfs_attr xattr_change(unsigned int op, uint64_t node, const char *name,
				     const void *value, size_t len,
				     const struct ccfs_cred *who)
{
	struct ccfs_xattr xa = { 0 };
	struct ccfs_attr a;
	struct msg m = { 0 };

	start(&m, op, node, who);
	msg_put(&m, &xa, sizeof(xa));
	put_name(&m, name);
	if (op == CCFS_SETXATTR)
		msg_put_str(&m, value, len);
	xattr_at_look = name;
	there_at_look = op == CCFS_SETXATTR;
	assert_int_equal(ask(&m), 0);
	xattr_at_look = NULL;
	assert_int_equal(msg_get(&m, &a, sizeof(a)), 0);
	assert_int_equal(msg_end(&m), 0);
	attr_holds(&a);
	assert_int_equal(early, 0);
	msg_free(&m);
	return a;
}

/* Whoever changes an extended attribute gets to know the file as it is then. */
static void test_xattrs(void **state)
{
	/* version 2; user 7, group 4 and others 1: that is a mode */
	static const uint32_t acl[] = {
		2, 0x00070001, -1u, 0x00040004, -1u, 0x00010020, -1u,
	};
	const struct ccfs_cred *who[] = { &root, &user };
	struct ccfs_xattr xa = { 0 };
	struct ccfs_entry e;
	struct ccfs_attr a;
	struct msg m = { 0 };

	if (setxattr(at("rw"), "user.x", "", 0, 0) && errno == EOPNOTSUPP)
		skip();
	assert_int_equal(make(CCFS_CREATE, CCFS_ROOT, "marked", 0666, &user, &e), 0);
	for (int i = 0; i < 2; i++) {
		mode_at_look = 0604;
		a = xattr_change(CCFS_SETXATTR, e.node, "user.x", "y", 1, who[i]);
		assert_int_equal(a.ino, e.attr.ino);
		xattr_change(CCFS_SETXATTR, e.node, "user.x", "", 0, who[i]);
		xattr_change(CCFS_REMOVEXATTR, e.node, "user.x", NULL, 0, who[i]);
	}
	mode_at_look = 0;
	start(&m, CCFS_SETXATTR, e.node, &user);
	msg_put(&m, &xa, sizeof(xa));
	put_name(&m, "system.posix_acl_access");
	msg_put_str(&m, acl, sizeof(acl));
	assert_int_equal(ask(&m), 0);
	assert_int_equal(msg_get(&m, &a, sizeof(a)), 0);
	attr_holds(&a);
	assert_int_equal(a.mode, S_IFREG | 0741);
	start(&m, CCFS_REMOVEXATTR, e.node, &user);	/* what is not there */
	msg_put(&m, &xa, sizeof(xa));
	put_name(&m, "user.x");
	assert_int_equal(ask(&m), -ENODATA);
	assert_int_equal(m.len, 0);
	assert_false(caller);
	msg_free(&m);
}

/* A file that was created, and is not what the name means by now. */
static void test_created(void **state)
{
	struct ccfs_entry e;
	struct stat st;

	swap_at_name = "created";
	put_file("rw/other", "", 0600);
	assert_int_equal(make(CCFS_CREATE, CCFS_ROOT, "created", 0666, &root, &e), 0);
	assert_int_equal(e.name_gen, 0);
	attr_holds(&e.attr);
	assert_int_equal(stat(at("rw/created"), &st), 0);
	assert_int_not_equal(st.st_ino, e.attr.ino);
	assert_int_equal(e.attr.nlink, 0);
	swap_at_name = NULL;
}

/* A listing: words of all, before; what goes meanwhile is a bare name. */
static void test_listing(void **state)
{
	struct ccfs_readdir rd = { .size = 65536, .flags = CCFS_READDIR_PLUS };
	struct ccfs_listing head;
	struct ccfs_entry e;
	char name[256];
	struct ccfs_dirent d;
	struct ccfs_attr a;
	struct msg m = { 0 };
	const void *text;
	uint64_t dir;
	int n = 0;

	assert_int_equal(mkdir(at("rw/list"), 0700), 0);
	put_file("rw/list/stays", "", 0600);
	put_file("rw/list/goes", "", 0600);
	assert_int_equal(symlink("x", at("rw/list/link")), 0);
	dir = lookup(CCFS_ROOT, "list");
	remove_at_name = "goes";
	mode_at_look = 0604;
	start(&m, CCFS_READDIR, dir, &user);	/* who opened it may read it */
	msg_put(&m, &rd, sizeof(rd));
	assert_int_equal(ask(&m), 0);
	assert_int_equal(msg_get(&m, &head, sizeof(head)), 0);
	for (; !msg_get(&m, &d, sizeof(d)); n++) {
		assert_int_equal(msg_get(&m, name, d.len), 0);
		name[d.len] = '\0';
		assert_int_equal(msg_get_data(&m, d.text_len, &text), 0);
		if (name[0] == '.' || !strcmp(name, "goes")) {
			assert_int_equal(d.node, 0);
			continue;
		}
		assert_int_equal(d.text_len, !strcmp(name, "link"));
		assert_int_not_equal(d.node, 0);
		assert_int_equal(msg_get(&m, &a, sizeof(a)), 0);
		e = (struct ccfs_entry) { .name_gen = d.name_gen, .attr = a };
		entry_holds(&e, name);
	}
	assert_int_equal(n, 5);
	remove_at_name = NULL;
	mode_at_look = 0;
	assert_false(caller);
	msg_free(&m);
}

/* Is @fd, which was the device, still that? Its number may be somebody else's. */
static bool is_device(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISCHR(st.st_mode);
}

/* Each mount watches, and no longer than it lives. */
static void test_watches(void **state)
{
	int first, before = watched;

	greet();
	first = dev_fd;
	greet();
	await_conns(1);
	assert_int_equal(watched, before + 2);
	for (int ms = 0; first != dev_fd && is_device(first) && ms < 5000; ms += 10)
		usleep(10000);
	assert_true(first == dev_fd || !is_device(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_xattrs),
		cmocka_unit_test(test_created),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_watches),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, setup_words, teardown);
}
