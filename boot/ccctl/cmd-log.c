// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-log.c - ccctl log: what an image has written to its console
 */
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "boot/ccctl/ccctl.h"
#include "boot/image/console.h"
#include "boot/ccctl/several.h"

#define FOLLOW_US	(50 * 1000)

static const struct option options[] = {
	{ "follow", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

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

static int run(int argc, char **argv)
{
	bool following = false;
	struct several s;
	int opt, status;

	while ((opt = getopt_long(argc, argv, "fh", options, NULL)) != -1) {
		switch (opt) {
		case 'f':
			following = true;
			break;
		case 'h':
			return ccctl_help(&cmd_log);
		default:
			return ccctl_usage("wrong option");
		}
	}
	if (optind + 1 != argc)
		return ccctl_usage("which image?");
	status = several_open(&s, argv + optind);
	if (status)
		return status;
	if (s.images[0]->id == SHAREDPC_BOOT)
		status = ccctl_error("image %s has the machine's own console; see dmesg",
				     s.images[0]->name);
	else if (following)
		status = follow(&s.box, s.images[0]->id);
	else
		status = print(&s.box, s.images[0]);
	several_close(&s);
	return status;
}

const struct ccctl_command cmd_log = {
	.name = "log",
	.run = run,
	.args = "[-f] IMAGE",
	.summary = "Print what an image has written to its console",
	.help =
"  -f, --follow  go on with what it writes from now on\n"
"From the first line of its kernel; of a long log the last 256 KiB. Of an image\n"
"that ended before it had a console, the messages are read from its memory.\n",
};
