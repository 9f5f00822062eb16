// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpus.c - the CPUs of an image, on their way to it and back
 *
 * There: off-line here, then LEND, after which nobody can bring them back.
 * Back: RETURN, then on-line.  ccboot.ko refuses LEND while one of them is
 * on-line or another image's, and RETURN while one of them may run.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "boot/host/hotplug.h"
#include "boot/host/lock.h"
#include "boot/image/cpus.h"

/*
 * On-line the image's CPUs; all are tried, the first failure is returned, but for the
 * error @fine.
 */
static int cpus_back(const struct plan_image *img, int fine, struct why *why)
{
	struct why other;
	int first = 0;

	for (int i = 0; i < img->ncpus; i++) {
		int ret = hotplug_set_online(img->cpus[i].cpu, true,
					     first ? &other : why);

		if (ret && ret != fine && !first)
			first = ret;
	}
	return first;
}

/* The image that has @cpu, as far as the plan knows, or NULL. */
static const struct plan_image *cpus_holder(const struct box *box, int cpu)
{
	const struct plan *plan = box->plan;

	for (int id = 1; id < plan->nimages; id++) {
		const struct plan_image *img = &plan->images[id];

		if (box_status(box, id).state < CCBOOT_LENT)
			continue;
		for (int i = 0; i < img->ncpus; i++)
			if (img->cpus[i].cpu == cpu)
				return img;
	}
	return NULL;
}

static int why_not_lent(const struct box *box, const struct plan_image *img,
			int err, struct why *why)
{
	for (int i = 0; i < img->ncpus; i++) {
		int cpu = img->cpus[i].cpu;
		const struct plan_image *holder = cpus_holder(box, cpu);

		if (holder)
			return why_set(why, -err,
				       "image %s: its CPU %d is busy: image %s has it",
				       img->name, cpu, holder->name);
		if (hotplug_is_online(cpu) == 1)
			return why_set(why, -err,
				       "image %s: its CPU %d is busy: it came on-line again",
				       img->name, cpu);
	}
	return why_set(why, -err, "image %s: ccboot.ko does not take its CPUs: %s",
		       img->name, strerror(err));
}

int cpus_take(struct box *box, const struct plan_image *img, struct why *why)
{
	uint32_t id = img->id;
	struct why other;
	int ret = 0;

	for (int i = 0; i < img->ncpus && !ret; i++)
		ret = hotplug_set_online(img->cpus[i].cpu, false, why);
	if (!ret && ioctl(box->dev, CCBOOT_IOC_LEND, &id))
		ret = why_not_lent(box, img, errno, why);
	if (ret)
		cpus_back(img, 0, &other);
	return ret;
}

int cpus_return(struct box *box, const struct plan_image *img, struct why *why)
{
	uint32_t id = img->id;
	sigset_t old;
	int ret;

	signals_hold(&old);
	if (ioctl(box->dev, CCBOOT_IOC_RETURN, &id))
		ret = why_set(why, -errno, "image %s: its CPUs are not free: %s",
			      img->name, strerror(errno));
	else
		ret = cpus_back(img, 0, why);
	signals_release(&old);
	return ret;
}

/* EBUSY of a CPU: ccboot.ko keeps that one for another image. */
int cpus_recover(const struct plan_image *img, struct why *why)
{
	return cpus_back(img, -EBUSY, why);
}
