// SPDX-License-Identifier: GPL-2.0-only
/*
 * kinds.c - what is changed, and the state before it
 *
 * A kind has its own names, so that what is left of its last turn is remembered
 * when it comes again.  prepare() makes the state before, whatever the last
 * turn left; change() is one system call, or a store; undo() takes back what
 * the next prepare() could not.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "coherent.h"

#define FRESH_MODE	0644
#define COLOUR		"user.colour"
#define ACL		"system.posix_acl_access"

static int error_of(long ret)
{
	return ret < 0 ? -errno : 0;
}

static int gone(const char *path)
{
	if (!unlink(path) || errno == ENOENT)
		return 0;
	return error_of(rmdir(path));
}

static int make(const char *path, int flags, mode_t mode)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, mode);

	return fd < 0 ? -errno : error_of(close(fd));
}

static int put(int fd, const char *text)
{
	size_t n = strlen(text);

	return write(fd, text, n) == (ssize_t)n ? 0 : -EIO;
}

/* A file as if new: the same inode in every other turn, if there is one. */
static int file(const char *path, const struct scene *s, const char *text)
{
	struct stat st;
	int fd, ret;

	if (!lstat(path, &st) &&
	    (s->turn % 2 || !S_ISREG(st.st_mode) || st.st_nlink > 1)) {
		ret = gone(path);
		if (ret)
			return ret;
	}
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, FRESH_MODE);
	if (fd < 0)
		return -errno;
	ret = put(fd, text);
	if (!ret)
		ret = error_of(fchown(fd, 0, 0));
	fremovexattr(fd, COLOUR);
	fremovexattr(fd, ACL);
	if (!ret)
		ret = error_of(fchmod(fd, FRESH_MODE));
	close(fd);
	return ret;
}

static int none(struct scene *s)
{
	return gone(s->a);
}

static int one(struct scene *s)
{
	return file(s->a, s, "one");
}

static int one_alone(struct scene *s)
{
	int ret = one(s);

	return ret ? ret : gone(s->b);
}

static int two(struct scene *s)
{
	int ret = one(s);

	return ret ? ret : file(s->b, s, "the other");
}

static int two_links(struct scene *s)
{
	int ret = one_alone(s);

	return ret ? ret : error_of(link(s->a, s->b));
}

static int a_directory(struct scene *s)
{
	int ret = gone(s->a);

	return ret ? ret : error_of(mkdir(s->a, 0755));
}

static int a_symlink(struct scene *s)
{
	int ret = gone(s->a);

	if (!ret)
		ret = gone(s->b);
	if (!ret)
		ret = error_of(symlink("nowhere", s->a));
	return ret ? ret : error_of(symlink("somewhere/else", s->b));
}

static int change_create(struct scene *s)
{
	return make(s->a, O_EXCL, 0600);
}

static int change_chmod(struct scene *s)
{
	static const mode_t modes[] = { 0600, 0640, 0604, 0400, 0666, 0, 0755, 0111 };

	return error_of(chmod(s->a, modes[s->turn % 8]));
}

static int change_chown(struct scene *s)
{
	return error_of(chown(s->a, USER + s->turn % 2, 7));
}

static int change_rename(struct scene *s)
{
	return error_of(rename(s->a, s->b));
}

static int change_exchange(struct scene *s)
{
	return error_of(renameat2(AT_FDCWD, s->a, AT_FDCWD, s->b, RENAME_EXCHANGE));
}

/* u/e/a becomes U/e/b, by a rename of u; names below may be the same then. */
static void other_up(const struct scene *s, char *other)
{
	char *slash;

	strcpy(other, s->up);
	slash = strrchr(other, '/');
	slash[1] = 'U';
}

static int change_updir(struct scene *s)
{
	char other[PATH_SIZE];

	other_up(s, other);
	return error_of(rename(s->up, other));
}

static int undo_updir(struct scene *s)
{
	char other[PATH_SIZE];

	other_up(s, other);
	return error_of(rename(other, s->up));
}

static int change_link(struct scene *s)
{
	return error_of(link(s->a, s->b));
}

static int change_tmpfile(struct scene *s)
{
	char from[64];
	int fd, ret;

	fd = open(s->up, O_TMPFILE | O_RDWR | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	ret = put(fd, "nameless");
	if (!ret)
		ret = error_of(linkat(AT_FDCWD, from, AT_FDCWD, s->a, AT_SYMLINK_FOLLOW));
	close(fd);
	return ret;
}

static int change_truncate(struct scene *s)
{
	return error_of(truncate(s->a, 100 + s->turn));
}

static int change_open_truncate(struct scene *s)
{
	return make(s->a, O_TRUNC, 0);
}

static int change_write(struct scene *s)
{
	int fd = open(s->a, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = pwrite(fd, "z", 1, 1000 + s->turn) == 1 ? 0 : -errno;
	close(fd);
	return ret;
}

/* What is open before the change, until undo. */
static int one_open(struct scene *s)
{
	int ret = one(s);

	s->fd = ret ? -1 : open(s->a, O_RDWR | O_APPEND | O_CLOEXEC);
	return ret ? ret : error_of(s->fd);
}

static int one_mapped(struct scene *s)
{
	int ret = one_open(s);

	if (ret)
		return ret;
	s->map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	return s->map == MAP_FAILED ? -errno : 0;
}

static int one_mapped_closed(struct scene *s)
{
	int ret = one_mapped(s);

	close(s->fd);
	s->fd = -1;
	return ret;
}

static int change_append(struct scene *s)
{
	return put(s->fd, "more");
}

static int change_ftruncate(struct scene *s)
{
	return error_of(ftruncate(s->fd, 200 + s->turn));
}

static int change_store(struct scene *s)
{
	*(volatile char *)s->map = 'O';
	return 0;
}

static int undo_open(struct scene *s)
{
	if (s->map && s->map != MAP_FAILED)
		munmap(s->map, 4096);
	if (s->fd >= 0)
		close(s->fd);
	return 0;
}

static int change_utimes(struct scene *s)
{
	struct timespec t[2] = { { 1000 + s->turn, 1 }, { 2000 + s->turn, 2 } };

	return error_of(utimensat(AT_FDCWD, s->a, t, 0));
}

static int change_mtime(struct scene *s)
{
	struct timespec t[2] = { { 0, UTIME_OMIT }, { 3000 + s->turn, 3 } };

	return error_of(utimensat(AT_FDCWD, s->a, t, 0));
}

static int change_unlink(struct scene *s)
{
	return error_of(unlink(s->a));
}

static int change_unlink_other(struct scene *s)
{
	return error_of(unlink(s->b));
}

static int change_rmdir(struct scene *s)
{
	return error_of(rmdir(s->a));
}

static int change_mkdir(struct scene *s)
{
	return error_of(mkdir(s->a, 0700));
}

static int change_symlink(struct scene *s)
{
	return error_of(symlink("nowhere", s->a));
}

static int change_over_symlink(struct scene *s)
{
	return error_of(rename(s->b, s->a));
}

/* Everybody may open a FIFO that is new in one turn, nobody but root in the other. */
static int change_fifo(struct scene *s)
{
	return error_of(mknod(s->a, S_IFIFO | (s->turn % 2 ? 0644 : 0600), 0));
}

static int one_fifo(struct scene *s)
{
	int ret = gone(s->a);

	return ret ? ret : error_of(mknod(s->a, S_IFIFO | 0644, 0));
}

static int change_fifo_mode(struct scene *s)
{
	return error_of(chmod(s->a, 0600));
}

static int change_setxattr(struct scene *s)
{
	return error_of(setxattr(s->a, COLOUR, &s->turn, sizeof(s->turn), 0));
}

static int one_coloured(struct scene *s)
{
	int ret = one(s);

	return ret ? ret : error_of(setxattr(s->a, COLOUR, "blue", 4, 0));
}

static int change_removexattr(struct scene *s)
{
	return error_of(removexattr(s->a, COLOUR));
}

/* USER gets @perm of @path, others nothing. */
static int set_acl(const char *path, unsigned int perm)
{
	struct {
		struct posix_acl_xattr_header head;
		struct posix_acl_xattr_entry entries[5];
	} acl = {
		.head = { POSIX_ACL_XATTR_VERSION },
		.entries = {
			{ ACL_USER_OBJ, 6, ACL_UNDEFINED_ID },
			{ ACL_USER, perm, USER },
			{ ACL_GROUP_OBJ, 0, ACL_UNDEFINED_ID },
			{ ACL_MASK, 7, ACL_UNDEFINED_ID },
			{ ACL_OTHER, 0, ACL_UNDEFINED_ID },
		},
	};

	return error_of(setxattr(path, ACL, &acl, sizeof(acl), 0));
}

static int one_private(struct scene *s)
{
	int ret = one(s);

	return ret ? ret : error_of(chmod(s->a, 0600));
}

static int change_acl(struct scene *s)
{
	return set_acl(s->a, s->turn % 2 ? 4 : 7);
}

static int one_acl(struct scene *s)
{
	int ret = one_private(s);

	return ret ? ret : set_acl(s->a, 6);
}

static int change_acl_again(struct scene *s)
{
	return set_acl(s->a, s->turn % 2 ? 0 : 4);
}

static int change_no_acl(struct scene *s)
{
	return error_of(removexattr(s->a, ACL));
}

/* A directory in which USER may do everything. */
static int one_in_public(struct scene *s)
{
	int ret = error_of(chmod(s->up, 0777));

	return ret ? ret : one(s);
}

static int change_sticky(struct scene *s)
{
	return error_of(chmod(s->up, 01777));
}

static int set_flags(const char *path, int set, int clear)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), flags, ret;

	if (fd < 0)
		return -errno;
	ret = error_of(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags = (flags | set) & ~clear;
	if (!ret)
		ret = error_of(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
	return ret;
}

static int change_chattr(struct scene *s)
{
	return set_flags(s->a, s->turn % 2 ? FS_NODUMP_FL : 0, s->turn % 2 ? 0 : FS_NODUMP_FL);
}

static int change_immutable(struct scene *s)
{
	return set_flags(s->a, FS_IMMUTABLE_FL, 0);
}

static int undo_immutable(struct scene *s)
{
	return set_flags(s->a, 0, FS_IMMUTABLE_FL);
}

static int one_suid(struct scene *s)
{
	int ret = one(s);

	if (!ret)
		ret = error_of(chown(s->a, USER, USER));
	return ret ? ret : error_of(chmod(s->a, 04755));
}

static int change_suid(struct scene *s)
{
	return user_write(s->a);
}

static int one_below(struct scene *s)
{
	int ret = error_of(chmod(s->up, 0755));

	if (!ret)
		ret = one(s);
	return ret || s->turn % 2 ? ret : error_of(chmod(s->up, 0700));
}

static int change_search(struct scene *s)
{
	return error_of(chmod(s->up, s->turn % 2 ? 0700 : 0755));
}

static int mount_point(struct scene *s)
{
	char below[PATH_SIZE + 8];
	int ret;

	if (mkdir(s->a, 0755) && errno != EEXIST)
		return -errno;
	snprintf(below, sizeof(below), "%s/below", s->a);
	ret = make(below, 0, 0600);
	if (!ret)
		ret = gone(s->b);
	return ret ? ret : error_of(chmod(s->up, 0755));
}

static int change_beside(struct scene *s)
{
	int ret = make(s->b, O_EXCL, 0600);

	return ret ? ret : error_of(chmod(s->up, 0711));
}

#define TRY	(USUAL_WAYS | W(WRITE) | W(REMOVE))

const struct kind kinds[] = {
	{ "create", .prepare = none, .change = change_create },
	{ "chmod", .prepare = one, .change = change_chmod },
	{ "chown", .prepare = one_private, .change = change_chown },
	{ "rename", .prepare = one_alone, .change = change_rename },
	{ "over", .prepare = two, .change = change_rename },
	{ "exchange", .prepare = two, .change = change_exchange },
	{ "updir", .dir = "u/e", .dir_b = "U/e", .up = "u", .prepare = one,
	  .change = change_updir, .undo = undo_updir },
	{ "link", .prepare = one_alone, .change = change_link },
	{ "tmpfile", .prepare = none, .change = change_tmpfile },
	{ "truncate", .prepare = one, .change = change_truncate },
	{ "ftruncate", .prepare = one_open, .change = change_ftruncate, .undo = undo_open },
	{ "open-truncate", .prepare = one, .change = change_open_truncate },
	{ "write", .prepare = one, .change = change_write },
	{ "append", .prepare = one_open, .change = change_append, .undo = undo_open },
	{ "mmap", .prepare = one_mapped, .change = change_store, .undo = undo_open },
	{ "mmap-closed", .prepare = one_mapped_closed, .change = change_store,
	  .undo = undo_open },
	{ "utimes", .prepare = one, .change = change_utimes },
	{ "chattr", .prepare = one, .change = change_chattr },
	{ "mtime", .prepare = one, .change = change_mtime },
	{ "unlink", .prepare = one, .change = change_unlink },
	{ "unlink-link", .prepare = two_links, .change = change_unlink_other },
	{ "rmdir", .prepare = a_directory, .change = change_rmdir },
	{ "mkdir", .prepare = none, .change = change_mkdir },
	{ "symlink", .prepare = none, .change = change_symlink },
	{ "over-symlink", .prepare = a_symlink, .change = change_over_symlink },
	{ "fifo", .prepare = none, .change = change_fifo },
	{ "fifo-chmod", .prepare = one_fifo, .change = change_fifo_mode },
	{ "setxattr", .prepare = one, .change = change_setxattr },
	{ "removexattr", .prepare = one_coloured, .change = change_removexattr },
	{ "acl", .prepare = one_private, .change = change_acl },
	{ "acl-again", .prepare = one_acl, .change = change_acl_again },
	{ "acl-removed", .prepare = one_acl, .change = change_no_acl },
	{ "sticky", .dir = "sticky", .ways = USUAL_WAYS | W(REMOVE),
	  .prepare = one_in_public, .change = change_sticky },
	{ "immutable", .dir = "public", .ways = TRY, .prepare = one_in_public,
	  .change = change_immutable, .undo = undo_immutable },
	{ "suid", .prepare = one_suid, .change = change_suid },
	{ "search", .dir = "above/below", .up = "above", .prepare = one_below,
	  .change = change_search },
	{ "mount", .dir = "mount", .ways = W(MOUNT), .prepare = mount_point,
	  .change = change_beside },
};
const unsigned int nr_kinds = sizeof(kinds) / sizeof(kinds[0]);

static void join(char *path, const char *dir, const char *sub, const char *name,
		 const char *suffix)
{
	if (snprintf(path, PATH_SIZE, "%s/%s%s%s%s", dir, sub, name ? "/" : "",
		     name ? name : "", suffix) >= PATH_SIZE)
		path[PATH_SIZE - 1] = '\0';
}

void kind_scene(const struct kind *kind, const char *dir, struct scene *s)
{
	const char *sub = kind->dir ? kind->dir : "d/e";

	*s = (struct scene) { .fd = -1 };
	join(s->a, dir, sub, kind->name, kind->dir_b ? "" : ".a");
	join(s->b, dir, kind->dir_b ? kind->dir_b : sub, kind->name,
	     kind->dir_b ? "" : ".b");
	join(s->up, dir, kind->up ? kind->up : sub, NULL, "");
}

void kind_spots(const struct kind *kind, const char *dir, struct spot *spots)
{
	struct scene s;

	kind_scene(kind, dir, &s);
	for (int i = 0; i < SPOTS; i++)
		spots[i] = (struct spot) { .ways = USUAL_WAYS, .fd = -1 };
	strcpy(spots[0].path, s.a);
	strcpy(spots[1].path, s.b);
	strcpy(spots[2].path, s.up);
	if (kind->ways)
		spots[0].ways = kind->ways;
	spots[2].ways = W(STAT);
}
