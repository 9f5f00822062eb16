// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccinit-setup.c - from a bare kernel to a root that commands can run in
 *
 * ccinit_setup_kernel():
 *	pseudo file systems; the modules; the console, which is one of them
 * ccinit_setup_root():
 *	the root (ccfs) on NEWROOT; own /tmp and /run; this image's /dev, /proc
 *	and /sys bound into it; then the other mounts, each on a directory that
 *	is made if the exported root does not have it
 *
 * Targets are resolved inside NEWROOT, so that an absolute symlink in the
 * exported tree means what it means there.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/openat2.h>

#include "boot/init/ccinit.h"
#include "sharedpc_limits.h"

#define MODULES		"/lib/modules/"
#define LOWER		"/lower"	/* what is below overlays, by mount */
#define OWN		"/own"		/* what is changed there */
#define MOUNT_PROGRAM	"/sbin/mount.ccfs"

struct pseudo {
	const char *type, *target, *options;
	unsigned long flags;
};

static const struct pseudo pseudos[] = {
	{ "proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "devtmpfs", "/dev", "mode=755", MS_NOSUID },
	{ "devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666", MS_NOSUID },
	{ "tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV },
	{ "tmpfs", "/run", "mode=755", MS_NOSUID | MS_NODEV },
	{ "debugfs", "/sys/kernel/debug", NULL, 0 },
	{ "tracefs", "/sys/kernel/tracing", NULL, 0 },
	{ "cgroup2", "/sys/fs/cgroup", NULL, 0 },
};

static int mount_pseudos(void)
{
	for (size_t i = 0; i < sizeof(pseudos) / sizeof(pseudos[0]); i++) {
		const struct pseudo *p = &pseudos[i];

		mkdir(p->target, 0755);
		/* EBUSY: the kernel has mounted devtmpfs itself */
		if (mount(p->type, p->target, p->type, p->flags, p->options) &&
		    errno != EBUSY) {
			ccinit_say("cannot mount %s: %s", p->target, strerror(errno));
			return -errno;
		}
	}
	if ((symlink("/proc/self/fd", "/dev/fd") ||
	     symlink("/proc/self/fd/0", "/dev/stdin") ||
	     symlink("/proc/self/fd/1", "/dev/stdout") ||
	     symlink("/proc/self/fd/2", "/dev/stderr")) && errno != EEXIST)
		return -errno;
	return 0;
}

static int load_module(const char *name, const char *parameters)
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

static int load_modules(const struct init_options *opt)
{
	char parameters[256];
	int ret;

	snprintf(parameters, sizeof(parameters), "self=%s ctl=%s ctl_size=%s",
		 opt->self, opt->ctl, opt->ctl_size);
	ret = load_module("vsock", "");
	if (!ret)
		ret = load_module("vmw_vsock_virtio_transport_common", "");
	return ret ? ret : load_module("sharedpc", parameters);
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

static void bring_up_loopback(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		ccinit_say("cannot bring lo up: %s", strerror(errno));
	if (fd >= 0)
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
	int ret;

	ret = mount_pseudos();
	if (!ret)
		ret = read_cmdline(line, sizeof(line));
	if (!ret)
		ret = ccinit_parse_cmdline(line, opt);
	if (!ret)
		ret = load_modules(opt);
	open_console();
	if (!ret)
		bring_up_loopback();
	return ret;
}

/* Directory @target of the root: an O_PATH descriptor or -errno. */
static int open_in_root(const char *target)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT,
	};
	int root = open(NEWROOT, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (root < 0)
		return -errno;
	fd = syscall(SYS_openat2, root, target, &how, sizeof(how));
	if (fd < 0)
		fd = -errno;
	close(root);
	return fd;
}

/* Where @target of the root is, as this process sees it. */
static int resolve(const char *target, char *path, size_t len)
{
	int fd = open_in_root(target);
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
	fd = open_in_root(parent);
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
static int find_target(const char *target, char *path, size_t len)
{
	int ret = resolve(target, path, len);

	if (ret == -ENOENT)
		ret = make_target(target) ?: resolve(target, path, len);
	if (ret)
		ccinit_say("cannot mount on %s: %s; make that directory in the exported root",
			   target, strerror(-ret));
	return ret;
}

/* Run mount.ccfs, at most LIMIT_INIT_MOUNT_S.  Its exit status, or -errno. */
static int run_mount(const struct init_mount *m, const char *path)
{
	char *argv[] = { MOUNT_PROGRAM, m->source, (char *)path, "-o",
			 m->options, NULL };
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execv(argv[0], argv);
		ccinit_say("%s: %s", argv[0], strerror(errno));
		_exit(127);
	}
	for (int ms = 0; ms < LIMIT_INIT_MOUNT_S * 1000; ms += 10) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) :
				128 + WTERMSIG(status);
		usleep(10 * 1000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -ETIMEDOUT;
}

/* Mount @m on @path. */
static int mount_shared(const struct init_mount *m, const char *path)
{
	int ret = 0;

	for (int i = 0; i < LIMIT_INIT_MOUNT_TRIES; i++) {
		ret = run_mount(m, path);
		if (ret <= 0 || ret >= 126)
			break;
		usleep(500 * 1000);
	}
	if (!ret)
		return 0;
	if (ret < 0)
		ccinit_say("mounting %s on %s: %s", m->source, m->target, strerror(-ret));
	else
		ccinit_say("mounting %s on %s failed (status %d)", m->source, m->target,
			   ret);
	return -EIO;
}

/*
 * @m on a directory of the initramfs, a tmpfs on another, and on @path both as one: what
 * is changed there is changed in the tmpfs.
 */
static int mount_overlay(const struct init_mount *m, int number, const char *path)
{
	char lower[64], own[64], options[256];
	int ret;

	snprintf(lower, sizeof(lower), LOWER "/%d", number);
	snprintf(own, sizeof(own), OWN "/%d", number);
	mkdir(LOWER, 0700);
	mkdir(OWN, 0700);
	mkdir(lower, 0755);
	mkdir(own, 0755);
	ret = mount_shared(m, lower);
	if (ret)
		return ret;
	if (access("/sys/module/overlay", F_OK))
		ret = load_module("overlay", "");
	if (ret)
		return ret;
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
	ccinit_say("no overlay on %s: %s", m->target, strerror(errno));
	return -EIO;
}

static int mount_one(const struct init_options *opt, int i)
{
	const struct init_mount *m = &opt->mounts[i];
	char path[4096];
	int ret = find_target(m->target, path, sizeof(path));

	if (ret)
		return ret;
	return m->overlay ? mount_overlay(m, i, path) : mount_shared(m, path);
}

static int mount_own(const char *target, const char *options)
{
	char path[4096];
	int ret = find_target(target, path, sizeof(path));

	if (ret)
		return ret;
	if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options)) {
		ccinit_say("cannot mount a tmpfs on %s: %s", target, strerror(errno));
		return -errno;
	}
	return 0;
}

static int bind_into(const char *target)
{
	char path[4096];
	int ret = find_target(target, path, sizeof(path));

	if (ret)
		return ret;
	if (mount(target, path, NULL, MS_BIND | MS_REC, NULL)) {
		ccinit_say("cannot bind %s into the root: %s", target, strerror(errno));
		return -errno;
	}
	return 0;
}

int ccinit_setup_root(const struct init_options *opt)
{
	int ret;

	mkdir(NEWROOT, 0755);
	ret = mount_one(opt, 0);
	if (!ret)
		ret = mount_own("/tmp", "mode=1777");
	if (!ret)
		ret = mount_own("/run", "mode=755");
	if (!ret)
		ret = bind_into("/dev");
	if (!ret)
		ret = bind_into("/proc");
	if (!ret)
		ret = bind_into("/sys");
	if (ret)
		return ret;
	mkdir(NEWROOT "/run/lock", 01777);
	mkdir(NEWROOT "/run/ccluster", 0755);
	for (int i = 1; i < opt->nmounts && !ret; i++)
		ret = mount_one(opt, i);
	return ret;
}
