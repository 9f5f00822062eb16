// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops.c - what can be tried with a file
 *
 * looks change nothing; uses change nothing that shows in a line: a size to what
 * it is, a mode to what it is, a new name that is taken away again.
 */
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/box/prog/rights/rights.h"

static char note[80];		/* what an operation has to say, instead of "ok" */

int home;

void say(const char *name, int err)
{
	printf(" %s %s", name, err ? strerrorname_np(err) : *note ? note : "ok");
	note[0] = '\0';
}

int op_stat(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return errno;
	snprintf(note, sizeof(note), "%o:%u:%u", st.st_mode & 07777, st.st_uid, st.st_gid);
	return 0;
}

static int may(const char *path, int mode)
{
	return result(faccessat(AT_FDCWD, path, mode, AT_EACCESS));
}

static int op_r(const char *path) { return may(path, R_OK); }
static int op_w(const char *path) { return may(path, W_OK); }
static int op_x(const char *path) { return may(path, X_OK); }
static int op_rw(const char *path) { return may(path, R_OK | W_OK); }
static int op_real_r(const char *path) { return result(access(path, R_OK)); }
static int op_real_w(const char *path) { return result(access(path, W_OK)); }
static int op_real_x(const char *path) { return result(access(path, X_OK)); }

int opens(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int op_rdonly(const char *path) { return opens(path, O_RDONLY); }
static int op_wronly(const char *path) { return opens(path, O_WRONLY); }
static int op_rdwr(const char *path) { return opens(path, O_RDWR); }
int op_noatime(const char *path) { return opens(path, O_RDONLY | O_NOATIME); }
static int op_path(const char *path) { return opens(path, O_PATH); }

static int op_list(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return errno;
	while (readdir(d))
		n++;
	closedir(d);
	snprintf(note, sizeof(note), "%d", n);
	return 0;
}

static int op_chdir(const char *path)
{
	int err = result(chdir(path));

	if (!err)
		must(fchdir(home), "back");
	return err;
}

static int op_in_stat(const char *path) { return op_stat(in(path, "in")); }
static int op_in_read(const char *path) { return op_rdonly(in(path, "in")); }
static int op_in_link(const char *path) { return op_rdonly(in(path, "link")); }
static int op_in_absent(const char *path) { return op_stat(in(path, "absent")); }

static int op_readlink(const char *path)
{
	ssize_t n = readlink(path, note, sizeof(note) - 1);

	if (n < 0)
		return errno;
	note[n] = '\0';
	return 0;
}

static int op_in_text(const char *path) { return op_readlink(in(path, "link")); }

static int op_through(const char *path)
{
	struct stat st;

	return result(stat(path, &st));
}

static int op_xattr(const char *path)
{
	char value[8];

	return result(getxattr(path, "user.none", value, sizeof(value)));
}

/* Runs "rights ids", by way of a script or not. */
int op_exec(const char *path)
{
	char *argv[] = { "rights", "ids", NULL }, *envp[] = { NULL };
	int err, status;
	pid_t pid;

	err = posix_spawn(&pid, path, NULL, NULL, argv, envp);
	if (err)
		return err;
	must(waitpid(pid, &status, 0), "wait");
	if (!WIFEXITED(status) || WEXITSTATUS(status) < IDS)
		snprintf(note, sizeof(note), "status-%x", status);
	else if (WEXITSTATUS(status) > IDS)
		snprintf(note, sizeof(note), "with%s%s", status >> 8 & 1 ? "-user" : "",
			 status >> 8 & 2 ? "-group" : "");
	return 0;
}

int op_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	must(fd, "socket");
	strcpy(addr.sun_path, path);
	err = result(connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
	close(fd);
	return err;
}

static int op_truncate(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? errno : result(truncate(path, st.st_size));
}

static int op_touch(const char *path)
{
	return result(utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW));
}

static int op_times(const char *path)
{
	static const struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 1 } };

	return result(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
}

/* To what it is already: the right is asked for, and nothing changes. */
static int op_chmod(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? errno : result(chmod(path, st.st_mode & 07777));
}

static int op_chown(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? errno : result(lchown(path, st.st_uid, st.st_gid));
}

static int op_new(const char *path)
{
	int err = opens(in(path, "new"), O_WRONLY | O_CREAT | O_EXCL);

	return err ?: result(unlink(in(path, "new")));
}

static int op_move(const char *path)
{
	int err = result(rename(in(path, "in"), in(path, "moved")));

	return err ?: result(rename(in(path, "moved"), in(path, "in")));
}

static int op_creat(const char *path) { return opens(path, O_WRONLY | O_CREAT); }

#define ALL_	(FILE_ | DIR_ | FIFO | SOCK | CHR | LINK)

const struct op looks[] = {
	{ "stat", op_stat, ALL_ },
	{ "r", op_r, ALL_ }, { "w", op_w, ALL_ }, { "x", op_x, ALL_ }, { "rw", op_rw, ALL_ },
	{ "real-r", op_real_r, FILE_ | DIR_ }, { "real-w", op_real_w, FILE_ | DIR_ },
	{ "real-x", op_real_x, FILE_ | DIR_ },
	{ "O_RDONLY", op_rdonly, ALL_ }, { "O_PATH", op_path, FILE_ | FIFO },
	{ "O_NOATIME", op_noatime, FILE_ | DIR_ },
	{ "O_WRONLY", op_wronly, FIFO | CHR | DIR_ | SOCK }, { "O_RDWR", op_rdwr, FIFO | CHR },
	{ "list", op_list, DIR_ }, { "chdir", op_chdir, DIR_ | FILE_ },
	{ "in-stat", op_in_stat, DIR_ | FILE_ }, { "in-read", op_in_read, DIR_ },
	{ "in-link", op_in_link, DIR_ }, { "in-text", op_in_text, DIR_ },
	{ "in-absent", op_in_absent, DIR_ },
	{ "text", op_readlink, LINK }, { "through", op_through, LINK },
	{ "xattr", op_xattr, FILE_ | DIR_ }, { "exec", op_exec, FILE_ | DIR_ | FIFO | LINK },
	{ "connect", op_connect, SOCK | FILE_ | LINK },
	{ NULL, NULL, 0 }
};

const struct op uses[] = {
	{ "O_WRONLY", op_wronly, FILE_ | LINK }, { "O_RDWR", op_rdwr, FILE_ },
	{ "O_CREAT", op_creat, FILE_ | FIFO }, { "truncate", op_truncate, FILE_ | FIFO | DIR_ },
	{ "touch", op_touch, FILE_ | DIR_ | FIFO | LINK }, { "times", op_times, FILE_ | DIR_ },
	{ "chmod", op_chmod, ALL_ & ~LINK }, { "chown", op_chown, FILE_ | DIR_ | LINK },
	{ "new", op_new, DIR_ }, { "move", op_move, DIR_ },
	{ NULL, NULL, 0 }
};
