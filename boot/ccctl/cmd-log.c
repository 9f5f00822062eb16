// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-log.c - ccctl log: what an image has written to its console
 */
#include <stdlib.h>
#include <unistd.h>

#include "boot/ccctl/ccctl.h"
#include "boot/image/console.h"

#define FOLLOW_US	(50 * 1000)

/* From the start of what is kept, until interrupted. */
static int follow(const struct box *box, int id)
{
	struct console_reader r;
	char buf[4096];
	size_t n;

	console_open(&r, box_console(box, id), box_slot(box, id));
	for (;;) {
		n = console_read(&r, buf, sizeof(buf));
		if (!n) {
			usleep(FOLLOW_US);
			continue;
		}
		if (fwrite(buf, 1, n, stdout) != n || fflush(stdout))
			return CCCTL_ERROR;
	}
}

static int print(const struct box *box, const struct plan_image *img)
{
	size_t len;
	char *text = console_text(box, img, &len);
	int status = CCCTL_OK;

	if (!text)
		return ccctl_error("out of memory");
	if (box_console(box, img->id)->out_head > SHAREDPC_CONSOLE_OUT)
		fprintf(stderr, "(the first %llu bytes have been overwritten)\n",
			(unsigned long long)(box_console(box, img->id)->out_head -
					     SHAREDPC_CONSOLE_OUT));
	if (fwrite(text, 1, len, stdout) != len || fflush(stdout))
		status = ccctl_error("cannot write");
	free(text);
	return status;
}

static int print_log(const struct ccctl_options *opt, struct several *s)
{
	const struct plan_image *img = s->images[0];

	if (img->id == SHAREDPC_BOOT)
		return ccctl_error("image %s has the machine's own console; see dmesg",
				   img->name);
	return opt->follow ? follow(&s->box, img->id) : print(&s->box, img);
}

const struct ccctl_command cmd_log = {
	.name = "log",
	.act = print_log,
	.options = "follow",
	.images = 1,
	.args = "[-f] IMAGE",
	.summary = "Print what an image has written to its console",
	.help =
"  -f, --follow  go on with what it writes from now on\n"
"From the first line of its kernel; of a long log the last 256 KiB. Of an image\n"
"that ended before it had a console, the messages are read from its memory.\n",
};
