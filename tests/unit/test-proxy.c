// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a client may ask of its proxy, and what it must not get: see
 * proxy-test.h for the proxy that is asked.
 */
#include "proxy-test.h"

#define MUTATIONS	20000

static void refused(const char *path, unsigned int flags, int error)
{
	struct msg m = { 0 };
	char *why = NULL;
	int fd = fresh();

	assert_int_equal(hello(fd, path, flags, &m), error);
	assert_int_equal(msg_get_str(&m, 1000, &why), 0);
	assert_true(strlen(why) > 10);
	free(why);
	assert_int_equal(msg_recv(fd, &m), -ENOTCONN);
	msg_free(&m);
	close(fd);
}

static void test_hello(void **state)
{
	struct ccfs_welcome w;
	struct msg m = { 0 };
	int fd;

	refused(at("nothing"), 0, -ENOENT);
	refused("relative", 0, -ENOENT);
	refused(at("others"), 0, -EACCES);
	refused(at("ro"), 0, -EROFS);
	fd = fresh();
	assert_int_equal(hello(fd, at("ro"), CCFS_HELLO_RO, &m), 0);
	assert_int_equal(msg_get(&m, &w, sizeof(w)), 0);
	assert_int_equal(w.flags, CCFS_WELCOME_RO | CCFS_WELCOME_LOCAL);
	/* a second HELLO ends the connection */
	assert_true(hello(fd, at("ro"), CCFS_HELLO_RO, &m) < 0);
	close(fd);
	/* and so does anything else at first */
	fd = fresh();
	start(&m, CCFS_GETATTR, CCFS_ROOT, &root);
	assert_true(ask_on(fd, &m) < 0);
	close(fd);
	msg_free(&m);
}

static void test_names(void **state)
{
	struct ccfs_entry dir, file, e;
	struct ccfs_rename rn = { 0 };
	struct ccfs_link ln;
	struct msg m = { 0 };
	struct stat st;
	char *text;

	assert_int_equal(make(CCFS_MKDIR, CCFS_ROOT, "d", 0777, &root, &dir), 0);
	assert_int_equal(make(CCFS_CREATE, dir.node, "f", 0666, &root, &file), 0);
	assert_int_equal(stat(at("rw/d/f"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(st.st_ino, file.attr.ino);
	/* one node for one inode, by whatever name */
	assert_int_equal(lookup(dir.node, "f"), file.node);
	ln.newdir = CCFS_ROOT;
	start(&m, CCFS_LINK, file.node, &root);
	msg_put(&m, &ln, sizeof(ln));
	put_name(&m, "g");
	assert_int_equal(ask(&m), 0);
	assert_int_equal(msg_get(&m, &e, sizeof(e)), 0);
	assert_int_equal(e.node, file.node);
	assert_int_equal(e.attr.nlink, 2);

	rn.newdir = CCFS_ROOT;
	start(&m, CCFS_RENAME, dir.node, &root);
	msg_put(&m, &rn, sizeof(rn));
	put_name(&m, "f");
	put_name(&m, "h");
	assert_int_equal(ask(&m), 0);
	assert_int_equal(access(at("rw/d/f"), F_OK), -1);
	assert_int_equal(access(at("rw/h"), F_OK), 0);

	start(&m, CCFS_SYMLINK, CCFS_ROOT, &root);
	put_name(&m, "l");
	put_name(&m, "/etc");
	assert_int_equal(ask(&m), 0);
	assert_int_equal(msg_get(&m, &e, sizeof(e)), 0);
	assert_int_equal(e.attr.mode & S_IFMT, S_IFLNK);
	start(&m, CCFS_READLINK, e.node, &root);
	assert_int_equal(ask(&m), 0);
	assert_int_equal(msg_get_str(&m, 100, &text), 0);
	assert_string_equal(text, "/etc");
	free(text);

	assert_int_equal(name_op(CCFS_RMDIR, CCFS_ROOT, "d", &root, NULL), 0);
	assert_int_equal(name_op(CCFS_UNLINK, CCFS_ROOT, "g", &root, NULL), 0);
	assert_int_equal(name_op(CCFS_UNLINK, CCFS_ROOT, "h", &root, NULL), 0);
	assert_int_equal(name_op(CCFS_LOOKUP, CCFS_ROOT, "h", &root, NULL), -ENOENT);
	/* without any name it is still there, until it is forgotten */
	start(&m, CCFS_GETATTR, file.node, &root);
	assert_int_equal(ask(&m), 0);
	forget(file.node, 2);
	start(&m, CCFS_GETATTR, file.node, &root);
	assert_int_equal(ask(&m), 0);
	forget(file.node, 100);
	start(&m, CCFS_GETATTR, file.node, &root);
	assert_int_equal(ask(&m), -ESTALE);
	msg_free(&m);
}

/* Does @name in @dir still mean @node?  0 and *@attr, or an error. */
static int same(uint64_t dir, const char *name, uint64_t node,
		const struct ccfs_cred *cred, struct ccfs_attr *attr)
{
	struct ccfs_same s = { .node = node };
	struct msg m = { 0 };
	int ret;

	start(&m, CCFS_REVALIDATE, dir, cred);
	msg_put(&m, &s, sizeof(s));
	put_name(&m, name);
	ret = ask(&m);
	if (!ret)
		assert_int_equal(msg_get(&m, attr, sizeof(*attr)), 0);
	if (!ret)
		assert_int_equal(msg_end(&m), 0);
	msg_free(&m);
	return ret;
}

static void test_revalidate(void **state)
{
	struct ccfs_entry d, f, g;
	struct ccfs_attr attr;

	assert_int_equal(mkdir(at("rw/same"), 0700), 0);
	put_file("rw/same/f", "x", 0644);
	put_file("rw/same/g", "xy", 0644);
	assert_int_equal(name_op(CCFS_LOOKUP, CCFS_ROOT, "same", &root, &d), 0);
	assert_int_equal(name_op(CCFS_LOOKUP, d.node, "f", &root, &f), 0);
	assert_int_equal(name_op(CCFS_LOOKUP, d.node, "g", &root, &g), 0);
	assert_int_equal(same(d.node, "f", f.node, &root, &attr), 0);
	assert_memory_equal(&attr, &f.attr, sizeof(attr));
	assert_int_equal(same(d.node, "f", g.node, &root, &attr), -ESTALE);
	assert_int_equal(same(d.node, "none", f.node, &root, &attr), -ENOENT);
	assert_int_equal(same(f.node, "f", f.node, &root, &attr), -ENOTDIR);
	assert_int_equal(same(d.node, "f", 1000000, &root, &attr), -ESTALE);
	/* who may not look it up is not told */
	assert_int_equal(same(d.node, "f", f.node, &user, &attr), -EACCES);
	assert_int_equal(chmod(at("rw/same"), 0755), 0);
	assert_int_equal(same(d.node, "f", f.node, &user, &attr), 0);
	/* another file of that name, and the same under another */
	assert_int_equal(rename(at("rw/same/g"), at("rw/same/f")), 0);
	assert_int_equal(same(d.node, "f", f.node, &root, &attr), -ESTALE);
	assert_int_equal(same(d.node, "f", g.node, &root, &attr), 0);
	assert_int_equal(attr.size, 2);
	assert_int_equal(same(d.node, "g", g.node, &root, &attr), -ENOENT);
	/* what is mounted on it is not seen */
	assert_int_equal(mount("none", at("rw/same"), "tmpfs", 0, NULL), 0);
	assert_int_equal(same(CCFS_ROOT, "same", d.node, &root, &attr), 0);
	assert_int_equal(umount(at("rw/same")), 0);
	/* it has used up nothing, and is no use of the node */
	forget(f.node, 1);
	forget(g.node, 1);
	assert_int_equal(same(d.node, "f", g.node, &root, &attr), -ESTALE);
	forget(d.node, 1);
}

/* A name that is none ends the connection. */
static void no_name(const char *name)
{
	struct msg m = { 0 };
	int fd = fresh();

	assert_int_equal(hello(fd, at("rw"), 0, &m), 0);
	start(&m, CCFS_LOOKUP, CCFS_ROOT, &root);
	put_name(&m, name);
	assert_true(ask_on(fd, &m) < 0);
	msg_free(&m);
	close(fd);
}

static void test_escapes(void **state)
{
	struct ccfs_open o;
	struct msg m = { 0 };
	uint64_t node;

	no_name("..");
	no_name(".");
	no_name("");
	no_name("../secret");
	no_name("/etc/passwd");
	/* a link out of the export is a link, not what it points to */
	assert_int_equal(symlink("..", at("rw/up")), 0);
	node = lookup(CCFS_ROOT, "up");
	assert_int_equal(name_op(CCFS_LOOKUP, node, "secret", &root, NULL), -ENOTDIR);
	assert_int_equal(open_node(node, O_RDONLY, &root, &o), -EOPNOTSUPP);
	start(&m, CCFS_READDIR, node, &root);
	msg_put(&m, &(struct ccfs_readdir){ .size = 4096 },
		sizeof(struct ccfs_readdir));
	assert_true(ask(&m) < 0);
	assert_int_equal(symlink(at("secret"), at("rw/out")), 0);
	node = lookup(CCFS_ROOT, "out");
	assert_int_equal(open_node(node, O_RDONLY, &root, &o), -EOPNOTSUPP);
	/* what is mounted in the export is not exported with it */
	assert_int_equal(mkdir(at("rw/sub"), 0755), 0);
	put_file("rw/sub/below", "x", 0644);
	assert_int_equal(mount("none", at("rw/sub"), "tmpfs", 0, NULL), 0);
	put_file("rw/sub/hidden", "x", 0644);
	node = lookup(CCFS_ROOT, "sub");
	assert_int_equal(name_op(CCFS_LOOKUP, node, "hidden", &root, NULL), -ENOENT);
	assert_int_equal(name_op(CCFS_LOOKUP, node, "below", &root, NULL), 0);
	assert_int_equal(umount(at("rw/sub")), 0);
	/* no ids but those that were given out */
	start(&m, CCFS_GETATTR, 1000000, &root);
	assert_int_equal(ask(&m), -ESTALE);
	start(&m, CCFS_GETATTR, 0, &root);
	assert_int_equal(ask(&m), -ESTALE);
	msg_free(&m);
}

static void test_credentials(void **state)
{
	struct ccfs_setattr set = { .valid = CCFS_SET_UID, .uid = 0 };
	struct ccfs_cred member = { .uid = USER, .gid = USER, .ngroups = 1 };
	struct ccfs_make mk = { .flags = O_RDONLY };
	struct ccfs_xattr xa = { .size = 1 };
	struct ccfs_entry e;
	struct ccfs_open o;
	struct msg m = { 0 };
	uint32_t group = 77;
	struct stat st;
	uint64_t node;

	assert_int_equal(chmod(at("rw"), 0755), 0);
	assert_int_equal(make(CCFS_MKDIR, CCFS_ROOT, "no", 0777, &user, &e), -EACCES);
	assert_int_equal(chmod(at("rw"), 0777), 0);
	assert_int_equal(make(CCFS_CREATE, CCFS_ROOT, "mine", 0666, &user, &e), 0);
	assert_int_equal(stat(at("rw/mine"), &st), 0);
	assert_int_equal(st.st_uid, USER);
	assert_int_equal(st.st_gid, USER);
	assert_int_equal(st.st_mode & 07777, 0640);	/* the umask is the caller's */
	assert_int_equal(setattr(e.node, &set, &user), -EPERM);
	assert_int_equal(setattr(e.node, &set, &root), 0);
	assert_int_equal(make(CCFS_MKNOD, CCFS_ROOT, "fifo", S_IFIFO | 0600, &user, &e), 0);
	assert_int_equal(make(CCFS_MKNOD, CCFS_ROOT, "dev", S_IFCHR | 0600, &user, &e), -EPERM);

	put_file("rw/private", "secret", 0600);
	node = lookup(CCFS_ROOT, "private");
	assert_int_equal(open_node(node, O_RDONLY, &user, &o), -EACCES);
	assert_int_equal(open_node(node, O_RDWR | O_TRUNC, &user, &o), -EACCES);
	assert_int_equal(open_node(node, O_RDONLY, &root, &o), 0);
	drop(&o);
	/* not even with capabilities that setfsuid leaves */
	start(&m, CCFS_SETXATTR, node, &user);
	msg_put(&m, &xa, sizeof(xa));
	put_name(&m, "trusted.x");
	put_name(&m, "v");
	assert_int_equal(ask(&m), -EPERM);

	/* groups count, and only for the request that has them */
	assert_int_equal(chown(at("rw/private"), 0, group), 0);
	assert_int_equal(chmod(at("rw/private"), 0640), 0);
	start(&m, CCFS_OPEN, node, &member);
	msg_put(&m, &group, sizeof(group));
	msg_put(&m, &mk, sizeof(mk));
	assert_int_equal(ask(&m), 0);
	assert_int_equal(msg_get(&m, &o, sizeof(o)), 0);
	drop(&o);
	assert_int_equal(open_node(node, O_RDONLY, &user, &o), -EACCES);
	/* what may be run need not be readable */
	assert_int_equal(chmod(at("rw/private"), 0711), 0);
	assert_int_equal(open_node(node, O_RDONLY, &user, &o), -EACCES);
	assert_int_equal(open_node(node, O_RDONLY | 0x20, &user, &o), 0);
	drop(&o);
	assert_int_equal(name_op(CCFS_UNLINK, CCFS_ROOT, "fifo", &root, NULL), 0);
	msg_free(&m);
}

static void test_open(void **state)
{
	struct ccfs_setattr set = { .valid = CCFS_SET_SIZE | CCFS_SET_OPENED };
	char path[64], buf[8];
	struct ccfs_open o, p;
	struct stat st;
	uint64_t node;
	int fd;

	put_file("rw/data", "abc", 0644);
	node = lookup(CCFS_ROOT, "data");
	assert_int_equal(open_node(node, O_RDWR, &root, &o), 0);
	assert_int_equal(open_node(node, O_RDONLY, &root, &p), 0);
	assert_int_equal(o.flags, CCFS_OPEN_LOCAL | CCFS_OPEN_WRITABLE);
	assert_int_equal(p.flags, CCFS_OPEN_LOCAL);
	assert_int_not_equal(o.file, p.file);
	snprintf(path, sizeof(path), "/proc/%u/fd/%d", o.pid, o.fd);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), 3);
	close(fd);
	drop(&o);
	drop(&p);
	drop(&p);
	assert_int_equal(files_count(&proxy.files), 0);
	assert_int_equal(open_node(node, O_WRONLY | O_TRUNC, &root, &o), 0);
	drop(&o);
	assert_int_equal(stat(at("rw/data"), &st), 0);
	assert_int_equal(st.st_size, 0);
	/* who has it open for writing may truncate, whatever the mode is now */
	assert_int_equal(chmod(at("rw/data"), 0), 0);
	set.size = 5000;
	assert_int_equal(setattr(node, &set, &user), 0);
	assert_int_equal(stat(at("rw/data"), &st), 0);
	assert_int_equal(st.st_size, 5000);
	set.valid = CCFS_SET_SIZE;
	assert_int_equal(setattr(node, &set, &user), -EACCES);
}

static void test_read_only(void **state)
{
	struct ccfs_setattr set = { .valid = CCFS_SET_MODE, .mode = 0777 };
	struct ccfs_open o;
	struct msg m = { 0 };
	struct ccfs_entry e;
	int old = conn;
	uint64_t node;

	put_file("ro/file", "x", 0666);
	conn = fresh();
	assert_int_equal(hello(conn, at("ro"), CCFS_HELLO_RO, &m), 0);
	node = lookup(CCFS_ROOT, "file");
	assert_int_equal(open_node(node, O_RDONLY, &root, &o), 0);
	drop(&o);
	assert_int_equal(open_node(node, O_RDWR, &root, &o), -EROFS);
	assert_int_equal(make(CCFS_CREATE, CCFS_ROOT, "new", 0666, &root, &e), -EROFS);
	assert_int_equal(setattr(node, &set, &root), -EROFS);
	set = (struct ccfs_setattr) { .valid = CCFS_SET_SIZE };
	assert_int_equal(setattr(node, &set, &root), -EROFS);
	assert_int_equal(name_op(CCFS_UNLINK, CCFS_ROOT, "file", &root, NULL), -EROFS);
	close(conn);
	conn = old;
	msg_free(&m);
}

/* Ask for a listing on @fd: the answer's error. */
static int readdir_on(int fd, struct msg *m, uint64_t dir,
		      const struct ccfs_readdir *rd)
{
	start(m, CCFS_READDIR, dir, &root);
	msg_put(m, rd, sizeof(*rd));
	return ask_on(fd, m);
}

/* All names of @dir, read @size bytes at a time. */
static int count_names(uint64_t dir, uint32_t size)
{
	struct ccfs_readdir rd = { .size = size };
	struct ccfs_listing head = { 0 };
	struct ccfs_dirent e;
	struct msg m = { 0 };
	const void *name;
	int n = 0;

	while (!(head.flags & CCFS_LISTING_END)) {
		assert_int_equal(readdir_on(conn, &m, dir, &rd), 0);
		assert_true(m.len <= size);
		assert_int_equal(msg_get(&m, &head, sizeof(head)), 0);
		assert_true(m.pos < m.len || head.flags & CCFS_LISTING_END);
		while (!msg_get(&m, &e, sizeof(e))) {
			assert_int_equal(msg_get_data(&m, e.len, &name), 0);
			assert_int_equal(e.node, 0);
			assert_int_equal(e.text_len, 0);
			rd.offset = e.offset;
			n++;
		}
		assert_int_equal(msg_end(&m), 0);
	}
	msg_free(&m);
	return n;
}

static void test_readdir(void **state)
{
	struct ccfs_readdir rd = { .size = 60 };
	struct ccfs_range sync = { .mode = 1 };
	struct msg m = { 0 };
	char name[64];
	uint64_t dir;

	assert_int_equal(mkdir(at("rw/many"), 0755), 0);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "rw/many/a-longer-name-%d", i);
		put_file(name, "", 0644);
	}
	dir = lookup(CCFS_ROOT, "many");
	assert_int_equal(count_names(dir, CCFS_DIR_MAX), 3002);
	assert_int_equal(count_names(dir, 4096), 3002);
	assert_int_equal(count_names(dir, 100), 3002);
	/* nothing fits: that is not the end */
	rd.size = 7;
	assert_int_equal(readdir_on(conn, &m, dir, &rd), -EINVAL);
	rd.size = 8 + 40;
	assert_int_equal(readdir_on(conn, &m, dir, &rd), -EINVAL);
	rd = (struct ccfs_readdir) { .size = 4096, .offset = UINT64_MAX };
	assert_int_equal(readdir_on(conn, &m, dir, &rd), -EINVAL);

	start(&m, CCFS_FSYNCDIR, dir, &root);
	msg_put(&m, &sync, sizeof(sync));
	assert_int_equal(ask(&m), 0);
	/* removed: as it is locally */
	assert_int_equal(mkdir(at("rw/gone"), 0755), 0);
	dir = lookup(CCFS_ROOT, "gone");
	assert_int_equal(rmdir(at("rw/gone")), 0);
	rd.offset = 0;
	assert_int_equal(readdir_on(conn, &m, dir, &rd), -ENOENT);
	/* and what is no directory */
	put_file("rw/plain", "", 0644);
	dir = lookup(CCFS_ROOT, "plain");
	assert_int_equal(readdir_on(conn, &m, dir, &rd), -ENOTDIR);
	start(&m, CCFS_FSYNCDIR, dir, &root);
	msg_put(&m, &sync, sizeof(sync));
	assert_int_equal(ask(&m), -ENOTDIR);
	msg_free(&m);
}

/* An entry of a listing with all that comes along. */
struct listed {
	struct ccfs_dirent d;
	char name[CCFS_NAME_MAX + 1];
	char text[CCFS_PATH_MAX + 1];
	struct ccfs_attr attr;
};

static bool next_listed(struct msg *m, struct listed *e)
{
	if (msg_get(m, &e->d, sizeof(e->d)))
		return false;
	assert_int_equal(msg_get(m, e->name, e->d.len), 0);
	e->name[e->d.len] = '\0';
	assert_int_equal(msg_get(m, e->text, e->d.text_len), 0);
	e->text[e->d.text_len] = '\0';
	if (e->d.node)
		assert_int_equal(msg_get(m, &e->attr, sizeof(e->attr)), 0);
	return true;
}

/* @e is what a look-up says, and one use of the node more. */
static void as_looked_up(uint64_t dir, const struct listed *e)
{
	struct ccfs_entry entry;
	struct msg m = { 0 };

	assert_int_equal(name_op(CCFS_LOOKUP, dir, e->name, &root, &entry), 0);
	assert_int_equal(entry.node, e->d.node);
	assert_memory_equal(&entry.attr, &e->attr, sizeof(e->attr));
	assert_int_equal(entry.attr.ino, e->d.ino);
	forget(entry.node, 1);
	start(&m, CCFS_GETATTR, entry.node, &root);
	assert_int_equal(ask(&m), 0);
	forget(entry.node, 1);
	start(&m, CCFS_GETATTR, entry.node, &root);
	assert_int_equal(ask(&m), -ESTALE);
	msg_free(&m);
}

/* With attributes, for whoever may read the directory. */
static void test_readdir_plus(void **state)
{
	struct ccfs_readdir rd = {
		.size = CCFS_DIR_MAX, .flags = CCFS_READDIR_PLUS,
	};
	struct ccfs_listing head;
	char text[CCFS_PATH_MAX + 1];
	struct msg m = { 0 };
	struct listed e;
	uint64_t dir;
	int n = 0;

	memset(text, 't', sizeof(text));
	text[CCFS_PATH_MAX] = '\0';
	assert_int_equal(mkdir(at("rw/plus"), 0700), 0);
	put_file("rw/plus/file", "abc", 0600);
	assert_int_equal(mkdir(at("rw/plus/dir"), 0755), 0);
	assert_int_equal(symlink("else/where", at("rw/plus/link")), 0);
	assert_int_equal(symlink(text, at("rw/plus/long")), 0);
	assert_int_equal(mkfifo(at("rw/plus/fifo"), 0600), 0);
	dir = lookup(CCFS_ROOT, "plus");
	assert_int_equal(readdir_on(conn, &m, dir, &rd), 0);
	assert_int_equal(msg_get(&m, &head, sizeof(head)), 0);
	assert_int_equal(head.flags, CCFS_LISTING_END);
	for (; next_listed(&m, &e); n++) {
		if (e.name[0] == '.') {
			assert_int_equal(e.d.node, 0);
			continue;
		}
		assert_int_not_equal(e.d.node, 0);
		assert_int_equal(e.d.type, (e.attr.mode & S_IFMT) >> 12);
		assert_int_equal(e.attr.gen, 0);	/* no sharedpc.ko */
		assert_int_equal(e.d.name_gen, 0);
		assert_string_equal(e.text, !strcmp(e.name, "link") ? "else/where" :
				    !strcmp(e.name, "long") ? text : "");
		as_looked_up(dir, &e);
	}
	assert_int_equal(msg_end(&m), 0);
	assert_int_equal(n, 7);
	/* the long one never comes in part, nor is it left out */
	rd.size = 8 + 40 + 4 + CCFS_PATH_MAX + sizeof(struct ccfs_attr) - 1;
	while (!readdir_on(conn, &m, dir, &rd)) {
		assert_int_equal(msg_get(&m, &head, sizeof(head)), 0);
		assert_int_equal(head.flags, 0);
		while (next_listed(&m, &e)) {
			rd.offset = e.d.offset;
			assert_string_not_equal(e.name, "long");
		}
	}
	assert_int_equal(m.head.error, -EINVAL);
	rd.size++;
	assert_int_equal(readdir_on(conn, &m, dir, &rd), 0);
	assert_int_equal(msg_get(&m, &head, sizeof(head)), 0);
	assert_true(next_listed(&m, &e));
	assert_string_equal(e.name, "long");
	msg_free(&m);
}

/* A READDIR that nobody may send ends the connection. */
static void no_readdir(uint32_t size, uint32_t flags, size_t len)
{
	struct ccfs_readdir rd = { .size = size, .flags = flags };
	struct msg m = { 0 };
	int fd = fresh();

	assert_int_equal(hello(fd, at("rw"), 0, &m), 0);
	start(&m, CCFS_READDIR, CCFS_ROOT, &root);
	msg_put(&m, &rd, sizeof(rd));
	if (len > sizeof(rd))
		msg_put(&m, "x", 1);
	else
		msg_shrink(&m, sizeof(rd) - len);
	assert_true(ask_on(fd, &m) < 0);
	assert_true(msg_recv(fd, &m) < 0);
	msg_free(&m);
	close(fd);
}

static void test_readdir_malformed(void **state)
{
	const size_t len = sizeof(struct ccfs_readdir);

	no_readdir(CCFS_DIR_MAX + 1, 0, len);
	no_readdir(4096, 2, len);
	no_readdir(4096, 0, len - 1);
	no_readdir(4096, 0, len + 1);
}

/* Anything may come over a connection; the next one works as ever. */
static void test_mutations(void **state)
{
	struct ccfs_attr attr;
	struct msg m = { 0 };
	unsigned int seed = 2, op;
	int fd = -1;
	uint8_t *p;

	for (int i = 0; i < MUTATIONS; i++) {
		if (fd < 0) {
			fd = fresh();
			assert_int_equal(hello(fd, at("rw"), 0, &m), 0);
		}
		op = 1 + rand_r(&seed) % (CCFS_OPS - 1);
		start(&m, op, rand_r(&seed) % 4, &root);
		p = msg_put_room(&m, rand_r(&seed) % 80);
		for (uint8_t *end = m.data + m.len; p < end; p++)
			*p = rand_r(&seed) % 3 ? 0 : rand_r(&seed);
		if (rand_r(&seed) % 2)
			put_name(&m, "data");
		if (msg_send(fd, &m) ||
		    (op != CCFS_FORGET && op != CCFS_DROP && msg_recv(fd, &m))) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
	start(&m, CCFS_GETATTR, CCFS_ROOT, &root);
	assert_int_equal(ask(&m), 0);
	assert_int_equal(msg_get(&m, &attr, sizeof(attr)), 0);
	assert_true(S_ISDIR(attr.mode));
	msg_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_revalidate),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_readdir),
		cmocka_unit_test(test_readdir_plus),
		cmocka_unit_test(test_readdir_malformed),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
