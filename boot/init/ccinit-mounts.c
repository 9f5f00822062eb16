// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccinit-mounts.c - what an image mounts of the others' exports
 *
 * The root, and all else that the boot image exports, is there before the image is up, or the image
 * has failed.  Another image may be starting just now, or be down: that is waited for a
 * little, and then on and on, by a process that does nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot/init/ccinit.h"
#include "pid1.h"
#include "sharedpc_limits.h"

#define LOWER		"/lower"	/* what is below overlays, by mount */
#define OWN		"/own"		/* what is changed there */
#define MOUNT_PROGRAM	"/sbin/mount.ccfs"

/* How hard to try, and whether the last try says what is wrong. */
struct effort {
	int tries;
	bool say;
};

static const struct effort patient = {
	.tries = LIMIT_INIT_MOUNT_TRIES, .say = true,
};

static void be_silent(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
}

/* Run mount.ccfs, at most LIMIT_INIT_MOUNT_S, and let it @say why.  Its exit status, or -errno. */
static int run_mount(const struct init_mount *m, const char *path, bool say)
{
	char *argv[] = { MOUNT_PROGRAM, m->source, (char *)path, "-o",
			 m->options, NULL };
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid) {
		pid1_child();
		if (!say)
			be_silent();
		execv(argv[0], argv);
		ccinit_say("%s: %s", argv[0], strerror(errno));
		_exit(127);
	}
	if (ccinit_await(pid, LIMIT_INIT_MOUNT_S * 1000, &status))
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -ETIMEDOUT;
}

/* Mount @m on @path. */
static int mount_shared(const struct init_mount *m, const char *path,
			const struct effort *effort)
{
	int ret = 0;

	for (int i = 1; i <= effort->tries; i++) {
		if (i > 1)
			usleep(LIMIT_INIT_MOUNT_PAUSE_MS * 1000);
		ret = run_mount(m, path, effort->say && i == effort->tries);
		if (ret <= 0 || ret >= 126)
			break;
	}
	if (ret && effort->say && ret < 0)
		ccinit_say("mounting %s on %s: %s", m->source, m->target, strerror(-ret));
	else if (ret && effort->say)
		ccinit_say("mounting %s on %s failed (status %d)", m->source, m->target,
			   ret);
	return ret ? -EIO : 0;
}

/*
 * @m on a directory of the initramfs, a tmpfs on another, and on @path both as one: what
 * is changed there is changed in the tmpfs.
 */
static int mount_overlay(const struct init_mount *m, int number, const char *path,
			 const struct effort *effort)
{
	char lower[64], own[64], options[256];
	int ret;

	snprintf(lower, sizeof(lower), LOWER "/%d", number);
	snprintf(own, sizeof(own), OWN "/%d", number);
	mkdir(LOWER, 0700);
	mkdir(OWN, 0700);
	mkdir(lower, 0755);
	mkdir(own, 0755);
	ret = mount_shared(m, lower, effort);
	if (ret)
		return ret;
	if (access("/sys/module/overlay", F_OK) && ccinit_load_module("overlay", ""))
		goto failed;
	if (mount("tmpfs", own, "tmpfs", 0, "mode=755"))
		goto failed;
	snprintf(options, sizeof(options), "%s/upper", own);
	mkdir(options, 0755);
	snprintf(options, sizeof(options), "%s/work", own);
	mkdir(options, 0755);
	snprintf(options, sizeof(options),
		 "lowerdir=%s,upperdir=%s/upper,workdir=%s/work,xino=off", lower, own, own);
	if (!mount(m->source, path, "overlay", 0, options))
		return 0;
failed:
	if (effort->say)
		ccinit_say("no overlay on %s: %s", m->target, strerror(errno));
	umount2(own, MNT_DETACH);
	umount2(lower, MNT_DETACH);
	return -EIO;
}

static int mount_one(const struct init_options *opt, int i, const struct effort *effort)
{
	const struct init_mount *m = &opt->mounts[i];
	char path[4096];
	int ret = ccinit_target(m->target, path, sizeof(path));

	if (ret)
		return ret;
	return m->overlay ? mount_overlay(m, i, path, effort) : mount_shared(m, path, effort);
}

/* Is the owner of @m the image that exports the root, the boot image? */
static bool of_boot(const struct init_options *opt, const struct init_mount *m)
{
	const char *root = opt->mounts[0].source;
	size_t len = strcspn(root, ":") + 1;

	return !strncmp(root, m->source, len);
}

/* Mounts that have still to be made, by number. */
struct missing {
	int mount[LIMIT_CLIENT_MOUNTS];
	int n;
};

/* Try each of them once. */
static void try_missing(const struct init_options *opt, struct missing *missing)
{
	static const struct effort once = { .tries = 1 };
	int i, left = 0;

	for (i = 0; i < missing->n; i++)
		if (mount_one(opt, missing->mount[i], &once))
			missing->mount[left++] = missing->mount[i];
	missing->n = left;
}

/* Until all is mounted; in a process of its own, which this image's shut-down ends, too. */
static __attribute__((noreturn))
void mount_missing(const struct init_options *opt, struct missing *missing)
{
	int pause_ms = LIMIT_INIT_MOUNT_PAUSE_MS;

	for (int ms = 0; ; ms += pause_ms) {
		try_missing(opt, missing);
		if (!missing->n)
			break;
		usleep(pause_ms * 1000);
		if (ms > LIMIT_INIT_OWNER_S * 1000)
			pause_ms = LIMIT_INIT_LATER_MS;
	}
	_exit(0);
}

int ccinit_mount_root(const struct init_options *opt)
{
	return mount_one(opt, 0, &patient);
}

int ccinit_mount_others(const struct init_options *opt)
{
	struct missing missing = { .n = 0 };
	char path[4096];
	int i, ret = 0;
	pid_t pid;

	for (i = 1; i < opt->nmounts && !ret; i++) {
		if (of_boot(opt, &opt->mounts[i])) {
			ret = mount_one(opt, i, &patient);
			continue;
		}
		ret = ccinit_target(opt->mounts[i].target, path, sizeof(path));
		missing.mount[missing.n++] = i;
	}
	if (ret || !missing.n)
		return ret;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		mount_missing(opt, &missing);
	/* The others may be starting just now. */
	if (!ccinit_await(pid, LIMIT_INIT_OWNER_S * 1000, NULL))
		ccinit_say("not all owners are there: what they export is mounted when they are");
	return 0;
}
