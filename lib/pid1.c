// SPDX-License-Identifier: GPL-2.0-only
/*
 * pid1.c - what the first process of a machine does first, see pid1.h
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pid1.h"

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

static const char *const links[][2] = {
	{ "/proc/self/fd", "/dev/fd" }, { "/proc/self/fd/0", "/dev/stdin" },
	{ "/proc/self/fd/1", "/dev/stdout" }, { "/proc/self/fd/2", "/dev/stderr" },
};

void pid1_start(sigset_t *all)
{
	sigfillset(all);
	sigprocmask(SIG_SETMASK, all, NULL);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
}

int pid1_mount_pseudos(void (*say)(const char *fmt, ...))
{
	int first = 0;

	for (size_t i = 0; i < sizeof(pseudos) / sizeof(pseudos[0]); i++) {
		const struct pseudo *p = &pseudos[i];

		mkdir(p->target, 0755);
		/* EBUSY: the kernel has mounted devtmpfs itself */
		if (!mount(p->type, p->target, p->type, p->flags, p->options) ||
		    errno == EBUSY)
			continue;
		first = first ? first : -errno;
		say("cannot mount %s: %s", p->target, strerror(errno));
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (!symlink(links[i][0], links[i][1]) || errno == EEXIST)
			continue;
		first = first ? first : -errno;
		say("cannot make %s: %s", links[i][1], strerror(errno));
	}
	return first;
}

int pid1_bring_up_loopback(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int ret = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		ret = -errno;
	if (fd >= 0)
		close(fd);
	return ret;
}

void pid1_child(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
}
