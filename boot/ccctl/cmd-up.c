// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-up.c - ccctl up: everything that the plan has, running
 *
 * Modules, proxyd, images (all booting at the same time), mounts of the boot
 * image's own.  What runs already is left alone, so it can be repeated.  An
 * image that does not come up does not keep the others from it.
 */
#include <string.h>

#include "boot/ccctl/ccctl.h"
#include "boot/host/services.h"
#include "boot/image/image.h"
#include "sharedpc_limits.h"

static void step(const char *what)
{
	printf("%s\n", what);
	fflush(stdout);
}

static int start_services(const struct plan *plan, struct why *why)
{
	int ret = services_verify(plan, why);

	if (ret)
		return ret;
	step("loading modules");
	ret = services_load_modules(plan, why);
	if (ret)
		return ret;
	step("starting proxyd");
	return services_start_proxyd(plan, why);
}

/*
 * 1: @img is to be started, 0: it runs.  One that could not set itself up does
 * neither; it is stopped first, -1 if that fails.
 */
static int wants_start(struct several *s, const struct plan_image *img)
{
	struct why why;

	if (box_status(&s->box, img->id).state != CCBOOT_RUNNING)
		return 1;
	if (image_poll(&s->box, img, &why) >= 0) {
		printf("%s runs already\n", img->name);
		return 0;
	}
	printf("%s, it is started again\n", why.text);
	if (!image_stop(&s->box, img, 0, &why))
		return 1;
	ccctl_error("%s", why.text);
	return -1;
}

/* All images that do not run. */
static int start_images(struct plan *plan, unsigned int timeout)
{
	struct several s = { .plan = plan };
	int status, ret, failed = CCCTL_OK;
	struct why why;

	if (box_open(&s.box, plan, &why))
		return ccctl_error("%s", why.text);
	for (int i = 1; i < plan->nimages; i++) {
		ret = wants_start(&s, &plan->images[i]);
		if (ret < 0)
			failed = CCCTL_ERROR;
		if (ret > 0)
			s.images[s.count++] = &plan->images[i];
	}
	status = several_start(&s, timeout);
	box_close(&s.box);
	return status ? status : failed;
}

static int up(const struct ccctl_options *opt, struct plan *plan)
{
	int status, changed = plan_conf_changed(plan);
	struct why why;

	/* proxyd reads it at each mount */
	if (changed < 0)
		return ccctl_error("%s, by which this machine was partitioned: %s; put it back, or run ccctl partition -c FILE",
				   plan->conf_file, strerror(-changed));
	if (changed)
		fprintf(stderr, "%s has changed; ccctl partition puts that into effect\n",
			plan->conf_file);
	if (start_services(plan, &why))
		return ccctl_error("%s", why.text);
	status = start_images(plan, opt->timeout);
	step("mounting");
	if (services_mount(plan, &why))
		status = ccctl_error("%s", why.text);
	if (!status)
		step("all is up");
	return status;
}

const struct ccctl_command cmd_up = {
	.name = "up",
	.on_plan = up,
	.options = "timeout",
	.changes = true,
	.timeout = LIMIT_IMAGE_UP_S,
	.args = "[--timeout SECONDS]",
	.summary = "Start every image of the partition and mount the shared files",
	.help =
"  -t, --timeout SECONDS  give each image that long to come up (default 60)\n"
"What runs already is left alone; an image that failed to set itself up is\n"
"started again.\n",
};
