// SPDX-License-Identifier: GPL-2.0-only
/*
 * remembered.c - does a name answer whose owner is known to be dead?
 *
 *	remembered DIR SECONDS
 *
 * Looks at DIR/f (a file), DIR/l (a link) and DIR/none in every way, from DIR
 * and by their full paths, so that they are remembered; prints "remembered".
 * Then asks for names that nobody can remember, in DIR and above, until that
 * fails with EIO, SECONDS at most.  From then on every look must fail so.
 * Status 0: they did; 1: something answered, or gave another error; 2: nothing
 * had died in time, or could not be looked at before.
 *
 * Static, and it opens nothing else: where its own text came from is dead then.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE	512
#define POLL_US		50000

static int error_of(long ret)
{
	return ret < 0 ? errno : 0;
}

static int look_stat(const char *path)
{
	struct stat st;

	return error_of(lstat(path, &st));
}

static int look_access(const char *path)
{
	return error_of(access(path, R_OK));
}

static int look_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return error_of(fd);
}

static int look_text(const char *path)
{
	char text[64];

	return error_of(readlink(path, text, sizeof(text)));
}

static int look_xattr(const char *path)
{
	char value[64];

	return error_of(getxattr(path, "user.none", value, sizeof(value)));
}

static int look_list(const char *path)
{
	DIR *dir = opendir(path);
	int err;

	if (!dir)
		return errno;
	errno = 0;
	while (readdir(dir))
		;
	err = errno;
	closedir(dir);
	return err;
}

static const struct {
	const char *what;
	int (*look)(const char *path);
	const char *name;
	int before;		/* what it gives while the owner lives */
} looks[] = {
	{ "stat", look_stat, "f", 0 },
	{ "stat", look_stat, "none", ENOENT },
	{ "access", look_access, "f", 0 },
	{ "open", look_open, "f", 0 },
	{ "getxattr", look_xattr, "f", ENODATA },
	{ "stat", look_stat, "l", 0 },
	{ "readlink", look_text, "l", 0 },
	{ "list", look_list, ".", 0 },
};

/* Each look from @dir, or from where we are: how many do not give what they should. */
static int look_all(const char *dir, int dead)
{
	char path[PATH_SIZE];
	int bad = 0, err, want;

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		snprintf(path, sizeof(path), "%s%s%s", dir, *dir ? "/" : "", looks[i].name);
		err = looks[i].look(path);
		want = dead ? EIO : looks[i].before;
		if (err == want)
			continue;
		bad++;
		printf("remembered: %s of %s: %s, not %s\n", looks[i].what, path,
		       strerror(err), strerror(want));
	}
	return bad;
}

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* Until a name in @dir that nobody knows gives EIO. */
static int await_death(const char *dir, time_t until)
{
	char path[PATH_SIZE];
	int err;

	for (unsigned int n = 0; now() < until; n++) {
		snprintf(path, sizeof(path), "%s%snobody-knows-%u", dir, *dir ? "/" : "", n);
		err = look_stat(path);
		if (err == EIO)
			return 0;
		if (err != ENOENT) {
			printf("remembered: stat of %s: %s\n", path, strerror(err));
			return 1;
		}
		usleep(POLL_US);
	}
	printf("remembered: %s still answers\n", dir);
	return 2;
}

int main(int argc, char **argv)
{
	int bad = 0, ret;
	time_t until;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 3 || chdir(argv[1]))
		return 2;
	until = now() + atoi(argv[2]);
	for (int i = 0; i < 3; i++)
		bad += look_all("", 0) + look_all(argv[1], 0);
	if (bad)
		return 2;
	printf("remembered\n");
	ret = await_death("", until);
	if (!ret)
		bad += look_all("", 1);
	/* The way there may lead through another mount. */
	if (!ret)
		ret = await_death(argv[1], until);
	if (!ret)
		bad += look_all(argv[1], 1) + look_all("", 1);
	if (!ret && !bad)
		printf("nothing that was remembered answers\n");
	return ret ? ret : !!bad;
}
