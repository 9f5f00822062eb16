// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccinit.c - the first process of an image, see ccinit.h
 *
 * After the set-up it
 *	- keeps ccexecd running, which runs commands for the other images, and on an
 *	  owner proxyd, which serves what it exports;
 *	- offers a shell on the console to whoever presses return there;
 *	- shuts down when the boot image says so (poweroff.h) or on a signal:
 *	  SIGTERM restarts, SIGUSR1 halts, SIGUSR2 switches off;
 *	- keeps the clock that of the boot image;
 *	- reaps.
 * When the set-up fails it says why on the console, reports the stage FAILED,
 * and waits to be stopped.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

#include "boot/init/ccinit.h"
#include "boot/init/poweroff.h"
#include "pid1.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_limits.h"
#include "stream.h"

#define EXECD		"/sbin/ccexecd"
#define PROXYD		"/sbin/proxyd"
#define RESPAWN_S	1	/* pause before starting it again */

static pid_t execd, console, proxyd;

void ccinit_say(const char *fmt, ...)
{
	char line[512] = "ccinit: ";
	size_t at = strlen(line);
	va_list ap;
	int n, fd;

	va_start(ap, fmt);
	n = vsnprintf(line + at, sizeof(line) - at - 1, fmt, ap);
	va_end(ap);
	at += n < (int)(sizeof(line) - at - 1) ? n : (int)(sizeof(line) - at - 2);
	line[at++] = '\n';
	/* By the kernel's log: it reaches every console, and early on too. */
	fd = ccinit_open("/dev/kmsg", O_WRONLY);
	if (write(fd < 0 ? STDERR_FILENO : fd, line, at) < 0)
		fd = -1;
	if (fd >= 0)
		close(fd);
}

void ccinit_progress(uint32_t stage)
{
	int fd = ccinit_open(SHAREDPC_DEVICE, O_RDWR);

	if (fd < 0 || ioctl(fd, SHAREDPC_IOC_PROGRESS, &stage))
		ccinit_say("cannot report progress: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* A child of its own session, in the initramfs.  As fork(2). */
static pid_t start_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		pid1_child();
		ccinit_leave_root();
	}
	return pid;
}

static pid_t start_execd(void)
{
	char *argv[] = { EXECD, "--root", NEWROOT, "--vsock", "514", NULL };
	pid_t pid = start_child();

	if (pid)
		return pid;
	execv(argv[0], argv);
	ccinit_say("%s: %s", argv[0], strerror(errno));
	_exit(127);
}

/* Copy @from, which there is only on an owner, to @to.  0 or -errno. */
static int copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1, ret = 0;
	ssize_t n = 0;

	if (in < 0)
		return -errno;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	do {
		n = out < 0 ? -1 : sendfile(out, in, NULL, 1 << 20);
		if (n < 0)
			ret = -errno;
	} while (n > 0);
	if (out >= 0)
		close(out);
	close(in);
	return ret;
}

/*
 * In the root, where the exported directories are; of the initramfs, as the root may not
 * have it.
 */
static pid_t start_proxyd(void)
{
	char *argv[] = { "proxyd", "--config", RUN_DIR "/partitions.conf", NULL };
	pid_t pid = start_child();
	int exe, log;

	if (pid)
		return pid;
	exe = open(PROXYD, O_PATH | O_CLOEXEC);
	log = open(NEWROOT RUN_DIR "/proxyd.log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (exe >= 0 && log >= 0 && !chroot(NEWROOT) && !chdir("/")) {
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
		fexecve(exe, argv, environ);
	}
	ccinit_say("%s: %s", PROXYD, strerror(errno));
	_exit(127);
}

/* What this image exports is served from here on; nothing if that is nothing. */
static int serve_exports(void)
{
	int ret = copy_file(CONF_FILE, NEWROOT RUN_DIR "/partitions.conf");

	if (!ret)
		proxyd = start_proxyd();
	else if (ret != -ENOENT)
		ccinit_say("%s: %s", CONF_FILE, strerror(-ret));
	return ret == -ENOENT ? 0 : ret;
}

/* A child that waits for return on the console, then is a shell. */
static pid_t start_console(void)
{
	pid_t pid = start_child();
	char c = 0;
	int fd;

	if (pid)
		return pid;
	fd = open("/dev/ttyCC0", O_RDWR);
	if (fd < 0)
		_exit(1);
	ioctl(fd, TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	while (c != '\n')
		if (read(STDIN_FILENO, &c, 1) != 1)
			_exit(1);
	if (chroot(NEWROOT) || chdir("/root"))
		_exit(1);
	execl("/bin/sh", "-sh", "-i", NULL);
	_exit(1);
}

/* One request.  How to end (RB_*), or 0. */
static int take_request(int listener)
{
	struct timeval limit = { .tv_sec = LIMIT_INIT_REQUEST_S };
	struct sockaddr_vm peer;
	socklen_t len = sizeof(peer);
	int how = 0, fd = accept4(listener, (struct sockaddr *)&peer, &len,
				  SOCK_CLOEXEC);
	char line[16] = "";

	if (fd < 0)
		return 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (peer.svm_cid == SHAREDPC_CID_BASE + SHAREDPC_BOOT &&
	    stream_from_root(&peer) &&
	    read(fd, line, sizeof(line) - 1) > 0) {
		if (!strcmp(line, "poweroff\n"))
			how = RB_POWER_OFF;
		else if (!strcmp(line, "reboot\n"))
			how = RB_AUTOBOOT;
	}
	if (how && write(fd, "ok\n", 3) != 3)
		how = 0;
	close(fd);
	return how;
}

static void reap_and_respawn(bool serving)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == execd && serving) {
			ccinit_say("ccexecd ended, starting it again");
			sleep(RESPAWN_S);
			execd = start_execd();
		}
		/* 127: there is none in this initrd, which was said */
		if (pid == proxyd && serving && status != W_EXITCODE(127, 0)) {
			ccinit_say("proxyd ended, starting it again");
			sleep(RESPAWN_S);
			proxyd = start_proxyd();
		}
		if (pid == console && serving)
			console = start_console();
	}
}

/* How a signal wants it to end, or 0. */
static int take_signal(int sigfd, bool serving)
{
	struct signalfd_siginfo info;

	if (read(sigfd, &info, sizeof(info)) != sizeof(info))
		return 0;
	switch (info.ssi_signo) {
	case SIGTERM:
		return RB_AUTOBOOT;
	case SIGUSR1:
		return RB_HALT_SYSTEM;
	case SIGUSR2:
		return RB_POWER_OFF;
	}
	reap_and_respawn(serving);
	return 0;
}

static void obey(bool serving, int sigfd)
{
	int listener = stream_listen(CCINIT_PORT, 4, SOCK_NONBLOCK);
	struct pollfd fds[] = {
		{ .fd = sigfd, .events = POLLIN },
		{ .fd = listener, .events = POLLIN },
	};
	int how = 0, device = ccinit_open(SHAREDPC_DEVICE, O_RDWR);

	if (listener < 0)
		ccinit_say("cannot listen to the boot image: %s", strerror(-listener));
	while (!how) {
		int n = poll(fds, 2, LIMIT_CLOCK_MS);

		ccinit_follow_clock(device);
		if (n <= 0)
			continue;
		if (fds[0].revents)
			how = take_signal(sigfd, serving);
		if (!how && fds[1].revents)
			how = take_request(listener);
	}
	ccinit_shut_down(how);
}

int main(void)
{
	struct init_options opt;
	sigset_t signals;
	int ret;

	clearenv();
	pid1_start(&signals);
	setenv("TERM", "linux", 1);
	ret = ccinit_setup_kernel(&opt);
	if (!ret) {
		ccinit_progress(SHAREDPC_STAGE_INIT);
		ret = ccinit_setup_root(&opt);
	}
	/* Before it waits for the others, who may wait for it. */
	if (!ret)
		ret = serve_exports();
	if (!ret)
		ret = ccinit_mount_others(&opt);
	if (!ret)
		ret = ccinit_enter_root();
	if (!ret) {
		ccinit_progress(SHAREDPC_STAGE_MOUNTED);
		execd = start_execd();
		console = start_console();
		ccinit_say("ready");
	} else {
		ccinit_say("this image is of no use, it waits to be stopped");
	}
	ccinit_progress(ret ? SHAREDPC_STAGE_FAILED : SHAREDPC_STAGE_SERVING);
	/* Only now: before the console was open it would have been number 0. */
	obey(!ret, signalfd(-1, &signals, SFD_CLOEXEC));
}
