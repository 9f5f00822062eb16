// SPDX-License-Identifier: GPL-2.0-only
/*
 * look.c - all the ways in which a process can see what a name means
 *
 * Each fills its fields of the view of a spot.  Texts are hashed, errors are
 * numbers, so that views are compared field by field.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <signal.h>
#include <unistd.h>

#include "coherent.h"

#define DATA	256	/* bytes of a file that are looked at */
#define READ_ONLY	(O_RDONLY | O_NONBLOCK | O_CLOEXEC)

const char *const field_names[FIELDS] = {
	[F_STAT] = "stat", [F_MODE] = "mode", [F_INO] = "inode", [F_UID] = "uid",
	[F_GID] = "gid", [F_LINKS] = "links", [F_SIZE] = "size",
	[F_MTIME] = "mtime", [F_CTIME] = "ctime", [F_LISTED] = "listed",
	[F_LIST_INO] = "listed inode", [F_LIST_TYPE] = "listed type",
	[F_LIST_SUM] = "list", [F_OPEN] = "open", [F_DATA] = "data",
	[F_FSTAT] = "fstat", [F_FMODE] = "fstat's mode", [F_FUID] = "fstat's uid",
	[F_FLINKS] = "fstat's links", [F_FSIZE] = "fstat's size",
	[F_FMTIME] = "fstat's mtime", [F_READLINK] = "readlink",
	[F_TEXT] = "link text", [F_READ] = "access R", [F_WRITE] = "access W",
	[F_EXEC] = "access X", [F_USER_READ] = "user's access R",
	[F_USER_WRITE] = "user's access W", [F_USER_EXEC] = "user's access X",
	[F_USER_OPEN] = "user's open", [F_XATTRS] = "listxattr",
	[F_XATTR_NAMES] = "xattr names", [F_COLOUR] = "user.colour",
	[F_ACL] = "ACL", [F_OPEN_WRITE] = "open for writing",
	[F_REMOVE] = "user's unlink", [F_MOUNT] = "mount",
};

enum task { TASK_LOOK, TASK_UNLINK, TASK_WRITE };

struct order {
	enum task task;
	char path[PATH_SIZE];
};

struct answer {
	int err[4];
};

static int user_socket = -1;

static uint64_t hash(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = 0xcbf29ce484222325ULL;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h;
}

static int error_of(int ret)
{
	return ret < 0 ? errno : 0;
}

static uint64_t ns(const struct timespec *ts)
{
	return ts->tv_sec * 1000000000ULL + ts->tv_nsec;
}

static void look_stat(struct spot *s, const struct looking *l)
{
	uint64_t *v = s->view.v;
	struct stat st;

	v[F_STAT] = error_of(lstat(s->path, &st));
	if (v[F_STAT])
		return;
	v[F_MODE] = st.st_mode;
	v[F_INO] = st.st_ino;
	v[F_UID] = st.st_uid;
	v[F_GID] = st.st_gid;
	v[F_LINKS] = st.st_nlink;
	v[F_SIZE] = st.st_size;
	v[F_MTIME] = ns(&st.st_mtim);
	v[F_CTIME] = ns(&st.st_ctim);
}

static void look_list(struct spot *s, const struct looking *l)
{
	char copy[PATH_SIZE], copy2[PATH_SIZE];
	const char *name = basename(strcpy(copy, s->path));
	DIR *dir = opendir(dirname(strcpy(copy2, s->path)));
	uint64_t *v = s->view.v;
	struct dirent *e;

	if (!dir) {
		v[F_LISTED] = errno + 1;
		return;
	}
	while ((e = readdir(dir))) {
		if (strcmp(e->d_name, "..") == 0)
			continue;
		v[F_LIST_SUM] += hash(e->d_name, strlen(e->d_name)) ^ e->d_ino;
		if (strcmp(e->d_name, name))
			continue;
		v[F_LISTED] = 1;
		v[F_LIST_INO] = e->d_ino;
		v[F_LIST_TYPE] = e->d_type;
	}
	closedir(dir);
}

static void look_open(struct spot *s, const struct looking *l)
{
	int fd = open(s->path, READ_ONLY);
	char data[DATA];
	ssize_t n;

	s->view.v[F_OPEN] = error_of(fd);
	if (fd < 0)
		return;
	n = read(fd, data, sizeof(data));
	s->view.v[F_DATA] = n < 0 ? (uint64_t)errno : hash(data, n);
	close(fd);
}

static void look_fstat(struct spot *s, const struct looking *l)
{
	uint64_t *v = s->view.v;
	struct stat st;

	if (s->fd < 0)
		return;
	v[F_FSTAT] = error_of(fstat(s->fd, &st));
	if (v[F_FSTAT])
		return;
	v[F_FMODE] = st.st_mode;
	v[F_FUID] = st.st_uid;
	v[F_FLINKS] = st.st_nlink;
	v[F_FSIZE] = st.st_size;
	v[F_FMTIME] = ns(&st.st_mtim);
}

static void look_text(struct spot *s, const struct looking *l)
{
	char text[PATH_SIZE];
	ssize_t n = readlink(s->path, text, sizeof(text));

	s->view.v[F_READLINK] = error_of(n);
	if (n >= 0)
		s->view.v[F_TEXT] = hash(text, n);
}

static void look_access(struct spot *s, const struct looking *l)
{
	s->view.v[F_READ] = error_of(access(s->path, R_OK));
	s->view.v[F_WRITE] = error_of(access(s->path, W_OK));
	s->view.v[F_EXEC] = error_of(access(s->path, X_OK));
}

/* What the process that is not root gets; EIO if it is not there. */
static struct answer user_ask(enum task task, const char *path)
{
	struct order o = { .task = task };
	struct answer a;

	strcpy(o.path, path);
	if (send(user_socket, &o, sizeof(o), MSG_NOSIGNAL) != sizeof(o) ||
	    recv(user_socket, &a, sizeof(a), 0) != sizeof(a))
		return (struct answer) { { EIO, EIO, EIO, EIO } };
	return a;
}

static void look_user(struct spot *s, const struct looking *l)
{
	struct answer a = user_ask(TASK_LOOK, s->path);

	for (int i = 0; i < 4; i++)
		s->view.v[F_USER_READ + i] = a.err[i];
}

/* 0: there is none; else its value, or its error. */
static uint64_t xattr(const char *path, const char *name)
{
	char value[DATA];
	ssize_t n = lgetxattr(path, name, value, sizeof(value));

	if (n < 0)
		return errno == ENODATA ? 0 : errno;
	return hash(value, n);
}

static void look_xattr(struct spot *s, const struct looking *l)
{
	char names[DATA];
	ssize_t n = llistxattr(s->path, names, sizeof(names));

	s->view.v[F_XATTRS] = error_of(n);
	if (n > 0)
		s->view.v[F_XATTR_NAMES] = hash(names, n);
	s->view.v[F_COLOUR] = xattr(s->path, "user.colour");
	s->view.v[F_ACL] = xattr(s->path, "system.posix_acl_access");
}

static void look_write(struct spot *s, const struct looking *l)
{
	int fd = open(s->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	s->view.v[F_OPEN_WRITE] = error_of(fd);
	if (fd >= 0)
		close(fd);
}

/* Only of use where it must fail. */
static void look_remove(struct spot *s, const struct looking *l)
{
	if (l->after)
		s->view.v[F_REMOVE] = user_ask(TASK_UNLINK, s->path).err[0];
}

static bool is_tmpfs(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == TMPFS_MAGIC;
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, "2\n", 2);
	close(fd);
}

/* Mounted before the change, it is there after it, and then what is below. */
static void look_mount(struct spot *s, const struct looking *l)
{
	uint64_t *v = &s->view.v[F_MOUNT];
	char below[PATH_SIZE + 8];

	if (!l->after) {
		if (!s->mounted)
			*v = error_of(mount("none", s->path, "tmpfs", 0, "size=64k"));
		s->mounted = !*v;
		*v = *v ? *v : is_tmpfs(s->path);
		return;
	}
	*v = 256 | is_tmpfs(s->path);
	drop_caches();
	*v |= is_tmpfs(s->path) << 1;
	umount2(s->path, MNT_DETACH);
	s->mounted = false;
	snprintf(below, sizeof(below), "%s/below", s->path);
	*v |= !access(below, F_OK) << 2;
}

static void (*const ways[WAYS])(struct spot *s, const struct looking *l) = {
	[WAY_STAT] = look_stat, [WAY_LIST] = look_list, [WAY_OPEN] = look_open,
	[WAY_FSTAT] = look_fstat, [WAY_TEXT] = look_text,
	[WAY_ACCESS] = look_access, [WAY_USER] = look_user,
	[WAY_XATTR] = look_xattr, [WAY_WRITE] = look_write,
	[WAY_REMOVE] = look_remove, [WAY_MOUNT] = look_mount,
};

void look(struct spot *spots, const struct looking *l)
{
	unsigned int way;
	int i;

	for (i = 0; i < SPOTS; i++)
		memset(&spots[i].view, 0, sizeof(spots[i].view));
	for (unsigned int n = 0; n < WAYS; n++) {
		way = (l->first + n) % WAYS;
		for (i = 0; i < SPOTS; i++)
			if (spots[i].ways & (1u << way))
				ways[way](&spots[i], l);
	}
	for (i = 0; i < SPOTS && l->hold; i++)
		if (spots[i].fd < 0 && spots[i].ways & W(FSTAT))
			spots[i].fd = open(spots[i].path, READ_ONLY | O_NOFOLLOW);
}

void look_end(struct spot *spots)
{
	for (int i = 0; i < SPOTS; i++) {
		if (spots[i].fd >= 0)
			close(spots[i].fd);
		spots[i].fd = -1;
	}
}

static struct answer user_does(const struct order *o)
{
	struct answer a = { 0 };
	int fd;

	if (o->task == TASK_UNLINK) {
		a.err[0] = error_of(unlink(o->path));
		return a;
	}
	if (o->task == TASK_LOOK) {
		a.err[0] = error_of(access(o->path, R_OK));
		a.err[1] = error_of(access(o->path, W_OK));
		a.err[2] = error_of(access(o->path, X_OK));
	}
	fd = open(o->path, o->task == TASK_LOOK ? READ_ONLY : O_WRONLY);
	a.err[3] = error_of(fd);
	if (fd >= 0 && o->task == TASK_WRITE)
		a.err[3] = error_of(write(fd, "u", 1));
	if (fd >= 0)
		close(fd);
	return a;
}

static void user_run(int socket)
{
	struct answer a;
	struct order o;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setgroups(0, NULL) || setresgid(USER, USER, USER) ||
	    setresuid(USER, USER, USER))
		_exit(1);
	while (recv(socket, &o, sizeof(o), 0) == sizeof(o)) {
		a = user_does(&o);
		if (send(socket, &a, sizeof(a), MSG_NOSIGNAL) != sizeof(a))
			break;
	}
	_exit(0);
}

int user_write(const char *path)
{
	return -user_ask(TASK_WRITE, path).err[3];
}

int look_start(void)
{
	int pair[2];
	pid_t pid;

	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		close(pair[0]);
		user_run(pair[1]);
	}
	close(pair[1]);
	user_socket = pair[0];
	return 0;
}
