// SPDX-License-Identifier: GPL-2.0-only
/*
 * writer.c - random changes, each with the outcome that it must have
 *
 * A writer knows what its names are, so it knows what every call has to give:
 * success, or exactly this error.  It reaches them by descriptors of their
 * directories, which move meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "random.h"

#define ERRORS_MAX	5	/* then a writer gives up */
#define SIZE_LIMIT	9000
#define NAP_US		2000	/* what changes faster than it is read says nothing */

struct writer {
	struct run *run;
	unsigned int who;
	uint64_t seed;
	unsigned int count, errors;
};

/* One of the writer's names, and what it is now. */
struct name {
	uint32_t reg;
	int dir;		/* descriptor */
	char text[32];
	char path[64];		/* for calls that take no descriptor */
	uint32_t object;	/* 0: nothing */
	const struct state *is;
};

static uint64_t pick(struct writer *w, uint64_t n)
{
	return random_next(&w->seed) % n;
}

static struct name pick_name(struct writer *w)
{
	unsigned int d = pick(w, DIRS), i = pick(w, PER_DIR);
	struct name n = { .reg = NAME(w->who, d, i), .dir = w->run->dirs[d] };

	snprintf(n.text, sizeof(n.text), "w%u-%u", w->who, i);
	snprintf(n.path, sizeof(n.path), "/proc/self/fd/%d/%s", n.dir, n.text);
	n.object = reg_now(w->run->table, n.reg)->object;
	if (n.object)
		n.is = reg_now(w->run->table, n.object);
	return n;
}

static bool is(const struct name *n, mode_t type)
{
	return n->object && (n->is->mode & S_IFMT) == type;
}

static mode_t pick_mode(struct writer *w)
{
	static const mode_t modes[] = { 0644, 0600, 0640, 0604, 0666, 0444, 0, 0755 };

	return modes[pick(w, 8)];
}

static int error_of(long ret)
{
	return ret < 0 ? errno : 0;
}

/* The call is over and gave @got; the model says @want. */
static void over(struct writer *w, struct change *c, const char *what,
		 const struct name *n, int got, int want)
{
	change_end(c, !got);
	w->count++;
	if (got == want)
		return;
	w->errors++;
	printf("random: writer %u: %s of %s: %s, it should be: %s\n", w->who, what,
	       n->text, strerror(got), strerror(want));
}

/* A new object, which @n means from now on. */
static struct state *birth(struct writer *w, struct change *c, const struct name *n,
			   mode_t mode)
{
	struct state *s;
	uint32_t i = 0;

	while (reg_now(w->run->table, OBJECT(w->who, i))->links)
		i++;
	change_begin(c, n->reg)->object = OBJECT(w->who, i);
	s = change_begin(c, OBJECT(w->who, i));
	*s = (struct state) { .mode = mode, .links = S_ISDIR(mode) ? 2 : 1 };
	return s;
}

static void death(struct change *c, const struct name *n)
{
	struct state *s = change_begin(c, n->object);

	s->links = S_ISDIR(s->mode) ? 0 : s->links - 1;
}

static int stat_new(const struct name *n, struct state *s)
{
	struct stat st;

	if (fstatat(n->dir, n->text, &st, AT_SYMLINK_NOFOLLOW))
		return errno;
	s->ino = st.st_ino;
	return 0;
}

static void do_create(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_name(w);
	mode_t mode = pick_mode(w);
	struct state *s = n.object ? NULL : birth(w, &c, &n, S_IFREG | mode);
	struct stat st;
	int fd, err;

	fd = openat(n.dir, n.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	err = error_of(fd);
	if (fd >= 0) {
		err = error_of(fstat(fd, &st));
		if (s)
			s->ino = st.st_ino;
		close(fd);
	}
	over(w, &c, "create", &n, err, s ? 0 : EEXIST);
}

static void do_make(struct writer *w, const char *what, mode_t type)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_name(w);
	mode_t mode = S_ISLNK(type) ? 0777 : pick_mode(w);
	struct state *s = n.object ? NULL : birth(w, &c, &n, type | mode);
	uint32_t number = pick(w, 1000000);
	char text[32];
	int err;

	snprintf(text, sizeof(text), "to-%u", number);
	if (S_ISDIR(type))
		err = error_of(mkdirat(n.dir, n.text, mode));
	else if (S_ISLNK(type))
		err = error_of(symlinkat(text, n.dir, n.text));
	else
		err = error_of(mknodat(n.dir, n.text, type | mode, 0));
	if (s && S_ISLNK(type)) {
		s->text = number;
		s->size = strlen(text);
	}
	if (s && !err)
		err = stat_new(&n, s);
	over(w, &c, what, &n, err, s ? 0 : EEXIST);
}

static void do_mkdir(struct writer *w)
{
	do_make(w, "mkdir", S_IFDIR);
}

static void do_symlink(struct writer *w)
{
	do_make(w, "symlink", S_IFLNK);
}

static void do_fifo(struct writer *w)
{
	do_make(w, "mknod", S_IFIFO);
}

static void do_unlink(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_name(w);
	int want = !n.object ? ENOENT : is(&n, S_IFDIR) ? EISDIR : 0;

	if (!want) {
		change_begin(&c, n.reg)->object = 0;
		death(&c, &n);
	}
	over(w, &c, "unlink", &n, error_of(unlinkat(n.dir, n.text, 0)), want);
}

static void do_rmdir(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_name(w);
	int want = !n.object ? ENOENT : is(&n, S_IFDIR) ? 0 : ENOTDIR;

	if (!want) {
		change_begin(&c, n.reg)->object = 0;
		death(&c, &n);
	}
	over(w, &c, "rmdir", &n, error_of(unlinkat(n.dir, n.text, AT_REMOVEDIR)), want);
}

static int rename_gives(const struct name *a, const struct name *b)
{
	int clash = is(b, S_IFDIR) ? EISDIR : ENOTDIR;
	bool fit = !b->object || is(a, S_IFDIR) == is(b, S_IFDIR);

	return !a->object ? ENOENT : fit ? 0 : clash;
}

static void do_rename(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name a = pick_name(w), b = pick_name(w);
	int want = rename_gives(&a, &b);

	if (a.reg == b.reg)
		return;
	/* Two names of one file: nothing happens. */
	if (!want && a.object != b.object) {
		change_begin(&c, a.reg)->object = 0;
		change_begin(&c, b.reg)->object = a.object;
		if (b.object)
			death(&c, &b);
	}
	over(w, &c, "rename", &a, error_of(renameat(a.dir, a.text, b.dir, b.text)), want);
}

static void do_exchange(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name a = pick_name(w), b = pick_name(w);
	int want = a.object && b.object ? 0 : ENOENT;

	if (a.reg == b.reg)
		return;
	if (!want) {
		change_begin(&c, a.reg)->object = b.object;
		change_begin(&c, b.reg)->object = a.object;
	}
	over(w, &c, "exchange", &a,
	     error_of(renameat2(a.dir, a.text, b.dir, b.text, RENAME_EXCHANGE)), want);
}

static void do_link(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name a = pick_name(w), b = pick_name(w);
	int want = !a.object ? ENOENT : b.object ? EEXIST : is(&a, S_IFDIR) ? EPERM : 0;

	if (!want) {
		change_begin(&c, b.reg)->object = a.object;
		change_begin(&c, a.object)->links++;
	}
	over(w, &c, "link", &a, error_of(linkat(a.dir, a.text, b.dir, b.text, 0)), want);
}

/* Writes @len bytes of @data to @n, at its start or its end. */
static int put(const struct name *n, const void *data, size_t len, int flags)
{
	int fd = openat(n->dir, n->text, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags);
	int err;

	if (fd < 0)
		return errno;
	err = write(fd, data, len) == (ssize_t)len ? 0 : errno ? errno : EIO;
	close(fd);
	return err;
}

static void do_write(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_name(w);
	struct state *s;
	uint64_t stamp = (uint64_t)(w->who + 1) << 56 | w->count << 8 | pick(w, 256);

	if (!is(&n, S_IFREG))
		return;
	s = change_begin(&c, n.object);
	memcpy(s->head, &stamp, HEAD);
	s->size = s->size < HEAD ? HEAD : s->size;
	s->mtime = 0;
	over(w, &c, "write", &n, put(&n, &stamp, HEAD, 0), 0);
}

static void do_append(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_name(w);
	size_t len = 1 + pick(w, 300);
	char data[300];
	struct state *s;

	if (!is(&n, S_IFREG) || n.is->size > SIZE_LIMIT)
		return;
	memset(data, 'a' + w->who, len);
	s = change_begin(&c, n.object);
	for (size_t i = 0; i < len && s->size + i < HEAD; i++)
		s->head[s->size + i] = data[i];
	s->size += len;
	s->mtime = 0;
	over(w, &c, "append", &n, put(&n, data, len, O_APPEND), 0);
}

static void do_truncate(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_name(w);
	uint64_t size = pick(w, 4) ? pick(w, 20) : pick(w, SIZE_LIMIT);
	struct state *s;

	if (!is(&n, S_IFREG))
		return;
	s = change_begin(&c, n.object);
	if (size < HEAD)
		memset(s->head + size, 0, HEAD - size);
	s->size = size;
	s->mtime = 0;
	over(w, &c, "truncate", &n, error_of(truncate(n.path, size)), 0);
}

static void do_chmod(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_name(w);
	mode_t mode = pick_mode(w);
	struct state *s;

	if (is(&n, S_IFLNK))
		return;
	if (n.object) {
		s = change_begin(&c, n.object);
		s->mode = (s->mode & S_IFMT) | mode;
	}
	over(w, &c, "chmod", &n, error_of(fchmodat(n.dir, n.text, mode, 0)),
	     n.object ? 0 : ENOENT);
}

static void do_chown(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_name(w);
	uid_t uid = pick(w, 2) ? USER : 0;
	gid_t gid = pick(w, 2) ? USER : 0;
	struct state *s;

	if (n.object) {
		s = change_begin(&c, n.object);
		s->uid = uid;
		s->gid = gid;
	}
	over(w, &c, "chown", &n, error_of(fchownat(n.dir, n.text, uid, gid, AT_SYMLINK_NOFOLLOW)),
	     n.object ? 0 : ENOENT);
}

static void do_utimes(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_name(w);
	struct timespec t[2] = { { 5, 0 }, { 1 + pick(w, 1000000), pick(w, 1000000000) } };

	if (n.object)
		change_begin(&c, n.object)->mtime = t[1].tv_sec * 1000000000ULL + t[1].tv_nsec;
	over(w, &c, "utimes", &n, error_of(utimensat(n.dir, n.text, t, AT_SYMLINK_NOFOLLOW)),
	     n.object ? 0 : ENOENT);
}

static void do_xattr(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_name(w);
	uint32_t value = pick(w, 4) ? 1 + pick(w, 1000) : 0;
	uint32_t had;
	int err, want;

	if (!is(&n, S_IFREG) && !is(&n, S_IFDIR))
		return;
	had = n.is->xattr;
	change_begin(&c, n.object)->xattr = value;
	if (value)
		err = error_of(setxattr(n.path, "user.v", &value, sizeof(value), 0));
	else
		err = error_of(removexattr(n.path, "user.v"));
	want = value || had ? 0 : ENODATA;
	over(w, &c, "xattr", &n, err, want);
}

static void (*const ops[])(struct writer *w) = {
	do_create, do_create, do_create, do_write, do_append, do_truncate, do_rename,
	do_rename, do_exchange, do_link, do_unlink, do_mkdir, do_rmdir, do_symlink,
	do_fifo, do_chmod, do_chown, do_utimes, do_xattr,
};

int write_names(struct run *run, unsigned int who)
{
	struct writer w = { .run = run, .who = who, .seed = run->seed * 977 + who + 1 };
	time_t until = seconds_now() + run->seconds;

	while (seconds_now() < until && w.errors < ERRORS_MAX) {
		ops[pick(&w, sizeof(ops) / sizeof(ops[0]))](&w);
		usleep(NAP_US);
	}
	printf("writer %u: %u calls, %u not as they should be\n", who, w.count, w.errors);
	return w.errors;
}

/* Directories and places: one process has them all. */

static struct name pick_place(struct writer *w)
{
	struct name n = { .reg = PLACE(pick(w, PLACES)) };

	snprintf(n.text, sizeof(n.text), "p%u", n.reg);
	n.object = reg_now(w->run->table, n.reg)->object;
	return n;
}

static void move_rename(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name a = pick_place(w), b = pick_place(w);
	int want = !a.object ? ENOENT : b.object && b.object != EMPTY_DIR ? ENOTEMPTY : 0;

	if (a.reg == b.reg)
		return;
	if (!want) {
		change_begin(&c, a.reg)->object = 0;
		change_begin(&c, b.reg)->object = a.object;
		if (b.object)
			change_begin(&c, b.object)->links = 0;
	}
	over(w, &c, "rename", &a, error_of(rename(a.text, b.text)), want);
}

static void move_exchange(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name a = pick_place(w), b = pick_place(w);
	int want = a.object && b.object ? 0 : ENOENT;

	if (a.reg == b.reg)
		return;
	if (!want) {
		change_begin(&c, a.reg)->object = b.object;
		change_begin(&c, b.reg)->object = a.object;
	}
	over(w, &c, "exchange", &a,
	     error_of(renameat2(AT_FDCWD, a.text, AT_FDCWD, b.text, RENAME_EXCHANGE)), want);
}

static void move_mode(struct writer *w)
{
	static const mode_t modes[] = { 0755, 0755, 0711, 0700 };
	struct change c = { .table = w->run->table };
	struct name n = pick_place(w);
	mode_t mode = modes[pick(w, 4)];

	if (n.object)
		change_begin(&c, n.object)->mode = S_IFDIR | mode;
	over(w, &c, "chmod", &n, error_of(chmod(n.text, mode)), n.object ? 0 : ENOENT);
}

static void move_mkdir(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_place(w);
	struct state *s = NULL;
	struct stat st = { 0 };
	int err;

	if (!n.object && reg_now(w->run->table, EMPTY_DIR)->links)
		return;
	if (!n.object) {
		change_begin(&c, n.reg)->object = EMPTY_DIR;
		s = change_begin(&c, EMPTY_DIR);
		*s = (struct state) { .mode = S_IFDIR | 0755, .links = 2 };
	}
	err = error_of(mkdir(n.text, 0755));
	if (!err)
		err = error_of(lstat(n.text, &st));
	if (s)
		s->ino = st.st_ino;
	over(w, &c, "mkdir", &n, err, s ? 0 : EEXIST);
}

static void move_rmdir(struct writer *w)
{
	struct change c = { .table = w->run->table };
	struct name n = pick_place(w);
	int want = !n.object ? ENOENT : n.object != EMPTY_DIR ? ENOTEMPTY : 0;

	if (!want) {
		change_begin(&c, n.reg)->object = 0;
		change_begin(&c, EMPTY_DIR)->links = 0;
	}
	over(w, &c, "rmdir", &n, error_of(rmdir(n.text)), want);
}

static void (*const moves[])(struct writer *w) = {
	move_rename, move_rename, move_exchange, move_mode, move_mkdir, move_rmdir,
};

/* Slowly: a name that is nowhere for long is not read. */
int move_places(struct run *run)
{
	struct writer w = { .run = run, .who = WRITERS, .seed = run->seed * 31 + 7 };
	time_t until = seconds_now() + run->seconds;

	if (chdir(run->dir)) {
		perror(run->dir);
		return 1;
	}
	while (seconds_now() < until && w.errors < ERRORS_MAX) {
		moves[pick(&w, sizeof(moves) / sizeof(moves[0]))](&w);
		usleep(10000);
	}
	printf("mover: %u calls, %u not as they should be\n", w.count, w.errors);
	return w.errors;
}

int make_tree(struct run *run)
{
	char path[256];
	struct stat st;

	for (unsigned int i = 0; i < DIRS; i++) {
		struct change c = { .table = run->table };
		char file[300];

		snprintf(path, sizeof(path), "%s/p%u", run->dir, i);
		/* Never empty, so that it is never replaced. */
		snprintf(file, sizeof(file), "%s/keep", path);
		if (mkdir(path, 0755) || lstat(path, &st) || mknod(file, S_IFREG | 0600, 0))
			return -errno;
		change_begin(&c, PLACE(i))->object = DIRECTORY(i);
		*change_begin(&c, DIRECTORY(i)) = (struct state) {
			.mode = S_IFDIR | 0755, .links = 2, .ino = st.st_ino,
		};
		change_end(&c, true);
	}
	return 0;
}
