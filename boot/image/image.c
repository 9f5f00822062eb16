// SPDX-License-Identifier: GPL-2.0-only
/*
 * image.c - starts and stops images
 *
 * Start: everything that can be wrong is looked at before anything is
 * changed; then, in this order, each step undone if a later one fails:
 *
 *	1. the image's CPUs go off-line here
 *	2. ccboot.ko takes them (LEND): nobody can bring them back
 *	3. kernel, initrd, tables go into the slice
 *	4. ccboot.ko starts the first CPU
 *
 * Stop is the way back: ask, then INIT; give back, on-line.  It also cleans
 * up after an image that has died, whose CPUs are still lent, and after a ccctl
 * that was killed in the middle of a start: CPUs off-line, lent to nobody.
 *
 * From the first CPU that goes off-line to START, and from RETURN to the last
 * CPU on-line, the signals that end a program wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/host/lock.h"
#include "boot/image/cpus.h"
#include "boot/image/image.h"
#include "boot/image/state.h"
#include "boot/init/poweroff.h"
#include "boot/load/cmdline.h"
#include "boot/load/cpio.h"
#include "boot/load/slice.h"
#include "sharedpc_limits.h"

#define POLL_MS		20

static int refuse_boot(const struct plan_image *img, struct why *why)
{
	if (img->id != SHAREDPC_BOOT)
		return 0;
	return why_set(why, -EINVAL,
		       "image %s is the boot image; shut the box down instead",
		       img->name);
}

/* Mapped, not read: it may be as large as this image's memory. */
struct mapping {
	void *data;
	size_t size;
};

static int mapping_open(struct mapping *map, const char *path, const char *what,
			const struct plan_image *img, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return why_set(why, -errno, "%s: the %s of image %s: %s", path,
			       what, img->name, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size) {
		close(fd);
		return why_set(why, -EINVAL,
			       "%s: the %s of image %s is not a regular file or empty",
			       path, what, img->name);
	}
	map->size = st.st_size;
	map->data = mmap(NULL, map->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map->data == MAP_FAILED)
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

/* What the loader needs, with the memory that hangs on it. */
struct load {
	struct slice slice;
	struct mapping kernel, initrd;
	void *files;		/* initrd and what an owner needs besides, or NULL */
	char *cmdline;
	struct topo_cpu *cpus;
	struct range memory[3];
};

static void load_free(struct load *load)
{
	if (load->kernel.data && load->kernel.data != MAP_FAILED)
		munmap(load->kernel.data, load->kernel.size);
	if (load->initrd.data && load->initrd.data != MAP_FAILED)
		munmap(load->initrd.data, load->initrd.size);
	free(load->files);
	free(load->cmdline);
	free(load->cpus);
}

/* A node that nothing of @img is on: where an owner's kernel adds its frames. */
static int spare_node(const struct plan_image *img)
{
	int node = img->mem[0].node;

	for (int i = 0; i < img->ncpus; i++)
		if (img->cpus[i].node > node)
			node = img->cpus[i].node;
	return node + 1;
}

/* CPUs and memory for the ACPI tables; the low chunk goes with the slice. */
static int load_machine(struct load *load, const struct box *box,
			const struct plan_image *img, struct why *why)
{
	struct acpi_machine *m = &load->slice.machine;
	const struct range *mem = &img->mem[0];

	load->cpus = calloc(img->ncpus, sizeof(*load->cpus));
	if (!load->cpus)
		return why_set(why, -ENOMEM, "out of memory");
	for (int i = 0; i < img->ncpus; i++) {
		struct ccboot_apic apic = { .cpu = img->cpus[i].cpu };

		if (ioctl(box->dev, CCBOOT_IOC_APIC, &apic))
			return why_set(why, -errno, "CPU %d: %s", apic.cpu,
				       strerror(errno));
		load->cpus[i].apic_id = apic.apic;
		load->cpus[i].node = img->cpus[i].node;
	}
	load->memory[0] = img->low;
	load->memory[0].node = mem->node;
	load->memory[1] = *mem;
	m->boot_apic = box->info.boot_apic;
	m->cpus = load->cpus;
	m->ncpus = img->ncpus;
	m->memory = load->memory;
	m->nmemory = 2;
	if (img->nregion)
		load->memory[m->nmemory++] = (struct range){ .node = spare_node(img) };
	m->reset = box->plan->ctl.start + sharedpc_slot_off(img->id) +
		offsetof(struct sharedpc_slot, reset);
	return 0;
}

/* The image's initrd, and for an owner's proxyd what the images are and may. */
static int load_initrd(struct load *load, const struct box *box,
		       const struct plan_image *img, struct why *why)
{
	struct slice *slice = &load->slice;
	int ret = mapping_open(&load->initrd, img->initrd, "initrd", img, why);

	slice->initrd = load->initrd.data;
	slice->initrd_size = load->initrd.size;
	if (ret || !plan_exports(box->plan, img))
		return ret;
	ret = initrd_add(load->initrd.data, load->initrd.size, INITRD_CONF,
			 box->plan->conf_file, &load->files, &slice->initrd_size);
	if (ret)
		return why_set(why, ret, "%s, for image %s: %s", box->plan->conf_file,
			       img->name, strerror(-ret));
	slice->initrd = load->files;
	return 0;
}

static int load_prepare(struct load *load, const struct box *box,
			const struct plan_image *img, struct why *why)
{
	struct slice *slice = &load->slice;
	struct slice_layout at;
	struct why inner;
	struct bzimage bz;
	int ret;

	ret = mapping_open(&load->kernel, img->kernel, "kernel", img, why);
	if (!ret)
		ret = load_initrd(load, box, img, why);
	if (!ret)
		ret = load_machine(load, box, img, why);
	if (ret)
		return ret;
	if (getrandom(slice->seed, sizeof(slice->seed), 0) !=
	    sizeof(slice->seed) ||
	    getrandom(&slice->token, sizeof(slice->token), 0) !=
	    sizeof(slice->token))
		return why_set(why, -EIO, "no random bytes for the image");
	load->cmdline = cmdline_make(box->plan, img, &box->info, slice->token);
	if (!load->cmdline)
		return why_set(why, -ENOMEM, "out of memory");
	slice->mem = img->mem[0];
	slice->low = img->low;
	slice->kernel_file = load->kernel.data;
	slice->kernel_size = load->kernel.size;
	slice->cmdline = load->cmdline;
	ret = slice_check(slice, &bz, &at, &inner);
	if (ret == -ENOEXEC)
		return why_set(why, ret, "%s: %s", img->kernel, inner.text);
	if (ret)
		return why_set(why, ret, "image %s: %s", img->name, inner.text);
	return 0;
}

int image_check(const struct box *box, const struct plan_image *img,
		struct why *why)
{
	struct load load = { .slice = { .cmdline = "" } };
	int ret = refuse_boot(img, why);

	if (ret)
		return ret;
	ret = load_prepare(&load, box, img, why);
	load_free(&load);
	return ret;
}

static int tell_module(struct box *box, const struct plan_image *img,
		       struct why *why)
{
	struct ccboot_image *spec = calloc(1, sizeof(*spec));
	int ret = 0;

	if (!spec)
		return why_set(why, -ENOMEM, "out of memory");
	spec->id = img->id;
	spec->nr_cpus = img->ncpus;
	for (int i = 0; i < img->ncpus; i++)
		spec->cpu[i] = img->cpus[i].cpu;
	spec->mem = (struct sharedpc_range){ img->mem[0].start, img->mem[0].size };
	spec->low = (struct sharedpc_range){ img->low.start, img->low.size };
	snprintf(spec->name, sizeof(spec->name), "%s", img->name);
	if (ioctl(box->dev, CCBOOT_IOC_ADD, spec) && errno != EEXIST)
		ret = errno == EBUSY ?
			why_set(why, -EBUSY,
				"the memory of image %s is in use by this kernel; run ccctl partition again",
				img->name) :
			why_set(why, -errno, "image %s: ccboot.ko refuses it: %s",
				img->name, strerror(errno));
	free(spec);
	return ret;
}

static int load_and_run(struct box *box, const struct plan_image *img,
			struct load *load, struct why *why)
{
	uint32_t id = img->id;
	int ret = slice_load(&load->slice, box->dev, why);

	if (ret)
		return ret;
	if (!ioctl(box->dev, CCBOOT_IOC_START, &id))
		return 0;
	if (errno != EIO)
		return why_set(why, -errno, "image %s cannot be started: %s",
			       img->name, strerror(errno));
	ioctl(box->dev, CCBOOT_IOC_STOP, &id);
	return why_set(why, -EIO, "image %s: CPU %d does not start", img->name,
		       img->cpus[0].cpu);
}

/* From CPUs of the boot image (@lent: lent already) to a running image. */
static int take_and_run(struct box *box, const struct plan_image *img,
			struct load *load, bool lent, struct why *why)
{
	struct why other;
	sigset_t old;
	int ret = 0;

	signals_hold(&old);
	if (!lent)
		ret = cpus_take(box, img, why);
	if (!ret) {
		ret = load_and_run(box, img, load, why);
		if (ret)
			cpus_return(box, img, &other);
	}
	signals_release(&old);
	return ret;
}

/* Wait up to @ms for the end of state @state; the state then. */
static uint32_t await_other(const struct box *box, int id, uint32_t state,
			    unsigned int ms)
{
	uint32_t is;

	while ((is = box_status(box, id).state) == state && ms >= POLL_MS) {
		usleep(POLL_MS * 1000);
		ms -= POLL_MS;
	}
	return is;
}

/* Can @img be started from @state, where it stays? */
static int startable(const struct plan_image *img, uint32_t state,
		     struct why *why)
{
	if (img->id == SHAREDPC_BOOT)
		return why_set(why, -EBUSY, "image %s is the boot image and runs already",
			       img->name);
	switch (state) {
	case CCBOOT_RUNNING:
		return why_set(why, -EBUSY, "image %s is already running", img->name);
	case CCBOOT_DYING:
		return why_set(why, -EBUSY,
			       "image %s ended, but after %d s what it held is not all taken back yet; try again later",
			       img->name, LIMIT_DYING_MS / 1000);
	case CCBOOT_STUCK:
		return why_set(why, -EBUSY,
			       "image %s: a CPU of its last life did not stop; only a reboot of the box helps",
			       img->name);
	}
	return 0;
}

int image_start(struct box *box, const struct plan_image *img, struct why *why)
{
	struct load load = { .slice = { .cmdline = "" } };
	uint32_t state = await_other(box, img->id, CCBOOT_DYING, LIMIT_DYING_MS);
	int ret = startable(img, state, why);

	if (ret)
		return ret;
	ret = load_prepare(&load, box, img, why);
	if (!ret)
		ret = tell_module(box, img, why);
	if (!ret)
		ret = take_and_run(box, img, &load, state == CCBOOT_LENT, why);
	load_free(&load);
	return ret;
}

static int why_not_stopped(const struct box *box, const struct plan_image *img,
			   int err, struct why *why)
{
	if (err != ETIMEDOUT)
		return why_set(why, -err, "image %s cannot be stopped: %s",
			       img->name, strerror(err));
	if (box_status(box, img->id).state == CCBOOT_DYING)
		return why_set(why, -err,
			       "image %s is still being stopped: what it held is not all taken back yet; run ccctl stop again later",
			       img->name);
	return why_set(why, -err,
		       "image %s: not all of its CPUs stopped, they stay lent",
		       img->name);
}

int image_stop(struct box *box, const struct plan_image *img,
	       unsigned int grace_ms, struct why *why)
{
	struct ccboot_status status = box_status(box, img->id);
	uint32_t id = img->id;

	if (refuse_boot(img, why))
		return -EINVAL;
	if (status.state == CCBOOT_ABSENT)
		return 0;
	if (status.state == CCBOOT_IDLE)
		return cpus_recover(img, why);
	if (status.state == CCBOOT_RUNNING && grace_ms &&
	    box_slot(box, img->id)->stage == SHAREDPC_STAGE_SERVING &&
	    !poweroff_ask(SHAREDPC_CID_BASE + img->id))
		await_other(box, img->id, CCBOOT_RUNNING, grace_ms);
	if (ioctl(box->dev, CCBOOT_IOC_STOP, &id))
		return why_not_stopped(box, img, errno, why);
	return cpus_return(box, img, why);
}

int image_poll(const struct box *box, const struct plan_image *img,
	       struct why *why)
{
	struct ccboot_status status = box_status(box, img->id);
	const struct sharedpc_slot *slot = box_slot(box, img->id);
	char words[256];

	if (status.state != CCBOOT_RUNNING) {
		state_last_words(slot, words, sizeof(words));
		return why_set(why, -EIO, "image %s ended: %s%s%s", img->name,
			       state_cause(&status), words[0] ? ": " : "",
			       words);
	}
	switch (*(const volatile uint64_t *)&slot->stage) {
	case SHAREDPC_STAGE_SERVING:
		return 1;
	case SHAREDPC_STAGE_FAILED:
		return why_set(why, -EIO, "image %s could not set itself up",
			       img->name);
	}
	return 0;
}
