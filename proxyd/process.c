// SPDX-License-Identifier: GPL-2.0-only
/*
 * process.c - the process that serves one client image from one file system: how it
 * starts, and its first thread, which takes connections from the listener.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "proxyd/data/call.h"
#include "proxyd/export/procfd.h"
#include "proxyd/life/later.h"
#include "proxyd/life/log.h"
#include "proxyd/life/work.h"
#include "proxyd/names/asked.h"
#include "proxyd/names/conn.h"
#include "proxyd/process.h"
#include "container.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_limits.h"

/*
 * Open files that may still be mapped. Those of a local mount are only there
 * to be fetched over its connection.
 */
static uint64_t files_left(struct life *life)
{
	struct proxy *proxy = container_of(life, struct proxy, life);

	return proxy->local ? 0 : files_count(&proxy->files);
}

static void offer_end(struct life *life, uint32_t had)
{
	struct proxy *proxy = container_of(life, struct proxy, life);
	struct pass idle = { .what = PASS_IDLE, .number = had };

	if (proxy->control >= 0)
		pass_send(proxy->control, &idle);
}

/*
 * Become the one that serves the client from the file system of @root. 1: there is
 * one, whose number is *@number; else 0 or -errno.
 */
static int serve(struct proxy *proxy, int root, uint32_t *number)
{
	struct sharedpc_serve want = { .client = proxy->image, .fd = root };
	struct sharedpc_info info;

	proxy->dev = open(SHAREDPC_DEVICE, O_RDWR | O_CLOEXEC);
	if (proxy->dev < 0 || ioctl(proxy->dev, SHAREDPC_IOC_INFO, &info))
		return -errno;
	if (ioctl(proxy->dev, SHAREDPC_IOC_SERVE, &want)) {
		*number = want.server;
		return errno == EBUSY ? 1 : -errno;
	}
	proxy->server = want.server;
	proxy->region_node = info.region_node;
	proxy->bounce = mmap(NULL, SHAREDPC_BOUNCES * SHAREDPC_BOUNCE_SIZE,
			     PROT_READ | PROT_WRITE, MAP_SHARED, proxy->dev, 0);
	return proxy->bounce == MAP_FAILED ? -errno : 0;
}

void process_init(struct proxy *proxy)
{
	proxy->life.left = files_left;
	proxy->life.idle = offer_end;
	life_init(&proxy->life);
}

static int start(struct proxy *proxy)
{
	int ret;

	process_init(proxy);
	proxy->asked = asked;
	files_init(&proxy->files, proxy->dev);
	ret = procfd_init();
	if (!ret)
		ret = later_start();
	if (!ret)
		ret = work_start();
	if (!ret && !proxy->local)
		ret = calls_start(proxy);
	return ret;
}

void process_conn_add(struct proxy *proxy, int fd, const struct hello *hello)
{
	if (!life_conn_add(&proxy->life)) {
		log_say("mount refused: there are %d", LIFE_CONNS);
		if (hello)
			close(hello->root);
		close(fd);
		life_check(&proxy->life);
	} else if (conn_serve(proxy, fd, hello)) {
		life_conn_gone(&proxy->life);
	}
}

/* @mount cannot be had: say so, and end. */
static void refuse(const struct proxy *proxy, const struct mount *mount, int error)
	__attribute__((noreturn));

static void refuse(const struct proxy *proxy, const struct mount *mount, int error)
{
	struct msg out = { 0 };

	const char *why = error == -EOPNOTSUPP ?
		"that directory is mounted from another image; export it there" : "";

	log_say("cannot serve: %s", why[0] ? why : strerror(-error));
	hello_refusal(proxy, mount->hello.id, error, why, &out);
	msg_send(mount->conn, &out);
	_exit(1);
}

/*
 * Give @mount to the proxy @number. The one that it names may be on its way out: the
 * listener waits for that, and comes back with the mount to another of us.
 */
static void pass(const struct proxy *proxy, struct mount *mount, uint32_t number)
	__attribute__((noreturn));

static void pass(const struct proxy *proxy, struct mount *mount, uint32_t number)
{
	struct pass p = { .what = PASS_MOUNT, .number = number, .mount = *mount };
	int ret;

	p.mount.tries++;
	ret = p.mount.tries > LIMIT_PASS_TRIES ? -EBUSY : pass_send(proxy->control, &p);
	if (ret)
		refuse(proxy, mount, ret);
	_exit(0);
}

/* Know what @mount is about, and be its proxy: returns only then. */
static void begin(struct proxy *proxy, struct mount *mount)
{
	const struct timespec pause = { .tv_nsec = LIMIT_PASS_PAUSE_MS * 1000000L };
	uint32_t number = 0;
	int ret;

	proxy->dev = -1;
	/* A file system that does not answer, and a peer that does not ask. */
	alarm(LIMIT_GREET_S);
	if (mount->hello.root < 0 && hello_read(proxy, mount->conn, &mount->hello))
		_exit(1);
	alarm(0);
	if (mount->tries)
		nanosleep(&pause, NULL);
	ret = proxy->local ? 0 : serve(proxy, mount->hello.root, &number);
	if (ret > 0)
		pass(proxy, mount, number);
	if (!ret)
		ret = start(proxy);
	if (ret)
		refuse(proxy, mount, ret);
}

static void started(int root)
{
	struct stat st = { 0 };

	fstat(root, &st);
	log_say("starts, process %d, for device %u:%u", (int)getpid(), major(st.st_dev),
		minor(st.st_dev));
}

void process_run(struct proxy *proxy, struct mount *mount)
{
	struct pass p = { .what = PASS_SERVES };
	int ret;

	log_name(proxy->client);
	begin(proxy, mount);
	p.number = proxy->server;
	if (pass_send(proxy->control, &p))
		life_end("the listener is gone");
	started(mount->hello.root);
	process_conn_add(proxy, mount->conn, &mount->hello);
	for (;;) {
		ret = pass_recv(proxy->control, &p);
		if (ret == -ENOTCONN)
			life_end("nothing left to do");
		if (ret)
			life_handed(&proxy->life);
		else
			process_conn_add(proxy, p.mount.conn, &p.mount.hello);
	}
}
