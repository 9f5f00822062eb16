// SPDX-License-Identifier: GPL-2.0-only
/*
 * io.c - reading and writing, seeking, sizes and allocation, copies, syncing, limits
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "tests/box/prog/semantics/semantics.h"

static char buf[4 * PAGE] __attribute__((aligned(PAGE)));

/* Open files of all sorts. */
static const struct {
	const char *name, *path;
	int flags;
} sorts[] = {
	{ "rdonly", "f", O_RDONLY }, { "wronly", "f", O_WRONLY }, { "rdwr", "f", O_RDWR },
	{ "append", "f", O_RDWR | O_APPEND }, { "path", "f", O_PATH },
	{ "sync", "f", O_RDWR | O_SYNC }, { "neither", "f", O_ACCMODE },
	{ "dir", "dir", O_RDONLY }, { "null", "null", O_RDWR },
	{ "fifo", "fifo", O_RDWR | O_NONBLOCK }, { "tmpfile", ".", O_TMPFILE | O_RDWR },
};

static int open_sort(unsigned int i)
{
	int fd;

	if (!strcmp(sorts[i].path, "f"))
		close(make_file("f", O_TRUNC));
	fd = open(sorts[i].path, sorts[i].flags, 0600);
	if (fd >= 0 && (!strcmp(sorts[i].name, "tmpfile") || !strcmp(sorts[i].name, "fifo")))
		must(write(fd, TEXT, strlen(TEXT)), sorts[i].name);
	return fd;
}

static void size_of(int fd)
{
	struct stat st = {};

	fstat(fd, &st);
	if (S_ISREG(st.st_mode))
		tell("size %lld", (long long)st.st_size);
}

#define PLACE(fd)	((long)lseek(fd, 0, SEEK_CUR))

static void one_read(int fd, const char *sort)
{
	struct iovec v[3] = { { buf, 2 }, { buf, 0 }, { buf + 10, 3 } };

	lseek(fd, 0, SEEK_SET);
	value(read(fd, buf, 4), "read.%s", sort);
	value(PLACE(fd), "read-place.%s", sort);
	value(pread(fd, buf, 100, 3), "pread.%s", sort);
	value(pread(fd, buf, 4, -1), "pread-negative.%s", sort);
	value(pread(fd, buf, 4, LLONG_MAX), "pread-far.%s", sort);
	value(pread(fd, buf, 4, 10), "pread-end.%s", sort);
	value(read(fd, buf, 0), "read-0.%s", sort);
	value(readv(fd, v, 3), "readv.%s", sort);
	value(readv(fd, v, 0), "readv-0.%s", sort);
	value(syscall(SYS_readv, fd, v, IOV_MAX + 1), "readv-many.%s", sort);
	value(preadv(fd, v, 3, 1), "preadv.%s", sort);
	v[2].iov_len = -1;
	value(readv(fd, v, 3), "readv-length.%s", sort);
	lseek(fd, 0, SEEK_SET);
	value(syscall(SYS_read, fd, (void *)1, 4), "read-fault.%s", sort);
	value(syscall(SYS_read, fd, (void *)1, 0), "read-fault-0.%s", sort);
	value(PLACE(fd), "read-fault-place.%s", sort);
}

static void one_write(int fd, const char *sort)
{
	struct iovec v[3] = { { buf, 2 }, { buf, 0 }, { buf + 10, 3 } };

	lseek(fd, 4, SEEK_SET);
	value(write(fd, "abcd", 4), "write.%s", sort);
	size_of(fd);
	value(PLACE(fd), "write-place.%s", sort);
	value(pwrite(fd, "abcd", 4, 20), "pwrite.%s", sort);
	size_of(fd);
	value(PLACE(fd), "pwrite-place.%s", sort);
	value(pwrite(fd, "abcd", 4, -1), "pwrite-negative.%s", sort);
	value(pwrite(fd, "abcd", 4, LLONG_MAX - 1), "pwrite-far.%s", sort);
	value(pwrite(fd, "abcd", 4, 1ll << 44), "pwrite-17T.%s", sort);
	value(pwrite(fd, "abcd", 0, 1ll << 44), "pwrite-17T-0.%s", sort);
	value(write(fd, "abcd", 0), "write-0.%s", sort);
	value(writev(fd, v, 3), "writev.%s", sort);
	value(writev(fd, v, 0), "writev-0.%s", sort);
	value(pwritev(fd, v, 3, 50), "pwritev.%s", sort);
	value(syscall(SYS_write, fd, (void *)1, 4), "write-fault.%s", sort);
	v[1].iov_base = (void *)1;
	v[1].iov_len = 4;
	value(pwritev(fd, v, 3, 60), "writev-fault-later.%s", sort);
	size_of(fd);
	value(PLACE(fd), "write-after.%s", sort);
}

static const struct bit rwf[] = {
	{ "HIPRI", RWF_HIPRI }, { "DSYNC", RWF_DSYNC }, { "SYNC", RWF_SYNC },
	{ "APPEND", RWF_APPEND }, { "NOAPPEND", RWF_NOAPPEND }, { "ATOMIC", 0x40 },
	{ "unknown", 0x1000 }, { "NOAPPEND|APPEND", RWF_NOAPPEND | RWF_APPEND },
};

static void one_with_flags(int fd, const char *sort)
{
	struct iovec v = { buf, 4 };

	for (unsigned int i = 0; i < N(rwf); i++) {
		ftruncate(fd, 10);
		lseek(fd, 0, SEEK_SET);
		say_value(preadv2(fd, &v, 1, 0, rwf[i].value));
		say_value(preadv2(fd, &v, 1, -1, rwf[i].value));
		say_value(pwritev2(fd, &v, 1, 0, rwf[i].value));
		size_of(fd);
		say_value(pwritev2(fd, &v, 1, -1, rwf[i].value));
		size_of(fd);
		tell("at %ld", PLACE(fd));
		line("rwf-%s.%s", rwf[i].name, sort);
	}
	/* not EAGAIN, which depends on what is in memory */
	say_ok(preadv2(fd, &v, 1, 0, RWF_NOWAIT) < 0 && errno != EAGAIN ? -1 : 0);
	line("rwf-NOWAIT.%s", sort);
}

static void directly(void)
{
	int fd;

	close(make_file("direct", O_TRUNC));
	fd = open("direct", O_RDWR | O_DIRECT);
	ok(fd, "direct.open");
	value(pwrite(fd, buf, PAGE, 0), "direct.write");
	value(pwrite(fd, buf, PAGE, 10), "direct.write-odd-offset");
	value(pwrite(fd, buf, 10, 0), "direct.write-odd-size");
	value(pwrite(fd, buf + 1, PAGE, 0), "direct.write-odd-buffer");
	value(pwrite(fd, buf, PAGE, PAGE), "direct.append");
	value(pread(fd, buf, PAGE, 0), "direct.read");
	value(pread(fd, buf, PAGE, 10), "direct.read-odd-offset");
	value(pread(fd, buf, 10, 0), "direct.read-odd-size");
	value(pread(fd, buf + 1, PAGE, 0), "direct.read-odd-buffer");
	value(pread(fd, buf, PAGE, 2 * PAGE), "direct.read-end");
	say_fd(fd);
	line("direct.after");
	close(fd);
}

void reads(void)
{
	signal(SIGXFSZ, SIG_IGN);
	as_root(make_all, "");
	for (unsigned int i = 0; i < N(sorts); i++) {
		int fd = open_sort(i);

		one_read(fd, sorts[i].name);
		one_write(fd, sorts[i].name);
		close(fd);
		fd = open_sort(i);
		one_with_flags(fd, sorts[i].name);
		close(fd);
	}
	directly();
}

void seeks(void)
{
	static const struct { const char *name; int whence; } whences[] = {
		{ "SET", SEEK_SET }, { "CUR", SEEK_CUR }, { "END", SEEK_END },
		{ "DATA", SEEK_DATA }, { "HOLE", SEEK_HOLE }, { "unknown", 9 },
	};
	static const off_t offs[] = {
		0, 5, 3 * 65536, 3 * 65536 + 7, 200000, 1 << 20, 1 << 30, -1, -100000,
		1ll << 45, LLONG_MAX,
	};
	int fd;

	as_root(make_all, "");
	fd = make_file("f", 0);
	must(pwrite(fd, buf, 65536 / 16, 3 * 65536), "data");
	must(ftruncate(fd, 1 << 20), "hole");
	must(fsync(fd), "fsync");
	close(fd);
	for (unsigned int i = 0; i < N(sorts); i++) {
		fd = open(sorts[i].path, sorts[i].flags, 0600);
		for (unsigned int w = 0; w < N(whences); w++) {
			/* where a directory ends is the file system's choice */
			if (!strcmp(sorts[i].name, "dir") && whences[w].whence != SEEK_SET)
				continue;
			for (unsigned int o = 0; o < N(offs); o++) {
				if (offs[o] == 1ll << 45)
					line("%s.%s", whences[w].name, sorts[i].name);
				lseek(fd, 10, SEEK_SET);
				say_value(lseek(fd, offs[o], whences[w].whence));
			}
			line("far.%s.%s", whences[w].name, sorts[i].name);
		}
		close(fd);
	}
}

void sizes(void)
{
	static const off_t lens[] = {
		-1, 0, 3, 10, PAGE, PAGE + 1, 1 << 20, 1ll << 33, 1ll << 44, LLONG_MAX,
	};

	as_root(make_all, "");
	for (unsigned int i = 0; i < N(sorts); i++) {
		int fd = open_sort(i);

		for (unsigned int l = 0; l < N(lens); l++) {
			say_ok(ftruncate(fd, lens[l]));
			size_of(fd);
		}
		line("ftruncate.%s", sorts[i].name);
		close(fd);
	}
	for (unsigned int l = 0; l < N(lens); l++) {
		close(make_file("f", O_TRUNC));
		say_ok(truncate("f", lens[l]));
		say_file("f");
		line("truncate.%lld", (long long)lens[l]);
	}
}

static const struct bit modes_of[] = {
	{ "KEEP", FALLOC_FL_KEEP_SIZE }, { "PUNCH", FALLOC_FL_PUNCH_HOLE },
	{ "COLLAPSE", FALLOC_FL_COLLAPSE_RANGE }, { "ZERO", FALLOC_FL_ZERO_RANGE },
	{ "INSERT", FALLOC_FL_INSERT_RANGE }, { "UNSHARE", FALLOC_FL_UNSHARE_RANGE },
	{ "STALE", 4 }, { "unknown", 0x1000 },
};

static void allocate(int fd, int mode, off_t off, off_t len)
{
	struct stat st;
	char c = 0;

	must(ftruncate(fd, 0), "truncate");
	memset(buf, 'x', sizeof(buf));
	must(pwrite(fd, buf, sizeof(buf), 0), "fill");
	say_ok(fallocate(fd, mode, off, len));
	must(fstat(fd, &st), "stat");
	tell("size %lld", (long long)st.st_size);
	must(pread(fd, &c, 1, off > 0 && off < st.st_size ? off : 0), "read");
	tell("%s /", c ? "data" : "zero");
}

void allocations(void)
{
	static const struct { off_t off, len; } ranges[] = {
		{ 0, 0 }, { -1, 1 }, { 0, -1 }, { PAGE, PAGE }, { PAGE + 1, 10 },
		{ 0, 16 * PAGE }, { 3 * PAGE, PAGE }, { 8 * PAGE, PAGE }, { LLONG_MAX, 1 },
		{ 1ll << 45, PAGE }, { 0, 1ll << 45 },
	};
	int fd = make_file("f", 0);

	as_root(make_all, "");
	for (unsigned int m = 0; m < 1u << N(modes_of); m++) {
		int mode = 0;

		if (__builtin_popcount(m) > 2)
			continue;
		for (unsigned int b = 0; b < N(modes_of); b++)
			mode |= m >> b & 1 ? modes_of[b].value : 0;
		for (unsigned int r = 0; r < N(ranges); r++)
			allocate(fd, mode, ranges[r].off, ranges[r].len);
		line("%s", bits(mode, modes_of, N(modes_of)));
	}
	close(fd);
	for (unsigned int i = 0; i < N(sorts); i++) {
		fd = open_sort(i);
		say_ok(fallocate(fd, 0, 0, 100));
		size_of(fd);
		say_ok(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 5));
		say_ok(posix_fallocate(fd, 0, 200) ? -1 : 0);
		size_of(fd);
		line("fd.%s", sorts[i].name);
		close(fd);
	}
}

static void copy_between(unsigned int i, unsigned int j)
{
	int in = open(sorts[i].path, sorts[i].flags, 0600), out;
	const char *to = strcmp(sorts[j].path, "f") ? sorts[j].path : "g";
	loff_t a = 2, b = 3, far = LLONG_MAX, minus = -1;
	off_t start = 1;

	close(make_file("g", O_TRUNC));
	out = open(to, sorts[j].flags, 0600);
	say_value(copy_file_range(in, NULL, out, NULL, 4, 0));
	say_value(copy_file_range(in, &a, out, &b, 5, 0));
	tell("%lld %lld", (long long)a, (long long)b);
	say_value(copy_file_range(in, &a, out, &b, 5, 1));
	say_value(copy_file_range(in, &far, out, &b, 5, 0));
	say_value(copy_file_range(in, &a, out, &far, 5, 0));
	say_value(copy_file_range(in, &minus, out, &b, 5, 0));
	say_value(copy_file_range(in, &a, out, &b, 0, 0));
	size_of(out);
	tell("sendfile");
	/* from and to a fifo would be waited for */
	if (strcmp(sorts[i].path, "fifo")) {
		say_value(sendfile(out, in, &start, 4));
		tell("%lld", (long long)start);
		say_value(sendfile(out, in, NULL, 2));
		start = -1;
		say_value(sendfile(out, in, &start, 2));
	}
	size_of(out);
	line("%s.%s", sorts[i].name, sorts[j].name);
	close(in);
	close(out);
}

static void splice_through(unsigned int i)
{
	loff_t off = 1;
	int p[2], fd = open_sort(i);

	must(pipe2(p, O_NONBLOCK), "pipe");
	say_value(splice(fd, &off, p[1], NULL, 4, SPLICE_F_NONBLOCK));
	tell("%lld", (long long)off);
	must(write(p[1], "xyz", 3), "pipe");
	off = 8;
	say_value(splice(p[0], NULL, fd, &off, 3, SPLICE_F_NONBLOCK));
	say_value(splice(p[0], NULL, fd, NULL, 3, SPLICE_F_NONBLOCK));
	size_of(fd);
	say_value(splice(fd, NULL, p[1], &off, 3, 0));
	line("splice.%s", sorts[i].name);
	close(fd);
	close(p[0]);
	close(p[1]);
}

void copies(void)
{
	loff_t a = 0, b = 2;
	int fd, in;

	as_root(make_all, "");
	close(make_file("f", 0));
	for (unsigned int i = 0; i < N(sorts); i++)
		for (unsigned int j = 0; j < N(sorts); j++)
			copy_between(i, j);
	for (unsigned int i = 0; i < N(sorts); i++)
		splice_through(i);
	fd = make_file("one", 0);
	value(copy_file_range(fd, &a, fd, &b, 5, 0), "overlapping");
	a = 0;
	b = 100;
	value(copy_file_range(fd, &a, fd, &b, 10, 0), "in-one-file");
	say_fd(fd);
	line("in-one-file-after");
	in = open("/proc/self/stat", O_RDONLY);
	say_ok(copy_file_range(in, NULL, fd, NULL, 4, 0));
	say_ok(sendfile(fd, in, NULL, 4));
	line("from-proc");
	say_ok(ioctl(fd, FICLONE, in));
	say_ok(ioctl(fd, FICLONE, fd));
	line("clone");
}

void syncs(void)
{
	static const int flags[] = { 0, 1, 2, 4, 7, 8 };

	as_root(make_all, "");
	for (unsigned int i = 0; i < N(sorts); i++) {
		int fd = open_sort(i);

		say_ok(fsync(fd));
		say_ok(fdatasync(fd));
		say_ok(syncfs(fd));
		for (unsigned int f = 0; f < N(flags); f++)
			say_ok(sync_file_range(fd, 0, 10, flags[f]));
		say_ok(sync_file_range(fd, -1, 10, 0));
		say_ok(sync_file_range(fd, 0, -1, 0));
		tell("fadvise");
		for (int a = 0; a < 7; a++) {
			errno = posix_fadvise(fd, 0, 10, a);
			say_ok(errno ? -1 : 0);
		}
		errno = posix_fadvise(fd, 0, -1, 0);
		say_ok(errno ? -1 : 0);
		tell("readahead");
		say_ok(readahead(fd, 0, 100));
		line("%s", sorts[i].name);
		close(fd);
	}
	ok(fsync(-1), "fsync.none");
	ok(syncfs(-1), "syncfs.none");
}

static volatile int too_large;

static void on_limit(int sig)
{
	too_large += sig == SIGXFSZ;
}

static void limited(const char *name, long ret)
{
	say_value(ret);
	tell("signals %d", too_large);
	too_large = 0;
	say_file("f");
	line("%s", name);
}

void limits(void)
{
	struct rlimit limit = { 20, RLIM_INFINITY };
	struct sigaction sa = { .sa_handler = on_limit };
	loff_t a = 0, b = 18;
	int fd = make_file("f", 0), in = make_file("in", 0);

	sigaction(SIGXFSZ, &sa, NULL);
	must(setrlimit(RLIMIT_FSIZE, &limit), "limit");
	limited("write-up-to", pwrite(fd, buf, 100, 10));
	limited("write-at", pwrite(fd, buf, 10, 20));
	limited("write-past", pwrite(fd, buf, 10, 30));
	limited("write-0-past", pwrite(fd, buf, 0, 30));
	limited("truncate", truncate("f", 21));
	limited("ftruncate", ftruncate(fd, 21));
	limited("ftruncate-at", ftruncate(fd, 20));
	limited("fallocate", fallocate(fd, 0, 0, 21));
	limited("fallocate-keep", fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 21));
	must(ftruncate(fd, 18), "truncate");
	limited("copy", copy_file_range(in, &a, fd, &b, 10, 0));
	b = 20;
	limited("copy-at", copy_file_range(in, &a, fd, &b, 10, 0));
	lseek(fd, 18, SEEK_SET);
	a = 0;
	limited("sendfile", sendfile(fd, in, &a, 10));
	fcntl(fd, F_SETFL, O_APPEND);
	must(ftruncate(fd, 15), "truncate");
	limited("append", write(fd, buf, 10));
	limited("append-at", write(fd, buf, 10));
	close(fd);
	fd = open("f", O_RDWR | O_DIRECT);
	limited("direct", pwrite(fd, buf, PAGE, PAGE));
	/* what is larger already may be written, below the limit, and cut */
	limit.rlim_cur = 10;
	must(setrlimit(RLIMIT_FSIZE, &limit), "limit");
	limited("shrink-above", truncate("f", 15));
	limited("shrink", truncate("f", 5));
}

void polls(void)
{
	as_root(make_all, "");
	for (unsigned int i = 0; i < N(sorts); i++) {
		int fd = open_sort(i), e = epoll_create1(0);
		struct pollfd p = { fd, POLLIN | POLLOUT | POLLPRI, 0 };
		struct epoll_event event = { .events = EPOLLIN };

		say_value(poll(&p, 1, 0));
		tell("%#x", p.revents);
		say_ok(epoll_ctl(e, EPOLL_CTL_ADD, fd, &event));
		line("%s", sorts[i].name);
		close(e);
		close(fd);
	}
}
