// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd-exec.c - ccctl exec: run a command on an image
 *
 * On the image itself the command simply takes this process's place.  On
 * another it goes to that image's ccexecd over AF_VSOCK, and this process
 * stands in for it: streams, signals, exit status.
 *
 * Who is who comes from the saved plan, which every image sees (it is in the
 * exported root); on a machine that is not partitioned, from partitions.conf,
 * where only the boot image can be meant.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <fcntl.h>
#include <unistd.h>
#include <linux/vm_sockets.h>

#include "boot/ccctl/ccctl.h"
#include "ccexec.h"
#include "exec.h"
#include "stream.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_limits.h"

#define STATUS_FAILED	255	/* the command was never run, or is lost */
#define RETRY_US	(100 * 1000)

extern char **environ;

/* Has sharedpc.ko answered? */
static bool ask(unsigned long request, void *arg)
{
	int fd = open(SHAREDPC_DEVICE, O_RDWR | O_CLOEXEC);
	bool answered = fd >= 0 && !ioctl(fd, request, arg);

	if (fd >= 0)
		close(fd);
	return answered;
}

static bool look_at(uint32_t id, struct sharedpc_image *image)
{
	*image = (struct sharedpc_image){ .id = id };
	return ask(SHAREDPC_IOC_IMAGE, image);
}

static bool runs(uint32_t id)
{
	struct sharedpc_image image;

	return look_at(id, &image) && image.state == SHAREDPC_READY;
}

/* The id of the image called @name; -ENOENT. */
static int find_by_conf(const char *name)
{
	struct conf *conf = NULL;
	struct diag diag;
	int id;

	diag_init(&diag, ccctl_config);
	if (conf_read(ccctl_config, &conf, &diag)) {
		/* Without a readable file there is one image, by its usual name. */
		id = strcmp(name, "boot") ? -ENOENT : SHAREDPC_BOOT;
	} else {
		id = conf_find_image(conf, name);
		if (id > SHAREDPC_BOOT)
			id = -ENOTCONN;
		conf_free(conf);
	}
	diag_free(&diag);
	return id;
}

static int image_number(const char *name)
{
	struct plan *plan = NULL;
	struct plan_image *img;
	struct diag diag;
	int id;

	diag_init(&diag, PLAN_FILE);
	if (plan_load(PLAN_FILE, &plan, &diag)) {
		id = find_by_conf(name);
	} else {
		img = plan_find(plan, name);
		id = img ? img->id : -ENOENT;
		plan_free(plan);
	}
	diag_free(&diag);
	return id;
}

static int run_here(const char *dir, char **argv)
{
	if (dir && chdir(dir)) {
		ccctl_error("%s: %s", dir, strerror(errno));
		return 126;
	}
	execvp(argv[0], argv);
	ccctl_error("%s: %s", argv[0], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}

/* ENODEV: this image has not noticed yet that the other one is up. */
static bool may_pass(int err)
{
	return err == -ECONNRESET || err == -ECONNREFUSED || err == -ENODEV;
}

/* Connected, or -errno. */
static int connect_to(uint32_t id)
{
	int fd = -EIO;

	for (int i = 0; i < LIMIT_EXEC_CONNECT_TRIES; i++) {
		fd = stream_connect(SHAREDPC_CID_BASE + id, CCEXEC_VSOCK_PORT,
				    LIMIT_EXEC_CONNECT_S * 1000);
		if (fd >= 0 || !may_pass(fd) || !runs(id))
			break;
		usleep(RETRY_US);
	}
	return fd;
}

static const char *why_down(uint32_t id, int err)
{
	struct sharedpc_image image;

	if (!look_at(id, &image))
		return "it does not run (sharedpc.ko is not loaded)";
	if (image.state == SHAREDPC_STARTING)
		return "it is starting";
	if (image.state != SHAREDPC_READY)
		return "it does not run";
	if (image.stage != SHAREDPC_STAGE_SERVING)
		return "it has not set itself up";
	return strerror(-err);
}

static int run_there(uint32_t id, const char *name, const char *dir, bool tty,
		     char **argv)
{
	char *cwd = dir ? strdup(dir) : getcwd(NULL, 0);
	struct exec_request rq = {
		.argv = argv, .envp = environ, .cwd = cwd,
		.flags = tty ? CCEXEC_TTY : 0,
		.in = STDIN_FILENO, .out = STDOUT_FILENO, .err = STDERR_FILENO,
	};
	struct exec_result res = { 0 };
	int fd = connect_to(id);

	if (fd < 0) {
		ccctl_error("image %s cannot be reached: %s", name,
			    why_down(id, fd));
		free(cwd);
		return STATUS_FAILED;
	}
	if (exec_client_run(fd, &rq, &res))
		ccctl_error("image %s: %s", name, res.text);
	close(fd);
	free(cwd);
	return res.status;
}

static int exec_on(const char *name, const char *dir, bool tty, char **argv)
{
	int id = image_number(name);

	if (id == -ENOENT) {
		ccctl_error("there is no image \"%s\"", name);
		return STATUS_FAILED;
	}
	if (id < 0) {
		ccctl_error("image %s cannot be reached: this machine is not partitioned",
			    name);
		return STATUS_FAILED;
	}
	if ((uint32_t)id == ccctl_self())
		return run_here(dir, argv);
	return run_there(id, name, dir, tty, argv);
}

/* Options may stand before the image and after it. */
static int run(const struct ccctl_options *before, int argc, char **argv)
{
	struct ccctl_options opt = *before;
	char *name = argv[0];
	int status;

	argv[0] = (char *)cmd_exec.name;
	status = ccctl_parse(argc, argv, &opt);
	if (status >= 0)
		return status;
	if (opt.workdir && opt.workdir[0] != '/')
		return ccctl_usage("--workdir wants an absolute path");
	if (optind == argc)
		return ccctl_usage("which command?");
	return exec_on(name, opt.workdir, opt.tty, argv + optind);
}

const struct ccctl_command cmd_exec = {
	.name = "exec",
	.run = run,
	.options = "+env, workdir, tty",
	.images = CCCTL_SEVERAL,	/* words, not images, from the second on */
	.args = "IMAGE [-e VAR=VALUE]... [-w DIR] [-t] -- COMMAND [ARGUMENT...]",
	.summary = "Run a command on an image",
	.help =
"  -e, --env VAR=VALUE  add to the environment, which is this one otherwise\n"
"  -w, --workdir DIR    run it there; default: the same directory as here\n"
"  -t, --tty            give it a terminal\n"
"Standard input, output and error, signals and the exit status are the\n"
"command's. 255: the image cannot be reached, or was lost; 127: there is no such\n"
"command; 126: it cannot be run; 128 + N: signal N ended it.\n",
};
