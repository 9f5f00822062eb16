// SPDX-License-Identifier: GPL-2.0-only
/*
 * mount.c - mount.ccfs, the helper behind mount -t ccfs
 *
 * Starts the process that serves the mount (serve.c) and waits until the
 * mount works: FUSE's INIT is done and the root answers.  Exit status as
 * mount(8) has it: 0, 1 wrong usage, 32 the mount failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/options.h"
#include "fs/serve.h"
#include "sharedpc_limits.h"

#define EXIT_USAGE	1
#define EXIT_MOUNT	32
#define REPORT_MS	LIMIT_MOUNT_REPORT_MS	/* connect, HELLO and INIT, with some to spare */

static int fail(const struct options *opt, const char *text)
{
	fprintf(stderr, "mount.ccfs: %s on %s: %s\n", opt->source, opt->target,
		text);
	return EXIT_MOUNT;
}

static int usage(FILE *out)
{
	fprintf(out, "Usage: mount.ccfs IMAGE:/PATH DIRECTORY [-sfnvrwh] [-o OPTIONS]\n"
		"Mounts a directory that another image of this box (or this one) exports.\n"
		"See mount.ccfs(8).\n");
	return out == stdout ? 0 : EXIT_USAGE;
}

static int check_target(struct options *opt, char *why, size_t len)
{
	struct stat st;
	char *path = realpath(opt->target, NULL);

	if (!path || stat(path, &st)) {
		snprintf(why, len, "%s: %m", opt->target);
		return -errno;
	}
	if (!S_ISDIR(st.st_mode)) {
		snprintf(why, len, "%s is not a directory", opt->target);
		return -ENOTDIR;
	}
	opt->target = path;
	return 0;
}

/* The report of how it went; a process that ends without one went wrong. */
static void await_report(int fd, struct report *r)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do {
		n = poll(&p, 1, REPORT_MS);
	} while (n < 0 && errno == EINTR);
	if (n > 0 && read(fd, r, sizeof(*r)) == sizeof(*r)) {
		r->text[sizeof(r->text) - 1] = '\0';
		return;
	}
	r->error = n ? -EIO : -ETIMEDOUT;
	snprintf(r->text, sizeof(r->text), n ?
		 "the serving process ended unexpectedly" :
		 "the serving process does not get ready");
}

/* The whole way once: kernel, serving process, owner. */
static int try_root(const struct options *opt, struct report *r)
{
	struct stat st;

	if (!stat(opt->target, &st))
		return 0;
	r->error = -errno;
	snprintf(r->text, sizeof(r->text), "the root does not answer: %m");
	return r->error;
}

/* What is mounted at the target; 0: cannot be said. Asks no file system. */
static uint64_t mount_id(const struct options *opt)
{
	struct statx st;

	if (statx(AT_FDCWD, opt->target, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		  STATX_MNT_ID, &st) || !(st.stx_mask & STATX_MNT_ID))
		return 0;
	return st.stx_mnt_id;
}

/*
 * End the serving process; it unmounts, if it had mounted. If it has to be
 * killed, that is for us to do: @before is what was mounted at first.
 */
static void end(const struct options *opt, pid_t pid, uint64_t before)
{
	uint64_t now;

	kill(pid, SIGTERM);
	for (int ms = 0; ms < 2000; ms += 10) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		usleep(10000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	now = mount_id(opt);
	if (before && now && now != before)
		umount2(opt->target, MNT_DETACH);
}

static int supervise(const struct options *opt, pid_t pid, int fd,
		     uint64_t before)
{
	struct report r;
	int status;

	await_report(fd, &r);
	if (!r.error && r.text[0])
		fprintf(stderr, "mount.ccfs: %s: %s\n", opt->source, r.text);
	if (!r.error)
		try_root(opt, &r);
	if (r.error) {
		end(opt, pid, before);
		return fail(opt, r.text);
	}
	if (opt->verbose)
		printf("mount.ccfs: %s mounted on %s, names and attributes are %s\n",
		       opt->source, opt->target,
		       r.remembers ? "remembered" : "asked for each time");
	if (opt->foreground)
		waitpid(pid, &status, 0);
	return 0;
}

int main(int argc, char *argv[])
{
	struct options opt;
	uint64_t before;
	char why[256];
	int p[2];
	pid_t pid;

	if (options_parse(&opt, argc, argv, why, sizeof(why))) {
		fprintf(stderr, "mount.ccfs: %s\n", why);
		return usage(stderr);
	}
	if (opt.help)
		return usage(stdout);
	if (check_target(&opt, why, sizeof(why)))
		return fail(&opt, why);
	if (geteuid())
		return fail(&opt, "only root can mount");
	if (opt.fake)
		return 0;
	if (pipe2(p, O_CLOEXEC))
		return fail(&opt, strerror(errno));
	fflush(NULL);
	before = mount_id(&opt);
	pid = fork();
	if (pid < 0)
		return fail(&opt, strerror(errno));
	if (!pid) {
		if (!opt.foreground)
			setsid();
		close(p[0]);
		_exit(serve(&opt, p[1]) ? EXIT_MOUNT : 0);
	}
	close(p[1]);
	return supervise(&opt, pid, p[0], before);
}
