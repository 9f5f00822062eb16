// SPDX-License-Identifier: GPL-2.0-only
/*
 * several.c - starts and stops the images that a command names
 *
 * Starting goes image by image up to the first instruction of its kernel;
 * then all of them boot at the same time while this waits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/ccctl/ccctl.h"
#include "boot/image/console.h"
#include "boot/image/image.h"
#include "boot/image/state.h"
#include "clock.h"

#define POLL_US		(50 * 1000)
#define LAST_LINES	20
#define LOOK_MS		3000	/* between searches of the images' memory, */
#define LOOK_PART	10	/* which take no more than that part of the time */

static int find_images(struct several *s, char **names)
{
	for (char **name = names; *name; name++) {
		struct plan_image *img = plan_find(s->plan, *name);

		if (!img)
			return ccctl_error("there is no image \"%s\"", *name);
		for (int i = 0; i < s->count; i++)
			if (s->images[i] == img)
				return ccctl_usage("image %s is named twice", *name);
		s->images[s->count++] = img;
	}
	return CCCTL_OK;
}

int several_open(struct several *s, struct plan *plan, char **names)
{
	struct why why;
	int status;

	memset(s, 0, sizeof(*s));
	s->plan = plan;
	status = find_images(s, names);
	if (!status && box_open(&s->box, plan, &why))
		status = ccctl_error("%s", why.text);
	return status;
}

/* Show what a failed image said last, then take its CPUs back. */
static void clean_up(struct several *s, const struct plan_image *img)
{
	struct why why;

	fprintf(stderr, "---- last lines of %s:\n", img->name);
	console_print_tail(&s->box, img, LAST_LINES, stderr);
	fprintf(stderr, "---- state of %s: %s\n", img->name,
		state_stage(box_slot(&s->box, img->id)->stage));
	if (image_stop(&s->box, img, 0, &why))
		ccctl_error("%s", why.text);
}

/*
 * 1 up, 0 not yet, -1 failed (and cleaned up).  @look: search its memory for a
 * panic, which costs time that the images need to boot.
 */
static int check_started(struct several *s, const struct plan_image *img, int64_t t0,
			 unsigned int timeout, bool look)
{
	struct why why;
	int ret = image_poll(&s->box, img, &why);

	if (ret > 0) {
		printf("%s is up after %.1f s\n", img->name,
		       (clock_ms() - t0) / 1e3);
		fflush(stdout);
		return 1;
	}
	if (!ret && look && console_has_panic(&s->box, img))
		ret = why_set(&why, -EIO, "image %s panicked while it started",
			      img->name);
	if (!ret && clock_ms() - t0 > timeout * 1000ll)
		ret = why_set(&why, -ETIMEDOUT,
			      "image %s did not come up within %u s",
			      img->name, timeout);
	if (!ret)
		return 0;
	ccctl_error("%s", why.text);
	clean_up(s, img);
	return -1;
}

/* When to look again, after a look that began at @begun and is over. */
static int64_t after_look(int64_t begun)
{
	int64_t now = clock_ms(), pause = LOOK_PART * (now - begun);

	return now + (pause > LOOK_MS ? pause : LOOK_MS);
}

/* Those in @left, @n. */
static int wait_for_all(struct several *s, const struct plan_image **left, int n,
			unsigned int timeout)
{
	int64_t t0 = clock_ms(), next_look = t0 + LOOK_MS;
	int status = CCCTL_OK;

	while (n) {
		int64_t begun = clock_ms();
		bool look = begun > next_look;
		int kept = 0;

		for (int i = 0; i < n; i++) {
			int ret = check_started(s, left[i], t0, timeout, look);

			if (ret < 0)
				status = CCCTL_ERROR;
			if (!ret)
				left[kept++] = left[i];
		}
		n = kept;
		if (look)
			next_look = after_look(begun);
		if (n)
			usleep(POLL_US);
	}
	return status;
}

int several_start(struct several *s, unsigned int timeout)
{
	const struct plan_image *started[PLAN_MAX_IMAGES];
	int waited, n = 0, status = CCCTL_OK;
	struct why why;

	for (int i = 0; i < s->count; i++) {
		if (image_start(&s->box, s->images[i], &why)) {
			status = ccctl_error("%s", why.text);
			continue;
		}
		started[n++] = s->images[i];
		printf("%s has been started\n", s->images[i]->name);
		fflush(stdout);
	}
	if (!timeout)
		return status;
	waited = wait_for_all(s, started, n, timeout);
	return status ? status : waited;
}

int several_stop(struct several *s, unsigned int grace)
{
	int status = CCCTL_OK;
	struct why why;

	for (int i = 0; i < s->count; i++) {
		if (image_stop(&s->box, s->images[i], grace * 1000, &why)) {
			status = ccctl_error("%s", why.text);
			continue;
		}
		printf("%s has stopped\n", s->images[i]->name);
		fflush(stdout);
	}
	return status;
}
