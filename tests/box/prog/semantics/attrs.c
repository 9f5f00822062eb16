// SPDX-License-Identifier: GPL-2.0-only
/*
 * attrs.c - modes, owners, times, and what changes them
 */
#define _GNU_SOURCE
#include <linux/falloc.h>
#include <linux/stat.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <time.h>
#include <utime.h>

#include "tests/box/prog/semantics/semantics.h"

static const char *const all_kinds[] = {
	"file", "theirs", "shared", "dir", "locked", "link", "dangling", "fifo", "sock", "null",
};

static long chmodat2(int dir, const char *path, mode_t mode, int flags)
{
	return syscall(SYS_fchmodat2, dir, path, mode, flags);
}

/* A file and a directory of the caller in a group that he is not in. */
static void make_strange(const char *unused)
{
	(void)unused;
	remove_all("sfile");
	remove_all("sdir");
	close(make_file("sfile", 0));
	must(mkdir("sdir", 0755), "sdir");
	must(chown("sfile", me, STRANGE), "sfile");
	must(chown("sdir", me, STRANGE), "sdir");
}

void modes(void)
{
	static const mode_t tried[] = {
		0, 0777, 01777, 02777, 04777, 07777, 02767, 04644, 0200000 | 0640, 0640,
	};
	static const int flags[] = { 0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, 0x8000 };
	int fd;

	as_root(make_all, "");
	as_root(make_strange, "");
	for (unsigned int k = 0; k < N(all_kinds) + 2; k++) {
		const char *path = k < N(all_kinds) ? all_kinds[k] : k % 2 ? "sfile" : "sdir";

		for (unsigned int m = 0; m < N(tried); m++) {
			say_ok(chmod(path, tried[m]));
			say_file(path);
			line("%s.%o", path, tried[m]);
		}
		if (k < N(all_kinds))
			again(path);
		for (unsigned int f = 0; f < N(flags); f++)
			say_ok(chmodat2(AT_FDCWD, path, 0751, flags[f]));
		say_file(path);
		line("%s.fchmodat2", path);
		fd = open(path, O_PATH | O_NOFOLLOW);
		say_ok(fchmod(fd, 0711));
		say_ok(chmodat2(fd, "", 0711, AT_EMPTY_PATH));
		say_file(path);
		line("%s.opath", path);
		close(fd);
		fd = open(path, O_RDONLY | O_NONBLOCK);
		say_ok(fchmod(fd, 04711));
		say_file(path);
		line("%s.fchmod", path);
		close(fd);
	}
}

static const mode_t set_modes[] = {
	0755, 04755, 02755, 06755, 02745, 06644, 04644, 02644, 06711, 01755,
};

static const struct { const char *name; int uid, gid; } new_owners[] = {
	{ "none", -1, -1 }, { "me", -2, -1 }, { "my-group", -1, -2 }, { "second", -1, GROUP },
	{ "strange", -1, STRANGE }, { "give", OTHER + 1, -1 }, { "both", -2, GROUP },
};

static int id(int id)
{
	return id == -2 ? (int)me : id;
}

/* "MODE PATH" */
static void set_mode(const char *arg)
{
	char *path;
	mode_t mode = strtol(arg, &path, 8);

	must(chown(path + 1, me, me), path);
	must(chmod(path + 1, mode), path);
}

static void owners_of(const char *path)
{
	char order[100];

	for (unsigned int m = 0; m < N(set_modes); m++)
		for (unsigned int o = 0; o < N(new_owners); o++) {
			snprintf(order, sizeof(order), "%o %s", set_modes[m], path);
			as_root(set_mode, order);
			say_ok(chown(path, id(new_owners[o].uid), id(new_owners[o].gid)));
			say_file(path);
			line("%s.%o.%s", path, set_modes[m], new_owners[o].name);
		}
}

void owners(void)
{
	as_root(make_all, "");
	owners_of("file");
	owners_of("dir");
	for (unsigned int k = 0; k < N(all_kinds); k++)
		for (unsigned int o = 0; o < N(new_owners); o++) {
			const char *path = all_kinds[k];
			int uid = id(new_owners[o].uid), gid = id(new_owners[o].gid);
			int fd = open(path, O_RDONLY | O_NONBLOCK);
			int at = open(path, O_PATH | O_NOFOLLOW);

			say_ok(chown(path, uid, gid));
			say_file(path);
			say_ok(lchown(path, uid, gid));
			say_file(path);
			say_ok(fchown(fd, uid, gid));
			say_ok(fchown(at, uid, gid));
			say_ok(fchownat(at, "", uid, gid, AT_EMPTY_PATH));
			say_ok(fchownat(AT_FDCWD, path, uid, gid, 0x8000));
			say_file(path);
			line("all.%s.%s", path, new_owners[o].name);
			close(fd);
			close(at);
			again(path);
		}
}

/* --- what a change of the contents takes away --- */

static const char *victim;

static long by_write(int fd) { return write(fd, "x", 1); }
static long by_pwrite0(int fd) { return pwrite(fd, "x", 0, 0); }
static long by_ftruncate(int fd) { return ftruncate(fd, 3); }
static long by_same_size(int fd) { return ftruncate(fd, 10); }
static long by_truncate(int fd) { return fd < 0 ? -1 : truncate(victim, 3); }
static long by_fallocate(int fd) { return fallocate(fd, 0, 0, 100); }
static long by_punch(int fd) { return fallocate(fd, FALLOC_FL_PUNCH_HOLE | 1, 0, 3); }
static long by_setxattr(int fd) { return fsetxattr(fd, "user.a", "v", 1, 0); }
static long by_times(int fd) { return futimens(fd, NULL); }
static long by_fsync(int fd) { return fsync(fd); }

static long by_open(int fd)
{
	int other = fd < 0 ? -1 : open(victim, O_WRONLY | O_TRUNC);

	close(other);
	return other;
}

static long by_copy(int fd)
{
	int in = open("file", O_RDONLY);
	long ret = copy_file_range(in, NULL, fd, NULL, 5, 0);

	close(in);
	return ret;
}

static long by_sendfile(int fd)
{
	int in = open("file", O_RDONLY);
	long ret = sendfile(fd, in, NULL, 5);

	close(in);
	return ret;
}

static long by_direct(int fd)
{
	static char buf[PAGE] __attribute__((aligned(PAGE)));

	fcntl(fd, F_SETFL, O_DIRECT);
	return pwrite(fd, buf, PAGE, 0);
}

static long by_store(int fd)
{
	char *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (m == MAP_FAILED)
		return -1;
	*m = 's';
	return msync(m, PAGE, MS_SYNC) | munmap(m, PAGE);
}

static const struct {
	const char *name;
	long (*run)(int fd);
} changes[] = {
	{ "write", by_write }, { "write-0", by_pwrite0 }, { "ftruncate", by_ftruncate },
	{ "same-size", by_same_size }, { "truncate", by_truncate }, { "O_TRUNC", by_open },
	{ "fallocate", by_fallocate }, { "punch", by_punch }, { "setxattr", by_setxattr },
	{ "futimens", by_times }, { "fsync", by_fsync }, { "copy", by_copy },
	{ "sendfile", by_sendfile }, { "direct", by_direct }, { "store", by_store },
};

/* "MODE OWNER": "victim" is like that, and can be written by all. Without set-id bits it
 * has capabilities.
 */
static void make_victim(const char *arg)
{
	static const unsigned char caps[20] = { 1, 0, 0, 2, 0, 0x20 };
	char *rest;
	mode_t mode = strtol(arg, &rest, 8);
	uid_t uid = atoi(rest);

	remove_all("victim");
	close(make_file("victim", 0));
	must(chown("victim", uid, uid), "victim");
	if (!(mode & 07000))
		must(setxattr("victim", "security.capability", caps, sizeof(caps), 0), "capability");
	must(chmod("victim", mode), "victim");
}

void set_ids(void)
{
	static const mode_t tried[] = { 06777, 06766, 02666, 0666 };
	char order[50];

	victim = "victim";
	as_root(make_all, "");
	for (int mine = 0; mine < 2; mine++)
		for (unsigned int m = 0; m < N(tried); m++)
			for (unsigned int c = 0; c < N(changes); c++) {
				int fd;

				snprintf(order, sizeof(order), "%o %d", tried[m], mine ? me : them);
				as_root(make_victim, order);
				fd = open(victim, O_RDWR);
				say_ok(changes[c].run(fd));
				close(fd);
				say_file(victim);
				say_value(getxattr(victim, "security.capability", NULL, 0));
				line("%s.%o.%s", mine ? "mine" : "theirs", tried[m], changes[c].name);
			}
}

/* --- times --- */

static const struct { const char *name; struct timespec t; } points[] = {
	{ "NOW", { 0, UTIME_NOW } }, { "OMIT", { 0, UTIME_OMIT } }, { "old", { OLD, 5 } },
	{ "negative", { -5, 7 } }, { "2^33", { 1ll << 33, 0 } }, { "2^35", { 1ll << 35, 1 } },
	{ "nsec", { 0, 1000000000 } }, { "nsec-negative", { 0, -1 } },
	{ "now-odd", { 1 << 20, UTIME_NOW } },
};

static void say_time(const struct timespec *t)
{
	if (t->tv_sec > OLD + OLD / 2 && t->tv_sec < OLD * 3ll)
		tell("now");
	else
		tell("%lld.%ld", (long long)t->tv_sec, t->tv_nsec);
}

static void say_times(const char *path)
{
	struct stat st = {};

	lstat(path, &st);
	say_time(&st.st_atim);
	say_time(&st.st_mtim);
}

static const struct timespec old[2] = { { OLD, 0 }, { OLD, 0 } };

static void make_old(const char *path)
{
	utimensat(AT_FDCWD, path, old, AT_SYMLINK_NOFOLLOW);
}

static void times_of(const char *path)
{
	for (unsigned int a = 0; a < N(points); a++)
		for (unsigned int m = 0; m < N(points); m++) {
			const struct timespec t[2] = { points[a].t, points[m].t };

			as_root(make_old, path);
			say_ok(utimensat(AT_FDCWD, path, t, AT_SYMLINK_NOFOLLOW));
			say_times(path);
			line("%s.%s.%s", path, points[a].name, points[m].name);
		}
}

void times(void)
{
	static const struct timespec two[2] = { { 5, 0 }, { 6, 0 } };
	static const struct timeval micro[2] = { { 7, 8 }, { 9, 10 } };
	static const struct utimbuf seconds = { 11, 12 };

	as_root(make_all, "");
	times_of("file");
	times_of("theirs");
	times_of("shared");
	for (unsigned int k = 0; k < N(all_kinds); k++) {
		const char *path = all_kinds[k];
		int fd = open(path, O_RDONLY | O_NONBLOCK);
		int at = open(path, O_PATH | O_NOFOLLOW);

		say_ok(utimensat(AT_FDCWD, path, two, 0));
		say_ok(utimensat(AT_FDCWD, path, two, AT_SYMLINK_NOFOLLOW));
		say_ok(utimensat(AT_FDCWD, path, two, 0x8000));
		say_ok(utimensat(at, "", two, AT_EMPTY_PATH));
		say_ok(utimensat(at, "", two, 0));
		say_ok(futimens(fd, two));
		say_ok(futimens(at, two));
		say_ok(utimes(path, micro));
		say_times(path);
		say_ok(utime(path, &seconds));
		say_times(path);
		say_ok(utime(path, NULL));
		say_times(path);
		line("all.%s", path);
		close(fd);
		close(at);
	}
}

static void do_link(void) { link("file", "l"); }
static void do_chmod(void) { chmod("file", 0600); }
static void do_same_chmod(void) { chmod("file", 0600); }
static void do_chown(void) { chown("file", -1, -1); }
static void do_setxattr(void) { setxattr("file", "user.x", "y", 1, 0); }
static void do_create(void) { close(make_file("dir/new", 0)); }
static void do_unlink(void) { unlink("dir/new"); }
static void do_mkdir(void) { mkdir("dir/sub", 0755); }
static void do_rename(void) { rename("dir/sub", "dir/bus"); }
static void do_rmdir(void) { rmdir("dir/bus"); }
static void do_away(void) { rename("file", "dir/file"); }
static void do_back(void) { rename("dir/file", "file"); }
static void do_unlink_l(void) { unlink("l"); }
static void do_truncate(void) { truncate("file", 4); }
static void do_same_size(void) { truncate("file", 4); }
static void do_open(void) { close(open("file", O_RDWR)); }
static void do_open_trunc(void) { close(open("file", O_RDWR | O_TRUNC)); }
static void do_open_again(void) { close(open("file", O_RDWR | O_TRUNC)); }
static void do_stat(void) { struct stat st; stat("file", &st); }
static void do_symlink(void) { symlink("x", "dir/symlink"); }
static void do_mknod(void) { mknod("dir/fifo", S_IFIFO | 0600, 0); }
static void do_failing(void) { mkdir("dir/fifo", 0700); }
static void do_exists(void) { close(open("dir/fifo", O_RDWR | O_CREAT | O_NONBLOCK, 0600)); }
static void do_wfile(void) { int fd = make_file("file", 0); close(fd); }

static void do_wzero(void)
{
	int fd = open("file", O_RDWR);

	pwrite(fd, "", 0, 0);
	close(fd);
}

static void do_store(void)
{
	int fd = open("file", O_RDWR);

	by_store(fd);
	close(fd);
}

static void do_punch(void)
{
	int fd = open("file", O_RDWR);

	by_punch(fd);
	close(fd);
}

static void do_keep(void)
{
	int fd = open("file", O_RDWR);

	fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 3 * PAGE);
	close(fd);
}

static void do_copy(void)
{
	int fd = open("file", O_RDWR), in = open("ro", O_RDONLY);

	copy_file_range(in, NULL, fd, NULL, 5, 0);
	close(fd);
	close(in);
}

static void do_tmpfile(void) { close(open("dir", O_TMPFILE | O_RDWR, 0600)); }

static const struct {
	const char *name;
	void (*run)(void);
} steps[] = {
	{ "stat", do_stat }, { "open", do_open }, { "link", do_link }, { "unlink-link", do_unlink_l },
	{ "chmod", do_chmod }, { "chmod-same", do_same_chmod }, { "chown-none", do_chown },
	{ "setxattr", do_setxattr }, { "create", do_create }, { "unlink", do_unlink },
	{ "mkdir", do_mkdir }, { "rename", do_rename }, { "rmdir", do_rmdir },
	{ "rename-away", do_away }, { "rename-back", do_back }, { "write", do_wfile },
	{ "write-0", do_wzero }, { "store", do_store }, { "punch", do_punch },
	{ "allocate-keep", do_keep }, { "copy", do_copy }, { "truncate", do_truncate },
	{ "truncate-same", do_same_size }, { "O_TRUNC", do_open_trunc },
	{ "O_TRUNC-empty", do_open_again }, { "symlink", do_symlink }, { "mknod", do_mknod },
	{ "failing", do_failing }, { "O_CREAT-exists", do_exists }, { "tmpfile", do_tmpfile },
};

static bool same(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Which of the times of file, dir, and the directory of both change. */
void changed_times(void)
{
	static const char *const looked[] = { "file", "dir", "." };
	static const struct timespec tick = { 0, 60000000 };
	struct stat before[3] = {}, after[3] = {};

	as_root(make_all, "");
	for (unsigned int s = 0; s < N(steps); s++) {
		for (int i = 0; i < 3; i++) {
			as_root(make_old, looked[i]);
			lstat(looked[i], &before[i]);
		}
		nanosleep(&tick, NULL);		/* times are that coarse */
		steps[s].run();
		for (int i = 0; i < 3; i++) {
			lstat(looked[i], &after[i]);
			tell("%s:%s%s", looked[i],
			     same(&before[i].st_mtim, &after[i].st_mtim) ? "" : "m",
			     same(&before[i].st_ctim, &after[i].st_ctim) ? "" : "c");
		}
		line("%s", steps[s].name);
	}
}

/* --- stat --- */

static void one_statx(int dir, const char *path, int flags, unsigned int mask, const char *name)
{
	struct statx stx = {};
	int ret = syscall(SYS_statx, dir, path, flags, mask, &stx);

	say_ok(ret);
	if (!ret)
		tell("mask %#x mode %o nlink %u size %lld attributes %#llx blksize %u",
		     stx.stx_mask & STATX_BASIC_STATS, stx.stx_mode, stx.stx_nlink,
		     (long long)stx.stx_size, (long long)stx.stx_attributes, stx.stx_blksize);
	line("statx.%s.%s", name, path);
}

void stats(void)
{
	struct statfs fs = {};
	struct statx stx = {};
	int fd;

	as_root(make_all, "");
	for (int k = 0; k < kinds; k++) {
		one_statx(AT_FDCWD, kind_names[k], AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, "basic");
		one_statx(AT_FDCWD, kind_names[k], 0, STATX_BASIC_STATS | STATX_BTIME, "all");
	}
	syscall(SYS_statx, AT_FDCWD, "file", 0, STATX_ALL, &stx);
	value(!!(stx.stx_mask & STATX_BTIME), "birth");
	tell("%#llx", (long long)stx.stx_attributes_mask);
	line("attributes");
	one_statx(AT_FDCWD, "file", 0, 0, "nothing");
	one_statx(AT_FDCWD, "file", 0, STATX_SIZE, "size");
	one_statx(AT_FDCWD, "file", AT_STATX_FORCE_SYNC, STATX_SIZE, "force");
	one_statx(AT_FDCWD, "file", AT_STATX_DONT_SYNC, STATX_SIZE, "dont");
	one_statx(AT_FDCWD, "file", AT_STATX_DONT_SYNC | AT_STATX_FORCE_SYNC, 1, "both");
	one_statx(AT_FDCWD, "file", 0x8000000, STATX_SIZE, "flag");
	one_statx(AT_FDCWD, "file", 0, 1u << 31, "reserved");
	one_statx(AT_FDCWD, "file", 0, STATX_DIOALIGN, "dioalign");
	one_statx(AT_FDCWD, "", AT_EMPTY_PATH, STATX_TYPE, "here");
	one_statx(AT_FDCWD, "", 0, STATX_TYPE, "empty");
	fd = open("file", O_PATH);
	one_statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, "opath");
	one_statx(fd, "x", AT_EMPTY_PATH, STATX_SIZE, "at-file");
	say_ok(fstatfs(fd, &fs));
	line("fstatfs.opath");
	ok(statfs(".", &fs), "statfs");
	value(fs.f_type, "statfs.type");
	value(fs.f_bsize, "statfs.bsize");
	value(fs.f_frsize, "statfs.frsize");
	value(fs.f_namelen, "statfs.namelen");
	tell("%#lx", (unsigned long)(fs.f_flags & ~ST_RELATIME & ~ST_NOATIME));
	line("statfs.flags");
	value(fs.f_blocks > fs.f_bfree && fs.f_bfree > fs.f_bavail, "statfs.blocks");
	value(fs.f_files > fs.f_ffree, "statfs.files");
	value(pathconf(".", _PC_LINK_MAX), "pathconf.LINK_MAX");
}
