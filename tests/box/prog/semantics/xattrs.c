// SPDX-License-Identifier: GPL-2.0-only
/*
 * xattrs.c - extended attributes, access control lists, and what new files get
 */
#define _GNU_SOURCE
#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "tests/box/prog/semantics/semantics.h"

#define TEN(x)	x x x x x x x x x x
#define N240	TEN("nnnnnnnnnnnnnnnnnnnnnnnn")
#define ACCESS	"system.posix_acl_access"
#define DEFAULT	"system.posix_acl_default"

static const char *const names[] = {
	"user.a", "user.", "user", "", "a", "trusted.a", "trusted.", "security.a", "security.",
	"security.capability", "system.a", "system.data", "system.", "unknown.a", "User.a",
	"os2.a", "btrfs.a", "user." N240 "1234567890", "user." N240 "12345678901",
};

static const char *const targets[] = {
	"file", "ro", "theirs", "shared", "secret", "dir", "locked", "sticky", "link", "fifo",
	"sock", "null", "absent",
};

static char room[70000];

static void set_all(const char *path, const char *name)
{
	say_value(lgetxattr(path, name, room, 100));
	say_ok(lsetxattr(path, name, "v", 1, XATTR_REPLACE));
	say_ok(lsetxattr(path, name, "v", 1, XATTR_CREATE));
	say_ok(lsetxattr(path, name, "v", 1, XATTR_CREATE));
	say_ok(lsetxattr(path, name, "vw", 2, XATTR_REPLACE));
	say_ok(lsetxattr(path, name, "vwx", 3, 0));
	say_ok(lsetxattr(path, name, "v", 1, XATTR_CREATE | XATTR_REPLACE));
	say_ok(lsetxattr(path, name, "v", 1, 4));
	say_value(lgetxattr(path, name, NULL, 0));
	say_value(lgetxattr(path, name, room, 2));
	say_value(llistxattr(path, NULL, 0));
	say_value(llistxattr(path, room, 2));
	say_ok(lremovexattr(path, name));
	say_ok(lremovexattr(path, name));
	line("%s.%.20s-%zu", path, name, strlen(name));
}

static void set_sizes(void)
{
	static const int sizes[] = { 0, 1, 100, 3000, 4000, 5000, 65536, 65537 };

	again("file");
	for (unsigned int i = 0; i < N(sizes); i++) {
		say_ok(setxattr("file", "user.size", room, sizes[i], 0));
		say_value(getxattr("file", "user.size", NULL, 0));
		say_value(getxattr("file", "user.size", room, sizes[i]));
		line("size.%d", sizes[i]);
	}
	say_ok(syscall(SYS_setxattr, "file", "user.size", (void *)1, 10, 0));
	line("fault");
	removexattr("file", "user.size");
	for (int i = 0; i < 5; i++) {
		char name[20];

		snprintf(name, sizeof(name), "user.n%d", i);
		must(setxattr("file", name, "v", i, 0), name);
	}
	say_value(listxattr("file", room, sizeof(room)));
	say_value(listxattr("file", room, 10));
	line("list");
}

static void by_fd(const char *path, int flags, const char *how)
{
	int fd = open(path, flags | O_NONBLOCK);

	say_ok(fsetxattr(fd, "user.fd", "v", 1, 0));
	say_value(fgetxattr(fd, "user.fd", NULL, 0));
	say_value(flistxattr(fd, NULL, 0));
	say_ok(fremovexattr(fd, "user.fd"));
	line("fd.%s.%s", path, how);
	close(fd);
}

void xattrs(void)
{
	as_root(make_all, "");
	for (unsigned int t = 0; t < N(targets); t++) {
		again(targets[t]);
		for (unsigned int n = 0; n < N(names); n++)
			set_all(targets[t], names[n]);
	}
	set_sizes();
	for (unsigned int t = 0; t < N(targets); t++) {
		by_fd(targets[t], O_RDONLY, "r");
		by_fd(targets[t], O_WRONLY, "w");
		by_fd(targets[t], O_PATH, "path");
	}
}

struct entry {
	__u16 tag, perm;
	__u32 id;
};

#define NOBODY	ACL_UNDEFINED_ID

static const struct {
	const char *name;
	int n;
	struct entry e[6];
} lists[] = {
	{ "minimal", 3, { { ACL_USER_OBJ, 6, NOBODY }, { ACL_GROUP_OBJ, 4, NOBODY },
	  { ACL_OTHER, 0, NOBODY } } },
	{ "user", 5, { { ACL_USER_OBJ, 7, NOBODY }, { ACL_USER, 5, OTHER },
	  { ACL_GROUP_OBJ, 5, NOBODY }, { ACL_MASK, 5, NOBODY }, { ACL_OTHER, 1, NOBODY } } },
	{ "group", 5, { { ACL_USER_OBJ, 7, NOBODY }, { ACL_GROUP_OBJ, 7, NOBODY },
	  { ACL_GROUP, 3, GROUP }, { ACL_MASK, 3, NOBODY }, { ACL_OTHER, 0, NOBODY } } },
	{ "no-mask", 4, { { ACL_USER_OBJ, 7, NOBODY }, { ACL_USER, 5, OTHER },
	  { ACL_GROUP_OBJ, 5, NOBODY }, { ACL_OTHER, 1, NOBODY } } },
	{ "order", 3, { { ACL_OTHER, 6, NOBODY }, { ACL_GROUP_OBJ, 4, NOBODY },
	  { ACL_USER_OBJ, 0, NOBODY } } },
	{ "twice", 4, { { ACL_USER_OBJ, 6, NOBODY }, { ACL_USER_OBJ, 6, NOBODY },
	  { ACL_GROUP_OBJ, 4, NOBODY }, { ACL_OTHER, 0, NOBODY } } },
	{ "perm", 3, { { ACL_USER_OBJ, 15, NOBODY }, { ACL_GROUP_OBJ, 4, NOBODY },
	  { ACL_OTHER, 0, NOBODY } } },
	{ "one", 1, { { ACL_USER_OBJ, 6, NOBODY } } },
	{ "empty", 0, {} },
};

static size_t list_value(int i, void *value)
{
	struct posix_acl_xattr_header *head = value;
	struct posix_acl_xattr_entry *e = (void *)(head + 1);

	head->a_version = htole32(POSIX_ACL_XATTR_VERSION);
	for (int k = 0; k < lists[i].n; k++) {
		e[k].e_tag = htole16(lists[i].e[k].tag);
		e[k].e_perm = htole16(lists[i].e[k].perm);
		e[k].e_id = htole32(lists[i].e[k].id);
	}
	return sizeof(*head) + lists[i].n * sizeof(*e);
}

static void acls_of(const char *path, const char *which)
{
	for (unsigned int i = 0; i < N(lists); i++) {
		size_t size = list_value(i, room);

		say_ok(setxattr(path, which, room, size, 0));
		say_file(path);
		say_value(getxattr(path, which, room, sizeof(room)));
		say_ok(chmod(path, 02750));
		say_file(path);
		say_value(getxattr(path, which, room, sizeof(room)));
		say_ok(access(path, W_OK));
		say_value(listxattr(path, NULL, 0));
		say_ok(removexattr(path, which));
		say_file(path);
		line("%s.%s.%s", which + 17, path, lists[i].name);
	}
	list_value(0, room);
	say_ok(setxattr(path, which, room, 3, 0));
	say_ok(setxattr(path, which, room, 13, 0));
	say_ok(setxattr(path, which, room, 0, 0));
	room[0] = 9;
	say_ok(setxattr(path, which, room, 28, 0));
	line("%s.%s.sizes", which + 17, path);
}

void acls(void)
{
	as_root(make_all, "");
	for (unsigned int t = 0; t < N(targets); t++) {
		acls_of(targets[t], ACCESS);
		acls_of(targets[t], DEFAULT);
	}
}

/* --- new files: umask, set-group-ID directories, default lists --- */

static void say_new(const char *name)
{
	char path[50];

	snprintf(path, sizeof(path), "d/%s", name);
	say_file(path);
	say_value(getxattr(path, ACCESS, NULL, 0));
	say_value(getxattr(path, DEFAULT, NULL, 0));
	as_root(remove_all, path);
}

static void make_new(mode_t mode)
{
	struct sockaddr_un addr = { AF_UNIX, "d/bound" };
	int fd = open("d/open", O_CREAT | O_RDWR, mode);

	close(fd);
	say_new("open");
	say_ok(mkdir("d/mkdir", mode));
	say_new("mkdir");
	say_ok(mknod("d/mknod", S_IFREG | mode, 0));
	say_new("mknod");
	say_ok(mkfifo("d/fifo", mode));
	say_new("fifo");
	say_ok(symlink("x", "d/symlink"));
	say_file("d/symlink");
	unlink("d/symlink");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	say_ok(bind(fd, (void *)&addr, sizeof(addr)));
	close(fd);
	say_new("bound");
}

static void make_tmpfile(mode_t mode)
{
	int fd = open("d", O_TMPFILE | O_RDWR, mode);

	say_fd(fd);
	say_value(fgetxattr(fd, ACCESS, NULL, 0));
	close(fd);
}

static const struct {
	const char *name;
	mode_t mode;
	gid_t gid;
} dirs[] = {
	{ "plain", 0777, 0 }, { "sgid", 02777, STRANGE }, { "sgid-second", 02777, GROUP },
	{ "sticky", 01777, 0 },
};

/* "DIR LIST" */
static void make_dir(const char *arg)
{
	char *rest;
	long d = strtol(arg, &rest, 10), list = strtol(rest, NULL, 10);
	static char value[200];

	remove_all("d");
	must(mkdir("d", 0700), "d");
	must(chown("d", them, dirs[d].gid), "d");
	must(chmod("d", dirs[d].mode), "d");
	if (list >= 0)
		must(setxattr("d", DEFAULT, value, list_value(list, value), 0), "default list");
}

void new_files(void)
{
	static const mode_t masks[] = { 022, 0707 };
	static const mode_t tried[] = { 0, 0666, 07777 };
	static const int with[] = { -1, 0, 1, 2 };
	char order[50], name[50];

	for (unsigned int d = 0; d < N(dirs); d++)
		for (unsigned int w = 0; w < N(with); w++) {
			snprintf(order, sizeof(order), "%u %d", d, with[w]);
			as_root(make_dir, order);
			snprintf(name, sizeof(name), "%s.%s", dirs[d].name,
				 with[w] < 0 ? "none" : lists[with[w]].name);
			for (unsigned int i = 0; i < N(masks) * N(tried); i++) {
				mode_t mask = masks[i / N(tried)], mode = tried[i % N(tried)];

				umask(mask);
				make_new(mode);
				line("%s.umask-%o.%o", name, mask, mode);
				make_tmpfile(mode);
				line("%s.umask-%o.%o.tmpfile", name, mask, mode);
			}
		}
}
