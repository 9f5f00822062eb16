// SPDX-License-Identifier: GPL-2.0-only
/*
 * fds.c - open files whose name is gone, files that are only named (O_PATH), handles
 */
#define _GNU_SOURCE
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include "tests/box/prog/semantics/semantics.h"

static char proc[50];

static const char *by_proc(int fd)
{
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return proc;
}

static void all_of(int fd, const char *name)
{
	char buf[20] = "", *m;
	int again;

	say_fd(fd);
	line("%s.stat", name);
	say_value(pwrite(fd, "abc", 3, 0));
	say_value(pread(fd, buf, 5, 0));
	tell("%s", buf);
	say_ok(ftruncate(fd, 4));
	say_ok(fchmod(fd, 0640));
	say_ok(fchown(fd, -1, GROUP));
	say_ok(futimens(fd, NULL));
	say_ok(fsync(fd));
	say_ok(fallocate(fd, 0, 0, 20));
	say_ok(fsetxattr(fd, "user.a", "v", 1, 0));
	say_value(fgetxattr(fd, "user.a", NULL, 0));
	say_value(lseek(fd, 0, SEEK_END));
	say_fd(fd);
	line("%s.all", name);
	m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	say_ok(m == MAP_FAILED ? -1 : 0);
	if (m != MAP_FAILED) {
		m[1] = 'M';
		say_value(pread(fd, buf, 2, 0));
		tell("%s", buf);
		munmap(m, PAGE);
	}
	line("%s.map", name);
	again = open(by_proc(fd), O_RDWR);
	say_ok(again);
	say_value(pread(again, buf, 3, 0));
	say_value(pwrite(again, "again", 5, 30));
	say_fd(fd);
	close(again);
	again = open(by_proc(fd), O_RDWR | O_TRUNC);
	say_fd(fd);
	close(again);
	line("%s.again", name);
	say_ok(truncate(by_proc(fd), 7));
	say_ok(chmod(by_proc(fd), 0600));
	say_ok(chown(by_proc(fd), me, -1));
	say_ok(access(by_proc(fd), R_OK));
	say_ok(utimensat(AT_FDCWD, by_proc(fd), NULL, 0));
	say_ok(setxattr(by_proc(fd), "user.b", "v", 1, 0));
	say_fd(fd);
	line("%s.proc", name);
}

static void removed_dir(void)
{
	int fd;

	must(mkdir("d", 0755), "d");
	fd = open("d", O_RDONLY | O_DIRECTORY);
	must(rmdir("d"), "d");
	say_fd(fd);
	say_ok(openat(fd, "x", O_CREAT | O_RDWR, 0600));
	say_ok(mkdirat(fd, "x", 0700));
	say_ok(symlinkat("a", fd, "x"));
	say_ok(openat(fd, ".", O_RDONLY));
	say_ok(openat(fd, "..", O_RDONLY));
	say_ok(faccessat(fd, "x", F_OK, 0));
	say_ok(renameat(AT_FDCWD, "file", fd, "x"));
	say_ok(linkat(AT_FDCWD, "file", fd, "x", 0));
	say_ok(fchmod(fd, 0700));
	say_ok(fsync(fd));
	say_ok(fchdir(fd));
	line("directory");
	ok(openat(fd, ".", O_TMPFILE | O_RDWR, 0600), "directory.tmpfile");
	must(chdir(".."), "..");
	close(fd);
}

void removed(void)
{
	int fd, other;

	as_root(make_all, "");
	fd = make_file("f", 0);
	unlink("f");
	all_of(fd, "unlinked");
	close(fd);
	fd = make_file("f", 0);
	other = make_file("g", 0);
	rename("g", "f");
	all_of(fd, "replaced");
	all_of(other, "moved");
	close(fd);
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	all_of(fd, "tmpfile");
	close(fd);
	/* another file of that name is another file */
	fd = make_file("h", 0);
	unlink("h");
	other = make_file("h", 0);
	must(write(other, "x", 1), "h");
	say_fd(fd);
	say_fd(other);
	line("two");
	close(other);
	removed_dir();
}

static void only_named(const char *path)
{
	int fd = open(path, O_PATH | O_NOFOLLOW), dir = open(".", O_RDONLY);
	struct statfs fs;
	char c[10];
	int n;

	say_ok(fd);
	say_fd(fd);
	tell("%#x", fcntl(fd, F_GETFL));
	line("%s.open", path);
	say_ok(read(fd, c, 1));
	say_ok(write(fd, c, 1));
	say_ok(lseek(fd, 0, SEEK_SET));
	say_ok(ftruncate(fd, 0));
	say_ok(fchmod(fd, 0600));
	say_ok(fchown(fd, -1, -1));
	say_ok(futimens(fd, NULL));
	say_ok(fsync(fd));
	say_ok(fsetxattr(fd, "user.a", "v", 1, 0));
	say_ok(fgetxattr(fd, "user.a", c, 1));
	say_ok(flistxattr(fd, c, 1));
	say_ok(ioctl(fd, FIONREAD, &n));
	say_ok(fstatfs(fd, &fs));
	line("%s.calls", path);
	say_ok(fchdir(fd));
	fchdir(dir);
	say_value(readlinkat(fd, "", c, sizeof(c)));
	say_ok(faccessat(fd, "", R_OK, AT_EMPTY_PATH));
	say_ok(faccessat(fd, "in", R_OK, 0));
	say_ok(openat(fd, "in", O_RDONLY));
	say_ok(openat(fd, "", O_RDONLY));
	say_ok(open(by_proc(fd), O_RDONLY | O_NONBLOCK));
	say_ok(open(by_proc(fd), O_RDWR | O_NONBLOCK));
	say_ok(getxattr(by_proc(fd), "user.a", c, 1));
	say_ok(fcntl(fd, F_DUPFD, 0));
	say_ok(fcntl(fd, F_SETFL, O_APPEND));
	line("%s.at", path);
	close(fd);
	close(dir);
}

void paths_only(void)
{
	as_root(make_all, "");
	for (int k = 0; k < kinds; k++)
		only_named(kind_names[k]);
}

/* --- handles --- */

union handle {
	struct file_handle h;
	char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

static void by_handle(const char *path)
{
	union handle a = { .h.handle_bytes = MAX_HANDLE_SZ }, b = a;
	int mount, dir = open(".", O_RDONLY), fd, at = open(path, O_PATH | O_NOFOLLOW);

	say_ok(name_to_handle_at(AT_FDCWD, path, &a.h, &mount, 0));
	say_ok(name_to_handle_at(at, "", &b.h, &mount, AT_EMPTY_PATH));
	tell("%s", memcmp(&a, &b, sizeof(a)) ? "different" : "same");
	say_ok(name_to_handle_at(AT_FDCWD, path, &b.h, &mount, AT_SYMLINK_FOLLOW));
	say_ok(name_to_handle_at(AT_FDCWD, path, &b.h, &mount, 0x200));		/* AT_HANDLE_FID */
	say_ok(name_to_handle_at(AT_FDCWD, path, &b.h, &mount, 0x8000));
	b.h.handle_bytes = 0;
	say_ok(name_to_handle_at(AT_FDCWD, path, &b.h, &mount, 0));
	tell("%s", b.h.handle_bytes == a.h.handle_bytes ? "same" : "different");
	line("%s.name", path);
	fd = open_by_handle_at(dir, &a.h, O_RDONLY | O_NONBLOCK);
	say_ok(fd);
	say_fd(fd);
	close(fd);
	fd = open_by_handle_at(dir, &a.h, O_PATH | O_NOFOLLOW);
	say_ok(fd);
	close(fd);
	say_ok(open_by_handle_at(AT_FDCWD, &a.h, O_RDONLY | O_NONBLOCK));
	a.h.handle_bytes = 0;
	say_ok(open_by_handle_at(dir, &a.h, O_RDONLY));
	a.h.handle_bytes = MAX_HANDLE_SZ + 1;
	say_ok(open_by_handle_at(dir, &a.h, O_RDONLY));
	line("%s.open", path);
	close(dir);
	close(at);
}

static void gone_handle(void)
{
	union handle a = { .h.handle_bytes = MAX_HANDLE_SZ };
	int mount, dir = open(".", O_RDONLY), fd = make_file("f", 0);

	name_to_handle_at(AT_FDCWD, "f", &a.h, &mount, 0);
	rename("f", "g");
	say_ok(open_by_handle_at(dir, &a.h, O_RDONLY));
	unlink("g");
	ok(open_by_handle_at(dir, &a.h, O_RDONLY), "open-removed");
	close(fd);
	close(dir);
}

void handles(void)
{
	as_root(make_all, "");
	for (int k = 0; k < kinds; k++)
		by_handle(kind_names[k]);
	gone_handle();
}
