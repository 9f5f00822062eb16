// SPDX-License-Identifier: GPL-2.0-only
/*
 * services.c - modules, proxyd and mounts of the boot image, see services.h
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/text/save.h"
#include "boot/text/slurp.h"
#include "boot/host/services.h"
#include "boot/host/spawn.h"
#include "proxyd_socket.h"
#include "sharedpc_limits.h"

#define PROXYD		"proxyd"
#define PROXYD_PATH	"/usr/sbin/proxyd"
#define POSSIBLE_NODES	"/sys/devices/system/node/possible"

/* Without /proc/cmdline, or a word of ours there, nothing is known: success. */
static int verify_cmdline(const struct plan *plan, struct why *why)
{
	char line[4096];

	if (slurp_line(line, sizeof(line), "/proc/cmdline") ||
	    !plan_verify_cmdline(plan, line))
		return 0;
	return why_set(why, -ESTALE,
		       "this machine was partitioned by another plan; run ccctl partition again");
}

static int verify_memory(const struct plan *plan, struct why *why)
{
	FILE *iomem = fopen("/proc/iomem", "re");
	struct range bad;
	char what[128];
	int ret;

	if (!iomem)
		ret = why_set(why, -errno, "/proc/iomem: %s", strerror(errno));
	else
		ret = plan_verify_reserved(plan, iomem, &bad, what, sizeof(what));
	if (iomem)
		fclose(iomem);
	if (ret == -EBUSY)
		return why_set(why, ret,
			       "the %s at 0x%" PRIx64 " is in use by this kernel: it was not started by this plan; run ccctl partition",
			       what, bad.start);
	if (ret == -ENOMSG)
		return why_set(why, ret, "/proc/iomem shows no addresses");
	return ret;
}

int services_verify(const struct plan *plan, struct why *why)
{
	int ret;

	if (geteuid())
		return why_set(why, -EPERM, "only root can do this");
	ret = verify_cmdline(plan, why);
	return ret ? ret : verify_memory(plan, why);
}

/*
 * Its state is "live", "coming" or "going", or it is not there. A ccctl that was
 * killed may have left a modprobe or rmmod at work: wait.
 */
static bool loaded(const char *module)
{
	char state[16];

	for (int ms = 0; ms < LIMIT_MODULE_S * 1000; ms += 50) {
		slurp_line(state, sizeof(state), "/sys/module/%s/initstate", module);
		if (strcmp(state, "coming") && strcmp(state, "going"))
			break;
		usleep(50 * 1000);
	}
	return !strcmp(state, "live");
}

/* Of a sharedpc.ko that was unloaded: does this kernel have its region? */
static bool region_stays(struct range *piece)
{
	FILE *iomem = fopen("/proc/iomem", "re");
	bool stays = iomem && plan_region_stays(iomem, piece);

	if (iomem)
		fclose(iomem);
	return stays;
}

static int why_no_node(struct why *why)
{
	struct range piece;

	if (region_stays(&piece))
		return why_set(why, -EBUSY,
			       "the last ccctl down could not take the region's memory at 0x%" PRIx64 " from this kernel; reboot and run ccctl partition",
			       piece.start);
	return why_set(why, -ENODEV,
		       "this kernel has no spare NUMA node for the region: it was not started by ccctl partition");
}

/* A node that may exist and does not, made by ccctl partition: sharedpc.ko takes it. */
static bool has_spare_node(void)
{
	char text[256], path[300], *last;

	if (slurp_line(text, sizeof(text), POSSIBLE_NODES))
		return false;
	for (last = text + strlen(text); last > text; last--)
		if (!isdigit((unsigned char)last[-1]))
			break;
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%s", last);
	return *last && access(path, F_OK);
}

static void put_range(FILE *out, const char *comma, const struct range *range, int image)
{
	fprintf(out, "%s0x%" PRIx64 "+0x%" PRIx64 "@%d", comma, range->start, range->size,
		image);
}

/* START+SIZE@IMAGE, ... */
static void put_region(FILE *out, const struct plan *plan)
{
	const char *comma = "";

	for (int i = 0; i < plan->nimages; i++)
		for (int j = 0; j < plan->images[i].nregion; j++) {
			put_range(out, comma, &plan->images[i].region[j], i);
			comma = ",";
		}
}

/* The same of memory; the boot image knows its own. */
static void put_slices(FILE *out, const struct plan *plan)
{
	for (int i = 1; i < plan->nimages; i++) {
		put_range(out, i > 1 ? "," : "", &plan->images[i].mem[0], i);
		put_range(out, ",", &plan->images[i].low, i);
	}
}

static char *sharedpc_args(const struct plan *plan)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fprintf(out, "self=0 ctl=0x%" PRIx64 " ctl_size=0x%" PRIx64 " images=",
		plan->ctl.start, plan->ctl.size);
	for (int i = 0; i < plan->nimages; i++)
		fprintf(out, "%s%s", i ? "," : "", plan->images[i].name);
	fprintf(out, " region=");
	put_region(out, plan);
	fprintf(out, " slices=");
	put_slices(out, plan);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* modprobe with its words as the reason. @args: separated by spaces, or "". */
static int modprobe(const char *module, char *args, struct why *why)
{
	const char *argv[16] = { "modprobe", module };
	char output[400], *word, *save;
	int n = 2, status;

	for (word = strtok_r(args, " ", &save); word && n < 15;
	     word = strtok_r(NULL, " ", &save))
		argv[n++] = word;
	status = spawn_output(argv, LIMIT_MODULE_S, output, sizeof(output));
	if (!status)
		return 0;
	if (status == 127 && !output[0])
		return why_set(why, -ENOENT, "modprobe is not installed");
	return why_set(why, -EIO, "cannot load %s.ko: %s", module,
		       output[0] ? output : "see dmesg");
}

/* sharedpc.ko gives each image PIDs of its own, which takes all that there are. */
static int allow_pids(struct why *why)
{
	const char *path = "/proc/sys/kernel/pid_max";
	FILE *f = fopen(path, "we");
	int ret = !f || fputs(LIMIT_PIDS, f) < 0 ? -errno : 0;

	if (f && fclose(f) && !ret)
		ret = -errno;
	return ret ? why_set(why, ret, "%s: %s", path, strerror(-ret)) : 0;
}

int services_load_modules(const struct plan *plan, struct why *why)
{
	char none[] = "", *args;
	int ret = 0;

	if (!loaded("sharedpc")) {
		if (!has_spare_node())
			return why_no_node(why);
		ret = allow_pids(why);
		if (ret)
			return ret;
		args = sharedpc_args(plan);
		if (!args)
			return why_set(why, -ENOMEM, "out of memory");
		ret = modprobe("sharedpc", args, why);
		free(args);
	}
	if (!ret && !loaded("ccboot"))
		ret = modprobe("ccboot", none, why);
	return ret;
}

int services_unload_modules(struct why *why)
{
	static const char *const names[] = { "ccboot", "sharedpc" };
	struct range piece;
	char output[400];

	for (int i = 0; i < 2; i++) {
		const char *argv[] = { "rmmod", names[i], NULL };

		if (loaded(names[i]) &&
		    spawn_output(argv, LIMIT_MODULE_S, output, sizeof(output)))
			return why_set(why, -EBUSY, "cannot unload %s.ko: %s",
				       names[i], output);
	}
	if (region_stays(&piece))
		return why_set(why, -EBUSY,
			       "sharedpc.ko is unloaded, but the region's memory at 0x%" PRIx64 " is in use and stays with this kernel; before the next ccctl up, reboot and run ccctl partition",
			       piece.start);
	return 0;
}

static bool is_proxyd(pid_t pid)
{
	char comm[32];

	return pid > 1 && !slurp_line(comm, sizeof(comm), "/proc/%d/comm", (int)pid) &&
	       !strcmp(comm, PROXYD);
}

/*
 * The daemon's process id, 0 if it does not run.  A ccctl that was killed may
 * have started one without noting it: its socket tells.
 */
static pid_t proxyd_pid(void)
{
	char text[16];
	pid_t pid = slurp_line(text, sizeof(text), PROXYD_PID) ? 0 : atoi(text);

	if (!is_proxyd(pid))
		pid = socket_owner(PROXYD_SOCKET);
	return is_proxyd(pid) ? pid : 0;
}

static int write_pid(pid_t pid)
{
	FILE *out = fopen(PROXYD_PID, "we");

	if (!out)
		return -errno;
	fprintf(out, "%d\n", pid);
	return fclose(out) ? -errno : 0;
}

int services_start_proxyd(const struct plan *plan, struct why *why)
{
	const char *argv[] = { PROXYD_PATH, "--config", plan->conf_file, NULL };
	pid_t pid;
	int ret;

	if (proxyd_pid())
		return 0;
	if (access(PROXYD_PATH, X_OK))
		return why_set(why, -errno, PROXYD_PATH ": %s", strerror(errno));
	mkdir(RUN_DIR, 0755);
	pid = spawn_daemon(argv, PROXYD_LOG);
	if (pid < 0)
		return why_set(why, pid, "cannot start proxyd: %s", strerror(-pid));
	ret = write_pid(pid);
	if (ret) {
		kill(pid, SIGTERM);
		return why_set(why, ret, PROXYD_PID ": %s", strerror(-ret));
	}
	/* What is wrong with its configuration it says at once. */
	for (int ms = 0; ms < 300; ms += 20) {
		usleep(20 * 1000);
		if (kill(pid, 0) || spawn_reap(pid))
			return why_set(why, -EIO, "proxyd ended at once; see "
				       PROXYD_LOG);
	}
	return 0;
}

int services_stop_proxyd(struct why *why)
{
	pid_t pid = proxyd_pid();

	if (!pid)
		return 0;
	kill(pid, SIGTERM);
	for (int ms = 0; ms < LIMIT_PROXYD_STOP_MS; ms += 20) {
		usleep(20 * 1000);
		if (!proxyd_pid()) {
			unlink(PROXYD_PID);
			return 0;
		}
	}
	kill(pid, SIGKILL);
	unlink(PROXYD_PID);
	return why_set(why, -ETIMEDOUT, "proxyd did not end, it was killed");
}

static bool is_mounted(const char *target)
{
	FILE *in = setmntent("/proc/mounts", "re");
	struct mntent *m;
	bool found = false;

	while (in && !found && (m = getmntent(in)))
		found = !strcmp(m->mnt_dir, target);
	if (in)
		endmntent(in);
	return found;
}

/* Mounted and answering; a mount whose proxy has died is taken off. */
static bool mount_works(const char *target)
{
	const char *argv[] = { "stat", "--", target, NULL };
	char output[400];

	if (!is_mounted(target))
		return false;
	if (!spawn_output(argv, LIMIT_MOUNT_S, output, sizeof(output)))
		return true;	/* in a process of its own, which has a time limit */
	umount2(target, MNT_DETACH);
	return false;
}

static int mount_one(const struct plan_mount *m, struct why *why)
{
	const char *argv[] = { "mount", "-t", "ccfs", "-o", m->ro ? "ro" : "rw",
			 m->source, m->target, NULL };
	char output[400];

	if (mount_works(m->target))
		return 0;
	if (save_make_parents(m->target) || (mkdir(m->target, 0755) && errno != EEXIST))
		return why_set(why, -errno, "mount point %s: %s", m->target,
			       strerror(errno));
	if (spawn_output(argv, LIMIT_MOUNT_S, output, sizeof(output)))
		return why_set(why, -EIO, "cannot mount %s on %s: %s",
			       m->source, m->target, output);
	return 0;
}

static bool same_owner(const struct plan_mount *a, const struct plan_mount *b)
{
	size_t len = strcspn(a->source, ":") + 1;

	return !strncmp(a->source, b->source, len);
}

/* An owner from whom nothing can be had does not keep the others away: the first is reported. */
int services_mount(const struct plan *plan, struct why *why)
{
	const struct plan_image *boot = &plan->images[SHAREDPC_BOOT];
	const struct plan_mount *failed = NULL;
	struct why other;
	int err, ret = 0;

	for (int i = 0; i < boot->nmounts; i++) {
		if (failed && same_owner(failed, &boot->mounts[i]))
			continue;
		err = mount_one(&boot->mounts[i], ret ? &other : why);
		if (err)
			failed = &boot->mounts[i];
		ret = ret ? ret : err;
	}
	return ret;
}

int services_unmount(const struct plan *plan, struct why *why)
{
	const struct plan_image *boot = &plan->images[SHAREDPC_BOOT];
	char output[400];

	for (int i = boot->nmounts - 1; i >= 0; i--) {
		const char *argv[] = { "umount", boot->mounts[i].target, NULL };

		if (is_mounted(boot->mounts[i].target) &&
		    spawn_output(argv, LIMIT_MOUNT_S, output, sizeof(output)))
			return why_set(why, -EBUSY, "cannot unmount %s: %s",
				       boot->mounts[i].target, output);
	}
	return 0;
}
