// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-status.c - ccctl status: what runs, and how what does not run ended
 *
 * The heartbeat is a counter that a running image increments four times a
 * second.  status waits until it has seen every running image's counter move,
 * 2.5 s at most; an image whose counter stands still is marked.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "boot/ccctl/ccctl.h"
#include "boot/ccctl/mounts.h"
#include "boot/image/state.h"
#include "boot/machine/saved.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_limits.h"

struct line {
	const struct plan_image *img;
	struct ccboot_status status;
	const char *state;
	const char *cause;
	char words[256];
	uint32_t starts;
	double uptime;		/* seconds, 0: does not run */
	uint64_t stage;
	uint64_t granted;	/* frames */
	uint64_t heartbeat;
	bool silent;		/* no heartbeat for LIMIT_BEAT_MS */
};

static double boottime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static uint64_t granted(int dev, int id)
{
	struct sharedpc_image image = { .id = id };

	if (dev < 0 || ioctl(dev, SHAREDPC_IOC_IMAGE, &image))
		return 0;
	return image.granted;
}

static void fill_boot(struct line *l, const struct plan_image *img)
{
	l->img = img;
	l->state = "running";
	l->cause = "";
	l->starts = 1;
	l->uptime = boottime();
	l->stage = SHAREDPC_STAGE_SERVING;
}

static void fill_line(struct line *l, const struct several *s,
		      const struct plan_image *img, int dev)
{
	const struct sharedpc_slot *slot = box_slot(&s->box, img->id);

	memset(l, 0, sizeof(*l));
	if (img->id == SHAREDPC_BOOT) {
		fill_boot(l, img);
		return;
	}
	l->img = img;
	l->status = box_status(&s->box, img->id);
	l->state = state_name(&l->status, slot);
	l->cause = state_cause(&l->status);
	if (l->status.start_ns)
		state_last_words(slot, l->words, sizeof(l->words));
	l->starts = l->status.starts;
	l->stage = slot->stage;
	l->granted = granted(dev, img->id);
	l->heartbeat = slot->heartbeat;
	if (l->status.state == CCBOOT_RUNNING)
		l->uptime = boottime() - l->status.start_ns / 1e9;
}

/* Wait for every running image's heartbeat to move; mark those that do not. */
static void find_silent(const struct several *s, struct line *lines, int n)
{
	int left = LIMIT_BEAT_MS;
	bool waiting = true;

	while (waiting && left > 0) {
		waiting = false;
		usleep(20 * 1000);
		left -= 20;
		for (int i = 1; i < n; i++) {
			const volatile struct sharedpc_slot *slot =
				box_slot(&s->box, lines[i].img->id);

			lines[i].silent = lines[i].uptime &&
				slot->state == SHAREDPC_READY &&
				slot->heartbeat == lines[i].heartbeat;
			waiting |= lines[i].silent;
		}
	}
}

static void print_text(const struct line *l)
{
	char *cpus = topology_cpus_str(l->img->cpus, l->img->ncpus), size[24];
	uint64_t memory = range_sum(l->img->mem, l->img->nmem, -1);

	printf("%-10s %-9s %6.0f %7s %6s %6u %8" PRIu64 "  ", l->img->name,
	       l->state, l->uptime, cpus ? cpus : "?",
	       values_size_str(memory & ~0xfffffull, size, sizeof(size)),
	       l->starts, l->granted);
	free(cpus);
	if (l->silent)
		printf("no heartbeat");
	else if (l->uptime && l->stage != SHAREDPC_STAGE_SERVING)
		printf("stage %s", state_stage(l->stage));
	printf("%s%s%s\n", l->cause, l->words[0] && l->cause[0] ? ": " : "",
	       l->cause[0] ? l->words : "");
}

/*
 * Are names of an export remembered? sharedpc.ko decides that by the kind of file
 * system, so it is asked: a watch that it grants lasts as long as the device is open,
 * here for a moment. That of another image cannot be asked here.
 */
static const char *names_of(const struct plan_export *e)
{
	struct sharedpc_watch want = { 0 };
	const char *names = "unknown";
	int dev;

	if (e->image != SHAREDPC_BOOT)
		return names;
	dev = open(SHAREDPC_DEVICE, O_RDWR | O_CLOEXEC);
	want.fd = open(e->path, O_PATH | O_CLOEXEC);
	if (dev >= 0 && want.fd >= 0) {
		if (!ioctl(dev, SHAREDPC_IOC_WATCH, &want))
			names = "remembered";
		else if (errno == EOPNOTSUPP)
			names = "asked";
	}
	if (want.fd >= 0)
		close(want.fd);
	if (dev >= 0)
		close(dev);
	return names;
}

static void print_exports(const struct plan *plan)
{
	if (plan->nexports)
		printf("\n%-10s %-10s %-10s  %s\n", "EXPORT", "OWNER", "NAMES", "PATH");
	for (int i = 0; i < plan->nexports; i++) {
		const struct plan_export *e = &plan->exports[i];

		printf("%-10s %-10s %-10s  %s\n", e->name, plan->images[e->image].name,
		       names_of(e), e->path);
	}
}

static json_t *exports_json(const struct plan *plan)
{
	json_t *list = json_array();

	for (int i = 0; i < plan->nexports; i++) {
		const struct plan_export *e = &plan->exports[i];

		saved_append(&list, json_pack("{s:s, s:s, s:s, s:s}", "export", e->name,
			"owner", plan->images[e->image].name, "path", e->path,
			"names", names_of(e)));
	}
	return list;
}

static json_t *line_json(const struct several *s, const struct line *l)
{
	json_t *cpus = json_array();

	for (int i = 0; i < l->img->ncpus; i++)
		saved_append(&cpus, json_integer(l->img->cpus[i].cpu));
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:f, s:o, s:I, s:I, s:b, s:o*, s:o*}",
			 "name", l->img->name, "id", l->img->id, "state", l->state,
			 "cause", l->cause, "last_words", l->words,
			 "stage", state_stage(l->stage), "starts", l->starts,
			 "uptime", rint(l->uptime * 10) / 10, "cpus", cpus,
			 "memory", (json_int_t)range_sum(l->img->mem, l->img->nmem, -1),
			 "frames", (json_int_t)l->granted,
			 "heartbeat", !l->silent && l->uptime, "exports",
			 l->img->id == SHAREDPC_BOOT ? exports_json(s->plan) : NULL,
			 "mounts", l->img->id == SHAREDPC_BOOT ? mounts_json() : NULL);
}

static int print_json(const struct several *s, const struct line *lines, int n)
{
	json_t *list = json_array();
	int err;

	for (int i = 0; i < n; i++)
		saved_append(&list, line_json(s, &lines[i]));
	err = saved_write(list, stdout);
	return err ? ccctl_error("cannot print: %s", strerror(-err)) : CCCTL_OK;
}

static int print_status(const struct ccctl_options *opt, struct several *s)
{
	struct line lines[PLAN_MAX_IMAGES];
	int n = s->plan->nimages;
	int dev = open(SHAREDPC_DEVICE, O_RDWR | O_CLOEXEC);

	for (int i = 0; i < n; i++)
		fill_line(&lines[i], s, &s->plan->images[i], dev);
	if (dev >= 0)
		close(dev);
	find_silent(s, lines, n);
	if (opt->json)
		return print_json(s, lines, n);
	printf("%-10s %-9s %6s %7s %6s %6s %8s\n", "IMAGE", "STATE", "UP/s",
	       "CPUS", "MEMORY", "STARTS", "FRAMES");
	for (int i = 0; i < n; i++)
		print_text(&lines[i]);
	print_exports(s->plan);
	mounts_print();
	return CCCTL_OK;
}

const struct ccctl_command cmd_status = {
	.name = "status",
	.act = print_status,
	.options = "json",
	.args = "[--json]",
	.summary = "Show what every image is doing",
	.help =
"      --json  print JSON\n"
"States: off (never started), starting, running, failed (could not set itself\n"
"up), stopping, stopped, halted, rebooted, panicked, fenced, stuck (a CPU did not\n"
"stop). FRAMES are the boot image's pages that the image holds. NAMES of an export are\n"
"remembered by its clients, or asked for each time (see mount.ccfs(8)); of what another\n"
"image exports that is not known here. Of what this image has mounted: how often it knew\n"
"a name, an attribute or a right, or had to ask the owner, and of that by a message of\n"
"the kernel's own.\n",
};
