// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of the box's plain Debian 13 machine.
 *
 * Small instead of systemd, so that a machine under software emulation is
 * usable seconds after its start. What it does, in this order:
 *
 *   - mounts the pseudo file systems, own /run and /tmp, the data disk on
 *     /srv/shared; a mount that fails is reported and the start goes on
 *   - sets the host name, brings the loopback interface up
 *   - starts the CPUs that the kernel has not started
 *   - starts ccexecd on every virtio port that the host offers
 *   - reaps children for ever, and starts ccexecd again if it ends
 *
 * It obeys the signals of busybox's init, which `poweroff -f`-less tools send:
 * SIGUSR1 halts, SIGUSR2 powers off, SIGTERM reboots. All of them kill
 * everything, unmount and sync first. kexec is not its business: `kexec -e`
 * and ccctl partition jump directly.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pid1.h"
#include "sharedpc_limits.h"

#define HOST_NAME	"boot"
#define EXECD		"/usr/sbin/ccexecd"
#define PORT_DIR	"/dev/virtio-ports"

static void init_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void init_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("init: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
}

/* The data disk is a virtio disk, whose driver is a module in Debian's kernel. */
static void probe_module(const char *name)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/usr/sbin/modprobe", "modprobe", name, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		init_say("cannot load %s", name);
}

static void mount_all(void)
{
	pid1_mount_pseudos(init_say);
	if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"))
		init_say("cannot mount /tmp: %s", strerror(errno));
	probe_module("virtio_blk");
	mkdir("/srv/shared", 0755);
	if (mount("/dev/vda", "/srv/shared", "ext4", 0, NULL))
		init_say("cannot mount /srv/shared: %s", strerror(errno));
	mkdir("/run/lock", 01777);
	mkdir("/run/ccluster", 0755);
}

static void set_up_network(void)
{
	int err;

	if (sethostname(HOST_NAME, strlen(HOST_NAME)))
		init_say("cannot set the host name: %s", strerror(errno));
	err = pid1_bring_up_loopback();
	if (err)
		init_say("cannot bring lo up: %s", strerror(-err));
}

/*
 * The virtio ports are /dev/vportNpM; without udev there are no links by
 * name, so /sys/class/virtio-ports lists them.
 */
static int find_ports(char ports[][32], int max)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *de;
	int n = 0;

	if (!dir)
		return 0;
	while ((de = readdir(dir)) && n < max) {
		if (strncmp(de->d_name, "vport", 5) || strlen(de->d_name) > 20)
			continue;
		snprintf(ports[n++], 32, "/dev/%.20s", de->d_name);
	}
	closedir(dir);
	return n;
}

static pid_t start_ports_execd(void)
{
	static char ports[LIMIT_EXEC_PORTS][32];
	char *argv[2 * LIMIT_EXEC_PORTS + 2] = { EXECD };
	int n = find_ports(ports, LIMIT_EXEC_PORTS), argc = 1;
	pid_t pid;

	for (int i = 0; i < n; i++) {
		argv[argc++] = "--port";
		argv[argc++] = ports[i];
	}
	if (!n) {
		init_say("no virtio ports, nobody can reach this machine");
		return -1;
	}
	pid = fork();
	if (pid == 0) {
		pid1_child();
		execv(argv[0], argv);
		init_say("cannot run %s: %s", argv[0], strerror(errno));
		_exit(127);
	}
	return pid;
}

static void end_machine(int sig)
{
	int how = sig == SIGTERM ? RB_AUTOBOOT :
		  sig == SIGUSR1 ? RB_HALT_SYSTEM : RB_POWER_OFF;

	init_say("going down");
	kill(-1, SIGTERM);
	usleep(300 * 1000);
	kill(-1, SIGKILL);
	sync();
	umount2("/srv/shared", MNT_DETACH);
	mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
	sync();
	reboot(how);
}

/*
 * The CPUs that the kernel was told to leave alone while it looked at devices (maxcpus=1,
 * machine.sh).
 */
static void start_cpus(void)
{
	char path[64];
	int fd;

	for (int cpu = 1; ; cpu++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d", cpu);
		if (access(path, F_OK))
			return;
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "1", 1) != 1)
			init_say("CPU %d cannot be started: %s", cpu, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
}

int main(void)
{
	sigset_t set;
	pid_t execd;

	pid1_start(&set);
	mount_all();
	set_up_network();
	reboot(RB_DISABLE_CAD);
	start_cpus();
	execd = start_ports_execd();
	init_say("ready");

	for (;;) {
		siginfo_t info;
		pid_t pid;

		if (sigwaitinfo(&set, &info) < 0)
			continue;
		if (info.si_signo == SIGTERM || info.si_signo == SIGUSR1 ||
		    info.si_signo == SIGUSR2)
			end_machine(info.si_signo);
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
			if (pid != execd)
				continue;
			init_say("ccexecd ended, starting it again");
			sleep(1);
			execd = start_ports_execd();
		}
	}
}
