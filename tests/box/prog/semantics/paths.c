// SPDX-License-Identifier: GPL-2.0-only
/*
 * paths.c - calls that take one path, with each path
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <linux/fs.h>
#include <sys/inotify.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "tests/box/prog/semantics/semantics.h"

static long do_stat(const char *p)
{
	struct stat st;
	int ret = stat(p, &st);

	if (!ret)
		say_stat(&st);
	return ret;
}

static long do_lstat(const char *p)
{
	struct stat st;
	int ret = lstat(p, &st);

	if (!ret)
		say_stat(&st);
	return ret;
}

static long do_empty(const char *p)
{
	struct stat st;

	return fstatat(AT_FDCWD, p, &st, AT_EMPTY_PATH);
}

static long do_statfs(const char *p)
{
	struct statfs st;

	return statfs(p, &st);
}

static long do_readlink(const char *p)
{
	char buf[3];

	return readlink(p, buf, sizeof(buf));
}

static long do_readlink0(const char *p)
{
	char c;

	return readlink(p, &c, 0);
}

static long do_chdir(const char *p)
{
	int fd = open(".", O_PATH), ret = chdir(p), err = errno;

	must(fchdir(fd), "back");
	close(fd);
	errno = err;
	return ret;
}

static long do_list(const char *p)
{
	DIR *d = opendir(p);

	return d ? closedir(d) : -1;
}

static long do_watch(const char *p)
{
	int fd = inotify_init1(0), ret = inotify_add_watch(fd, p, IN_ALL_EVENTS), err = errno;

	close(fd);
	errno = err;
	return ret;
}

static long do_creat(const char *p)
{
	/* a fifo without a reader is waited for */
	int fd = open(p, O_CREAT | O_WRONLY | O_TRUNC | O_NONBLOCK, 0666);

	if (fd >= 0)
		close(fd);
	return fd;
}

static long do_handle(const char *p)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .h.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	return name_to_handle_at(AT_FDCWD, p, &u.h, &mount, 0);
}

static long do_access(const char *p)
{
	for (int mode = 0; mode < 8; mode++)
		say_ok(access(p, mode));
	return access(p, 8);
}

static long do_eaccess(const char *p)
{
	for (int mode = 0; mode < 8; mode++)
		say_ok(faccessat(AT_FDCWD, p, mode, AT_EACCESS));
	return faccessat(AT_FDCWD, p, R_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW);
}

static long do_exec(const char *p)
{
	char *none[] = { NULL };

	return access(p, X_OK) ? execve(p, none, none) : 0;
}

static long do_attr(const char *p)
{
	char c;

	return getxattr(p, "user.none", &c, 1);
}

static long do_touch(const char *p)
{
	return utimensat(AT_FDCWD, p, NULL, AT_SYMLINK_NOFOLLOW);
}

static long do_times(const char *p)
{
	struct timespec t[2] = { { OLD, 0 }, { OLD, 0 } };

	return utimensat(AT_FDCWD, p, t, 0);
}

static long do_chroot(const char *p)
{
	return me ? chroot(p) : 0;
}

static long do_mkdir(const char *p) { return mkdir(p, 07777); }
static long do_reg(const char *p) { return mknod(p, S_IFREG | 06666, 0); }
static long do_zero(const char *p) { return mknod(p, 0640, 0); }
static long do_fifo(const char *p) { return mknod(p, S_IFIFO | 0666, 0); }
static long do_sock(const char *p) { return mknod(p, S_IFSOCK | 0666, 0); }
static long do_chr(const char *p) { return mknod(p, S_IFCHR | 0600, makedev(1, 5)); }
static long do_blk(const char *p) { return mknod(p, S_IFBLK | 0600, makedev(259, 9999)); }
static long do_white(const char *p) { return mknod(p, S_IFCHR, 0); }
static long do_dirnode(const char *p) { return mknod(p, S_IFDIR | 0700, 0); }
static long do_linknode(const char *p) { return mknod(p, S_IFLNK | 0700, 0); }
static long do_symlink(const char *p) { return symlink("some/where", p); }
static long do_symlink0(const char *p) { return symlink("", p); }
static long do_unlink(const char *p) { return unlink(p); }
static long do_rmdir(const char *p) { return rmdir(p); }
static long do_unlinkat(const char *p) { return unlinkat(AT_FDCWD, p, 1); }
static long do_truncate(const char *p) { return truncate(p, 3); }
static long do_grow(const char *p) { return truncate(p, 100000); }
static long do_negative(const char *p) { return truncate(p, -1); }
static long do_chmod(const char *p) { return chmod(p, 07751); }
static long do_chmod0(const char *p) { return syscall(SYS_fchmodat2, AT_FDCWD, p, 0, 0x100); }
static long do_chown(const char *p) { return lchown(p, me, me); }
static long do_give(const char *p) { return lchown(p, them, -1); }
static long do_group(const char *p) { return lchown(p, -1, GROUP); }
static long do_strange(const char *p) { return chown(p, -1, STRANGE); }
static long do_set(const char *p) { return setxattr(p, "user.a", "v", 1, 0); }
static long do_lset(const char *p) { return lsetxattr(p, "user.a", "v", 1, 0); }
static long do_trusted(const char *p) { return lsetxattr(p, "trusted.a", "v", 1, 0); }
static long do_names(const char *p) { return listxattr(p, NULL, 0); }
static long do_forget(const char *p) { return removexattr(p, "user.none"); }

static const struct {
	const char *name;
	long (*run)(const char *path);
	bool changes;
} calls[] = {
	{ "stat", do_stat, 0 }, { "lstat", do_lstat, 0 }, { "AT_EMPTY_PATH", do_empty, 0 },
	{ "statfs", do_statfs, 0 }, { "readlink", do_readlink, 0 },
	{ "readlink-0", do_readlink0, 0 }, { "chdir", do_chdir, 0 }, { "opendir", do_list, 0 },
	{ "inotify", do_watch, 0 }, { "handle", do_handle, 0 }, { "access", do_access, 0 },
	{ "eaccess", do_eaccess, 0 }, { "execve", do_exec, 0 }, { "getxattr", do_attr, 0 },
	{ "chroot", do_chroot, 0 }, { "listxattr", do_names, 0 },
	{ "removexattr", do_forget, 0 }, { "truncate-1", do_negative, 0 },
	{ "creat", do_creat, 1 }, { "touch", do_touch, 1 }, { "times", do_times, 1 },
	{ "mkdir", do_mkdir, 1 }, { "mknod-reg", do_reg, 1 }, { "mknod-0", do_zero, 1 },
	{ "mknod-fifo", do_fifo, 1 }, { "mknod-sock", do_sock, 1 }, { "mknod-chr", do_chr, 1 },
	{ "mknod-blk", do_blk, 1 }, { "mknod-whiteout", do_white, 1 },
	{ "mknod-dir", do_dirnode, 1 }, { "mknod-link", do_linknode, 1 },
	{ "symlink", do_symlink, 1 }, { "symlink-empty", do_symlink0, 1 },
	{ "unlink", do_unlink, 1 }, { "rmdir", do_rmdir, 1 },
	{ "unlinkat-flag", do_unlinkat, 1 }, { "truncate", do_truncate, 1 },
	{ "truncate-grow", do_grow, 1 }, { "chmod", do_chmod, 1 },
	{ "fchmodat2-nofollow", do_chmod0, 1 }, { "chown", do_chown, 1 },
	{ "chown-give", do_give, 1 }, { "chgrp", do_group, 1 },
	{ "chgrp-strange", do_strange, 1 }, { "setxattr", do_set, 1 },
	{ "lsetxattr", do_lset, 1 }, { "lsetxattr-trusted", do_trusted, 1 },
};

void one_path(void)
{
	as_root(make_all, "");
	for (int p = 0; p < path_count; p++)
		for (unsigned int c = 0; c < N(calls); c++) {
			long ret = calls[c].run(paths[p]);

			say_ok(ret);
			if (ret >= 0 && calls[c].changes) {
				say_file(paths[p]);
				again(paths[p]);
			}
			line("%s.%s", calls[c].name, path_name(paths[p]));
		}
}
