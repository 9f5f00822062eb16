// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-console.c - ccctl console: sit at an image's console
 *
 * The terminal goes to raw mode, so that every key reaches the image; ctrl-]
 * leaves, and a signal that ends ccctl finds the terminal as it was before.
 * Without a terminal (a script), input is passed on until its end, then the
 * console is followed until interrupted.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "boot/ccctl/ccctl.h"
#include "boot/image/console.h"

#define ESCAPE		0x1d	/* ctrl-] */
#define POLL_MS		20

static volatile sig_atomic_t ended;	/* the signal that wants us to end */

static void note_end(int sig)
{
	ended = sig;
}

static void catch_ends(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	struct sigaction sa = { .sa_handler = note_end };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaction(ends[i], &sa, NULL);
}

static int raw_mode(struct termios *saved)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, saved))
		return 0;
	catch_ends();
	raw = *saved;
	cfmakeraw(&raw);
	return !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void cooked_mode(const struct termios *saved)
{
	tcsetattr(STDIN_FILENO, TCSANOW, saved);
	fprintf(stderr, "\n");
	if (!ended)
		return;
	signal(ended, SIG_DFL);
	raise(ended);
}

/* Wait up to POLL_MS for input.  Bytes read; 0: none; -1: the end. */
static ssize_t get_input(char *buf, size_t len, bool at_end)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t n;

	if (poll(&p, at_end ? 0 : 1, POLL_MS) <= 0)
		return 0;
	n = read(STDIN_FILENO, buf, len);
	return n > 0 ? n : -1;
}

static void write_all(struct box *box, uint32_t id, const char *buf, size_t len)
{
	struct sharedpc_console *con = box_console(box, id);
	size_t done = 0;

	/* An image that takes no input loses it after a second. */
	for (int tries = 0; done < len && tries < 50 && !ended; tries++) {
		size_t n = console_write(con, buf + done, len - done);

		done += n;
		ioctl(box->dev, CCBOOT_IOC_RING, &id);
		if (!n)
			usleep(POLL_MS * 1000);
	}
}

static void attach(struct box *box, int id, bool tty)
{
	struct console_reader r;
	bool at_end = false;
	char buf[4096];
	char *escape;

	console_open(&r, box_console(box, id), box_slot(box, id));
	while (!ended) {
		ssize_t got = get_input(buf, sizeof(buf), at_end);
		size_t n;

		if (got < 0)
			at_end = true;
		escape = tty && got > 0 ? memchr(buf, ESCAPE, got) : NULL;
		if (escape)
			return;
		if (got > 0)
			write_all(box, id, buf, got);
		while ((n = console_read(&r, buf, sizeof(buf))))
			if (write(STDOUT_FILENO, buf, n) != (ssize_t)n)
				return;
	}
}

static int sit(const struct ccctl_options *opt, struct several *s)
{
	const struct plan_image *img = s->images[0];
	struct termios saved;
	bool tty;

	if (img->id == SHAREDPC_BOOT)
		return ccctl_error("%s is this image; it has the machine's own console",
				   img->name);
	tty = raw_mode(&saved);
	if (tty)
		fprintf(stderr, "[console of %s, leave with ctrl-]]\r\n", img->name);
	attach(&s->box, img->id, tty);
	if (tty)
		cooked_mode(&saved);
	return CCCTL_OK;
}

const struct ccctl_command cmd_console = {
	.name = "console",
	.act = sit,
	.options = "",
	.images = 1,
	.args = "IMAGE",
	.summary = "Sit at an image's console",
	.help = "Prints what the console has written so far, then passes keys on to it.\n"
		"ctrl-] leaves.\n",
};
