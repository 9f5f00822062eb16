// SPDX-License-Identifier: GPL-2.0-only
/*
 * box.c - opens the partitioned machine: module, control area
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "boot/image/box.h"

static int open_device(struct box *box, struct why *why)
{
	box->dev = open(CCBOOT_DEVICE, O_RDWR | O_CLOEXEC);
	if (box->dev >= 0)
		return 0;
	if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
		return why_set(why, -ENODEV,
			       "ccboot.ko is not loaded; run ccctl up first");
	if (errno == EACCES || errno == EPERM)
		return why_set(why, -EPERM, "only root can do this");
	return why_set(why, -errno, "%s: %s", CCBOOT_DEVICE, strerror(errno));
}

static int map_ctl(struct box *box, struct why *why)
{
	struct sharedpc_range range = {
		.start = box->plan->ctl.start,
		.size = box->plan->ctl.size,
	};

	if (ioctl(box->dev, CCBOOT_IOC_CTL, &range))
		return why_set(why, -errno,
			       "the control area at 0x%llx is not reserved; run ccctl partition again",
			       (unsigned long long)range.start);
	box->ctl = mmap(NULL, range.size, PROT_READ | PROT_WRITE, MAP_SHARED,
			box->dev, (off_t)range.start);
	if (box->ctl == MAP_FAILED)
		return why_set(why, -errno, "cannot map the control area: %s",
			       strerror(errno));
	return 0;
}

int box_open(struct box *box, struct plan *plan, struct why *why)
{
	int ret;

	memset(box, 0, sizeof(*box));
	box->plan = plan;
	ret = open_device(box, why);
	if (ret)
		return ret;
	if (ioctl(box->dev, CCBOOT_IOC_INFO, &box->info) ||
	    box->info.revision != CCBOOT_REVISION)
		ret = why_set(why, -EPROTO,
			      "ccboot.ko is of another version than ccctl");
	else
		ret = map_ctl(box, why);
	if (ret)
		close(box->dev);
	return ret;
}

void box_close(struct box *box)
{
	munmap(box->ctl, box->plan->ctl.size);
	close(box->dev);
}

struct sharedpc_slot *box_slot(const struct box *box, int id)
{
	return (void *)(box->ctl + sharedpc_slot_off(id));
}

struct sharedpc_console *box_console(const struct box *box, int id)
{
	return (void *)(box->ctl + sharedpc_console_off(id));
}

struct ccboot_status box_status(const struct box *box, int id)
{
	struct ccboot_status status = { .id = id };

	if (ioctl(box->dev, CCBOOT_IOC_STATUS, &status))
		status.state = CCBOOT_ABSENT;
	return status;
}
