// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccinit-setup.c - from a bare kernel to a root that commands can run in
 *
 * ccinit_setup_kernel():
 *	pseudo file systems; the modules; the console, which is one of them
 * ccinit_setup_root():
 *	the root (ccfs) on NEWROOT; own /tmp and /run; this image's /dev, /proc
 *	and /sys bound into it; device nodes for modules that are there
 *
 * Targets are resolved inside NEWROOT, so that an absolute symlink in the
 * exported tree means what it means there.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/openat2.h>

#include "boot/init/ccinit.h"
#include "pid1.h"
#include "sharedpc_limits.h"

#define MODULES		"/lib/modules/"

int ccinit_load_module(const char *name, const char *parameters)
{
	char path[128];
	int fd, ret = 0;

	snprintf(path, sizeof(path), MODULES "%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (syscall(SYS_finit_module, fd, parameters, 0) &&
		       errno != EEXIST))
		ret = -errno;
	if (ret)
		ccinit_say("cannot load %s: %s", path, strerror(-ret));
	if (fd >= 0)
		close(fd);
	return ret;
}

/* Before anything is started: sharedpc.ko gives each image PIDs of its own. */
static void allow_pids(void)
{
	int fd = open("/proc/sys/kernel/pid_max", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, LIMIT_PIDS, strlen(LIMIT_PIDS)) < 0)
		ccinit_say("pid_max: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static int load_modules(const struct init_options *opt)
{
	char parameters[256];
	int ret;

	snprintf(parameters, sizeof(parameters), "self=%s ctl=%s ctl_size=%s",
		 opt->self, opt->ctl, opt->ctl_size);
	allow_pids();
	ret = ccinit_load_module("vsock", "");
	if (!ret)
		ret = ccinit_load_module("vmw_vsock_virtio_transport_common", "");
	return ret ? ret : ccinit_load_module("sharedpc", parameters);
}

/* The console came with sharedpc.ko; this process was started without one. */
static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd < 0)
		fd = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		if (fd != i)
			dup2(fd, i);
	if (fd > 2)
		close(fd);
}

static int read_cmdline(char *buf, size_t len)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, len - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return 0;
}

int ccinit_setup_kernel(struct init_options *opt)
{
	static char line[4096];
	int err, ret;

	ret = pid1_mount_pseudos(ccinit_say);
	if (!ret)
		ret = read_cmdline(line, sizeof(line));
	if (!ret)
		ret = ccinit_parse_cmdline(line, opt);
	if (!ret)
		ret = load_modules(opt);
	open_console();
	if (ret)
		return ret;
	err = pid1_bring_up_loopback();
	if (err)
		ccinit_say("cannot bring lo up: %s", strerror(-err));
	return 0;
}

int ccinit_open_in_root(const char *path, int flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT,
	};
	int root = open(NEWROOT, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (root < 0)
		return -errno;
	fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (fd < 0)
		fd = -errno;
	close(root);
	return fd;
}

/* Directory @target of the root: an O_PATH descriptor or -errno. */
static int open_target(const char *target)
{
	return ccinit_open_in_root(target, O_PATH | O_DIRECTORY);
}

/* Where @target of the root is, as this process sees it. */
static int resolve(const char *target, char *path, size_t len)
{
	int fd = open_target(target);
	char link[64];
	ssize_t n;

	if (fd < 0)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, len - 1);
	close(fd);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	return 0;
}

/* Make directory @path (absolute) of the root, whose parent is there. */
static int make_one(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char parent[4096];
	int fd, ret = 0;

	snprintf(parent, sizeof(parent), "%.*s", (int)(name - path), path);
	fd = open_target(parent);
	if (fd < 0)
		return fd;
	if (mkdirat(fd, name, 0755) && errno != EEXIST)
		ret = -errno;
	close(fd);
	return ret;
}

/* Make @target (absolute) and what is missing above it. */
static int make_target(const char *target)
{
	char path[4096], *end = path, slash;
	int ret = 0;

	snprintf(path, sizeof(path), "%s", target);
	while (!ret && *end) {
		end = strchrnul(end + 1, '/');
		slash = *end;
		*end = '\0';
		ret = make_one(path);
		*end = slash;
	}
	return ret;
}

/* As resolve(), but a missing directory is made, or its lack explained. */
int ccinit_target(const char *target, char *path, size_t len)
{
	int ret = resolve(target, path, len);

	if (ret == -ENOENT)
		ret = make_target(target) ?: resolve(target, path, len);
	if (ret)
		ccinit_say("cannot mount on %s: %s; make that directory in the exported root",
			   target, strerror(-ret));
	return ret;
}

/* What of the root is this image's own. */
static const struct {
	const char *source, *target, *type, *options;
	unsigned long flags;
} own[] = {
	{ "tmpfs", "/tmp", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV },
	{ "tmpfs", "/run", "tmpfs", "mode=755", MS_NOSUID | MS_NODEV },
	{ "/dev", "/dev", NULL, NULL, MS_BIND | MS_REC },
	{ "/proc", "/proc", NULL, NULL, MS_BIND | MS_REC },
	{ "/sys", "/sys", NULL, NULL, MS_BIND | MS_REC },
};

int ccinit_setup_root(const struct init_options *opt)
{
	char path[4096];
	int ret;

	mkdir(NEWROOT, 0755);
	ret = ccinit_mount_root(opt);
	for (size_t i = 0; !ret && i < sizeof(own) / sizeof(own[0]); i++) {
		ret = ccinit_target(own[i].target, path, sizeof(path));
		if (ret || !mount(own[i].source, path, own[i].type, own[i].flags,
				  own[i].options))
			continue;
		ret = -errno;
		ccinit_say("cannot mount %s in the root: %s", own[i].target,
			   strerror(errno));
	}
	if (ret)
		return ret;
	ccinit_make_nodes();
	mkdir(NEWROOT "/run/lock", 01777);
	mkdir(NEWROOT RUN_DIR, 0755);
	/* mount.ccfs runs out here, and proxyd in there. */
	if (symlink(NEWROOT RUN_DIR, RUN_DIR)) {
		ccinit_say("%s: %s", RUN_DIR, strerror(errno));
		return -errno;
	}
	return 0;
}
