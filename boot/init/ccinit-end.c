// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccinit-end.c - ends an image in order
 *
 * First what runs in the root, because it keeps files open there, after this process
 * has taken the kernel's threads out of it (ccinit-helpers.c); then the
 * mounts, newest first, while the ccfs processes behind them still live; then
 * the rest.  Each step is bounded, because the owner may be gone: then the
 * unmount is a lazy one and the kernel's own end follows at once.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "boot/init/ccinit.h"
#include "sharedpc_limits.h"

#define LINES_MAX	256
#define PF_KTHREAD	0x00200000	/* in the flags of /proc/PID/stat */

/* No signal ends one of the kernel's threads, wherever it is. */
static bool is_kernels(const char *pid)
{
	char path[64], line[512] = "";
	unsigned int flags = 0;
	const char *name_end;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	stat = fopen(path, "re");
	if (!stat)
		return false;
	if (!fgets(line, sizeof(line), stat))
		line[0] = '\0';
	fclose(stat);
	name_end = strrchr(line, ')');
	return name_end && sscanf(name_end, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
	       flags & PF_KTHREAD;
}

/* Is @pid chrooted into the image's root? */
static bool in_root(const char *pid)
{
	char link[64], path[256];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%s/root", pid);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	return !strncmp(path, NEWROOT, strlen(NEWROOT)) && !is_kernels(pid);
}

/* Signal all of them; how many there were. */
static int signal_root(int sig)
{
	DIR *dir = opendir("/proc");
	struct dirent *de;
	int n = 0;

	while (dir && (de = readdir(dir))) {
		if (!isdigit((unsigned char)de->d_name[0]) || !in_root(de->d_name))
			continue;
		kill(atoi(de->d_name), sig);
		n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

static void reap_all(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void end_commands(void)
{
	int sig = SIGTERM;

	for (int ms = 0; signal_root(sig) && ms < 2 * LIMIT_INIT_TERM_MS; ms += 20) {
		usleep(20 * 1000);
		reap_all();
		sig = ms < LIMIT_INIT_TERM_MS ? 0 : SIGKILL;
	}
}

bool ccinit_await(pid_t pid, int ms, int *status)
{
	for (; ms > 0; ms -= 10) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		usleep(10 * 1000);
	}
	return false;
}

/* If something uses it still, later: it says what was not as it should be. */
static __attribute__((noreturn)) void unmount_now(const char *path)
{
	/* Who has ended may have files that are just being closed. */
	for (int i = 0; i < 50; i++) {
		if (!umount2(path, 0))
			_exit(0);
		if (errno != EBUSY)
			break;
		usleep(10 * 1000);
	}
	ccinit_say("%s cannot be unmounted at once: %s", path, strerror(errno));
	_exit(umount2(path, MNT_DETACH) ? 1 : 0);
}

/* In a child, as a dead owner can make an unmount wait. */
static void unmount(const char *path)
{
	pid_t pid = fork();

	if (pid < 0)
		return;
	if (!pid)
		unmount_now(path);
	if (ccinit_await(pid, LIMIT_INIT_UNMOUNT_MS, NULL))
		return;
	ccinit_say("%s cannot be unmounted", path);
	umount2(path, MNT_DETACH);
}

/* What is left, in a child as well: owners are asked, and one may be silent. */
static void sync_rest(void)
{
	pid_t pid = fork();

	if (!pid) {
		sync();
		_exit(0);
	}
	if (pid > 0 && !ccinit_await(pid, LIMIT_INIT_SYNC_MS, NULL))
		ccinit_say("owners still write back");
}

static void unmount_root(void)
{
	static char lines[LINES_MAX][512];
	FILE *mounts = fopen("/proc/mounts", "re");
	char line[1024], path[512];
	int n = 0;

	while (mounts && n < LINES_MAX && fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*s %511s", path) == 1 &&
		    !strncmp(path, NEWROOT, strlen(NEWROOT)))
			memcpy(lines[n++], path, sizeof(path));
	if (mounts)
		fclose(mounts);
	while (n--)
		unmount(lines[n]);
}

void ccinit_shut_down(int how)
{
	ccinit_leave_root();
	ccinit_say("going down");
	end_commands();
	unmount_root();
	sync_rest();
	kill(-1, SIGTERM);
	usleep(50 * 1000);
	kill(-1, SIGKILL);
	reboot(how);
	/* Only if the kernel refuses, which it does not. */
	for (;;)
		pause();
}
