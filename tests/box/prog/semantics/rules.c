// SPDX-License-Identifier: GPL-2.0-only
/*
 * rules.c - what the kernel forbids in directories of all, tells who watches, and says of mounts
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "tests/box/prog/semantics/semantics.h"

/* "DIR" of all, with files of both and links to somebody else's. */
static void make_public(const char *mode)
{
	static const char *const owned[] = { "mine", "theirs", "root" };

	remove_all("public");
	must(mkdir("public", 0700), "public");
	for (int i = 0; i < 3; i++) {
		uid_t uid = i == 0 ? me : i == 1 ? them : 0;
		char path[50];

		snprintf(path, sizeof(path), "public/%s", owned[i]);
		close(make_file(path, 0));
		must(chown(path, uid, uid), path);
		must(chmod(path, 0666), path);
		snprintf(path, sizeof(path), "public/%s-fifo", owned[i]);
		must(mkfifo(path, 0666), path);
		must(chown(path, uid, uid), path);
		must(chmod(path, 0666), path);
		snprintf(path, sizeof(path), "public/%s-link", owned[i]);
		must(symlink("../file", path), path);
		must(lchown(path, uid, uid), path);
		snprintf(path, sizeof(path), "public/%s-dir", owned[i]);
		must(mkdir(path, 0777), path);
		must(chown(path, uid, uid), path);
		snprintf(path, sizeof(path), "public/%s-secret", owned[i]);
		close(make_file(path, 0));
		must(chown(path, uid, uid), path);
		must(chmod(path, 04600), path);
	}
	must(chown("public", strstr(mode, "my") ? me : strstr(mode, "their") ? them : 0, 0), "public");
	must(chmod("public", strtol(mode, NULL, 8)), "public");
}

static void in_public(const char *mode, const char *whose)
{
	char path[50], other[60];

	as_root(make_public, mode);
	snprintf(path, sizeof(path), "public/%s", whose);
	say_ok(open(path, O_RDWR | O_CREAT, 0600));
	say_ok(open(path, O_RDWR | O_TRUNC));
	say_ok(open(path, O_RDWR | O_CREAT | O_EXCL, 0600));
	snprintf(other, sizeof(other), "%s-fifo", path);
	say_ok(open(other, O_RDWR | O_CREAT | O_NONBLOCK, 0600));
	say_ok(open(other, O_RDWR | O_NONBLOCK));
	snprintf(other, sizeof(other), "%s-link", path);
	say_ok(open(other, O_RDONLY));
	say_ok(access(other, R_OK));
	say_ok(unlink(other));
	line("open.%s.%s", mode, whose);
	say_ok(link(path, "public/linked"));
	snprintf(other, sizeof(other), "%s-secret", path);
	say_ok(link(other, "public/linked-secret"));
	snprintf(other, sizeof(other), "%s-fifo", path);
	say_ok(link(other, "public/linked-fifo"));
	say_ok(rename(path, "public/new"));
	say_ok(rename("public/mine", path));
	say_ok(unlink(path));
	snprintf(other, sizeof(other), "%s-dir", path);
	say_ok(rename(other, "public/new-dir"));
	say_ok(rmdir(other));
	line("change.%s.%s", mode, whose);
}

void protected(void)
{
	static const char *const kinds_of[] = {
		"777", "1777", "1775", "1777 my", "1777 their", "3777", "2777",
	};
	static const char *const whose[] = { "mine", "theirs", "root" };

	as_root(make_all, "");
	for (unsigned int d = 0; d < N(kinds_of); d++)
		for (unsigned int w = 0; w < N(whose); w++)
			in_public(kinds_of[d], whose[w]);
}

/* --- who watches --- */

static const struct bit events[] = {
	{ "access", IN_ACCESS }, { "modify", IN_MODIFY }, { "attrib", IN_ATTRIB },
	{ "close-write", IN_CLOSE_WRITE }, { "close", IN_CLOSE_NOWRITE }, { "open", IN_OPEN },
	{ "from", IN_MOVED_FROM }, { "to", IN_MOVED_TO }, { "create", IN_CREATE },
	{ "delete", IN_DELETE }, { "delete-self", IN_DELETE_SELF }, { "move-self", IN_MOVE_SELF },
	{ "unmount", IN_UNMOUNT }, { "overflow", IN_Q_OVERFLOW }, { "ignored", IN_IGNORED },
	{ "dir", IN_ISDIR },
};

static void told(int fd, const char *name)
{
	char buf[4096] __attribute__((aligned(8)));
	ssize_t len = read(fd, buf, sizeof(buf));

	for (ssize_t at = 0; at < len; ) {
		struct inotify_event *e = (void *)(buf + at);

		tell("%d:%s:%s", e->wd, bits(e->mask, events, N(events)), e->len ? e->name : "");
		at += sizeof(*e) + e->len;
	}
	line("%s", name);
}

static void watch_own(void)
{
	int fd = inotify_init1(IN_NONBLOCK), f;
	char c;

	inotify_add_watch(fd, "dir", IN_ALL_EVENTS);
	f = open("dir/f", O_CREAT | O_RDWR, 0644);
	told(fd, "create");
	inotify_add_watch(fd, "dir/f", IN_ALL_EVENTS);
	must(write(f, "ab", 2), "write");
	told(fd, "write");
	must(pread(f, &c, 1, 0), "read");
	told(fd, "read");
	must(ftruncate(f, 1), "truncate");
	told(fd, "ftruncate");
	must(fallocate(f, 0, 0, 20), "allocate");
	told(fd, "fallocate");
	close(f);
	told(fd, "close");
	must(truncate("dir/f", 0), "truncate");
	told(fd, "truncate");
	must(chmod("dir/f", 0600), "chmod");
	told(fd, "chmod");
	must(utimensat(AT_FDCWD, "dir/f", NULL, 0), "touch");
	told(fd, "touch");
	must(link("dir/f", "dir/g"), "link");
	told(fd, "link");
	must(rename("dir/f", "dir/h"), "rename");
	told(fd, "rename");
	must(rename("dir/h", "h"), "rename");
	told(fd, "away");
	must(rename("h", "dir/g2"), "rename");
	told(fd, "back");
	must(unlink("dir/g"), "unlink");
	told(fd, "unlink-one");
	must(unlink("dir/g2"), "unlink");
	told(fd, "unlink-last");
	must(mkdir("dir/d", 0700), "mkdir");
	must(rmdir("dir/d"), "rmdir");
	told(fd, "mkdir-rmdir");
	must(symlink("x", "dir/s"), "symlink");
	must(unlink("dir/s"), "unlink");
	told(fd, "symlink");
	must(rmdir("dir"), "rmdir");
	told(fd, "rmdir");
	close(fd);
}

static void mark(const char *name, unsigned int init, unsigned int how, unsigned long long mask)
{
	int fd = fanotify_init(init, O_RDONLY);

	say_ok(fd);
	say_ok(fanotify_mark(fd, FAN_MARK_ADD | how, mask, AT_FDCWD, "file"));
	line("fanotify.%s", name);
	close(fd);
}

void watches(void)
{
	as_root(make_all, "");
	watch_own();
	mark("file", FAN_CLASS_NOTIF, 0, FAN_OPEN);
	mark("mount", FAN_CLASS_NOTIF, FAN_MARK_MOUNT, FAN_OPEN);
	mark("fs", FAN_CLASS_NOTIF, FAN_MARK_FILESYSTEM, FAN_OPEN);
	mark("fid", FAN_CLASS_NOTIF | FAN_REPORT_FID, 0, FAN_ATTRIB);
	mark("fid-fs", FAN_CLASS_NOTIF | FAN_REPORT_FID, FAN_MARK_FILESYSTEM, FAN_ATTRIB);
	mark("name", FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME, FAN_MARK_FILESYSTEM, FAN_CREATE);
	mark("permission", FAN_CLASS_CONTENT, 0, FAN_OPEN_PERM);
}

/* --- mounts --- */

static void on_mount_point(void)
{
	ok(rmdir("dir"), "point.rmdir");
	ok(unlink("file"), "point.unlink");
	ok(rename("dir", "new"), "point.rename");
	ok(rename("full", "dir"), "point.rename-over");
	ok(rename("file", "new"), "point.rename-file");
	ok(rename("ro", "file"), "point.rename-over-file");
	ok(link("file", "new"), "point.link");
	ok(rename("ro", "dir/new"), "point.rename-into");
	ok(mkdir("dir", 0700), "point.mkdir");
	say_file("dir/..");
	line("point.parent");
}

static void read_only(void)
{
	int fd;

	ok(open("bind/file", O_WRONLY), "ro.O_WRONLY");
	ok(open("bind/file", O_RDONLY | O_TRUNC), "ro.O_TRUNC");
	ok(open("bind/new", O_CREAT | O_RDONLY, 0600), "ro.O_CREAT");
	ok(open("bind/file", O_CREAT | O_RDONLY, 0600), "ro.O_CREAT-there");
	ok(open("bind/file", O_CREAT | O_EXCL, 0600), "ro.O_EXCL");
	ok(open("bind", O_TMPFILE | O_RDWR, 0600), "ro.O_TMPFILE");
	ok(open("bind/fifo", O_RDWR | O_NONBLOCK), "ro.fifo");
	ok(mkdir("bind/new", 0700), "ro.mkdir");
	ok(mkdir("bind/dir", 0700), "ro.mkdir-there");
	ok(rmdir("bind/dir"), "ro.rmdir");
	ok(unlink("bind/file"), "ro.unlink");
	ok(unlink("bind/absent"), "ro.unlink-absent");
	ok(rename("bind/file", "bind/new"), "ro.rename");
	ok(link("bind/file", "bind/new"), "ro.link");
	ok(symlink("x", "bind/new"), "ro.symlink");
	ok(chmod("bind/file", 0600), "ro.chmod");
	ok(chown("bind/file", 0, 0), "ro.chown");
	ok(truncate("bind/file", 1), "ro.truncate");
	ok(utimensat(AT_FDCWD, "bind/file", NULL, 0), "ro.utimens");
	ok(access("bind/file", W_OK), "ro.access");
	fd = open("bind/file", O_RDONLY);
	ok(fchmod(fd, 0600), "ro.fchmod");
	ok(fsync(fd), "ro.fsync");
	close(fd);
}

void mounts(void)
{
	as_root(make_all, "");
	ok(mount("none", "dir", "tmpfs", 0, NULL), "mount");
	if (me) {
		ok(umount("dir"), "umount");
		return;
	}
	umount("dir");
	must(unshare(CLONE_NEWNS), "name space");
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	must(chdir(get_current_dir_name()), "here");
	ok(mount("none", "dir", "tmpfs", 0, NULL), "mount-tmpfs");
	ok(mount("none", "file", "tmpfs", 0, NULL), "mount-on-file");
	ok(mount("ro", "file", NULL, MS_BIND, NULL), "bind-file");
	on_mount_point();
	ok(umount("dir"), "umount-dir");
	ok(umount("file"), "umount-file");
	must(mkdir("bind", 0700), "bind");
	ok(mount(".", "bind", NULL, MS_BIND, NULL), "bind");
	ok(link("file", "bind/new"), "bind.link");
	ok(rename("file", "bind/new"), "bind.rename");
	ok(rename("bind/file", "bind/new"), "bind.rename-inside");
	ok(rename("bind/new", "bind/file"), "bind.rename-back");
	ok(mount("none", "bind", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), "read-only");
	read_only();
	ok(mount("none", "bind", NULL, MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		 NULL), "no-programs");
	ok(open("bind/null", O_RDWR), "nodev.open");
	ok(access("bind/null", R_OK), "nodev.access");
	ok(chmod("bind/file", 0755), "noexec.chmod");
	ok(access("bind/file", X_OK), "noexec.access");
	ok(execl("bind/file", "x", NULL), "noexec.exec");
	ok(rmdir("bind"), "busy.rmdir");
	ok(umount("bind"), "umount-bind");
	ok(umount("bind"), "umount-again");
}
