// SPDX-License-Identifier: GPL-2.0-only
/*
 * owner.c - the image that serves a mount, see owner.h
 *
 * An image is named in partitions.conf; its id is the place of its slot.
 * AF_VSOCK answers a port that nobody listens on with a reset, so that is
 * what "no proxyd" looks like.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fs/owner.h"
#include "proxyd_socket.h"
#include "sharedpc_ioctl.h"
#include "sharedpc_limits.h"
#include "stream.h"

#define CONNECT_MS	LIMIT_MOUNT_CONNECT_MS

static int check_up(struct owner *o, const struct sharedpc_image *image,
		    char *why, size_t len)
{
	if (image->state != SHAREDPC_READY) {
		snprintf(why, len, "image '%s' is not up", image->name);
		return -ENOTCONN;
	}
	o->id = image->id;
	o->epoch = image->epoch;
	return 0;
}

static int find_image(struct owner *o, const char *name, char *why, size_t len)
{
	struct sharedpc_image image;
	struct sharedpc_info info;

	if (ioctl(o->dev, SHAREDPC_IOC_INFO, &info)) {
		snprintf(why, len, "%s: %m", SHAREDPC_DEVICE);
		return -ENODEV;
	}
	if (info.revision != SHAREDPC_REVISION) {
		snprintf(why, len, "sharedpc.ko is of revision %u, this program of %u",
			 info.revision, SHAREDPC_REVISION);
		return -ENODEV;
	}
	o->self = info.self;
	for (uint32_t id = 0; id < info.nr_images; id++) {
		memset(&image, 0, sizeof(image));
		image.id = id;
		if (ioctl(o->dev, SHAREDPC_IOC_IMAGE, &image))
			continue;
		image.name[sizeof(image.name) - 1] = '\0';
		if (!strcmp(image.name, name))
			return check_up(o, &image, why, len);
	}
	snprintf(why, len, "this box has no image '%s'", name);
	return -ENXIO;
}

int owner_find(struct owner *o, const char *name, char *why, size_t len)
{
	int ret;

	o->dev = open(SHAREDPC_DEVICE, O_RDWR | O_CLOEXEC);
	if (o->dev < 0) {
		snprintf(why, len, "%s: %m; is sharedpc.ko loaded?", SHAREDPC_DEVICE);
		return -ENODEV;
	}
	ret = find_image(o, name, why, len);
	if (ret) {
		close(o->dev);
		o->dev = -1;
	}
	return ret;
}

/*
 * A request that comes before the owner has noticed that this image is up is
 * lost without an answer: so several short tries, each longer than the last.
 */
static int connect_vsock(uint32_t id)
{
	int fd = -ETIMEDOUT;

	for (int ms = CONNECT_MS / 10; ms <= CONNECT_MS * 4 / 10 &&
	     fd == -ETIMEDOUT; ms += CONNECT_MS / 10)
		fd = stream_connect(SHAREDPC_CID_BASE + id, SHAREDPC_PORT_PROXY, ms);
	return fd;
}

int owner_connect(const struct owner *o, char *why, size_t len)
{
	int fd = o->id == o->self ? owner_connect_unix(PROXYD_SOCKET, why, len) :
		connect_vsock(o->id);

	if (fd >= 0)
		return fd;
	if (fd == -ECONNREFUSED || fd == -ECONNRESET || fd == -ENOENT)
		snprintf(why, len, "the owner refuses the connection: is proxyd running there?");
	else if (fd == -ETIMEDOUT)
		snprintf(why, len, "the owner does not answer (%d s)",
			 CONNECT_MS / 1000);
	else
		snprintf(why, len, "cannot connect to the owner: %s", strerror(-fd));
	return fd;
}

int owner_connect_unix(const char *path, char *why, size_t len)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(to.sun_path)) {
		snprintf(why, len, "'%s' is too long for a socket", path);
		return -ENAMETOOLONG;
	}
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		int error = -errno;

		snprintf(why, len, "cannot connect to %s: %m", path);
		if (fd >= 0)
			close(fd);
		return error;
	}
	return fd;
}

static int look(const struct owner *o, struct sharedpc_image *image)
{
	*image = (struct sharedpc_image) { .id = o->id };
	if (ioctl(o->dev, SHAREDPC_IOC_IMAGE, image))
		return -ENOTCONN;
	return image->state == SHAREDPC_READY && image->epoch == o->epoch ?
		0 : -ENOTCONN;
}

int owner_alive(const struct owner *o)
{
	struct sharedpc_image image;

	return o->dev < 0 ? 0 : look(o, &image);
}

int owner_backing(const struct owner *o, int dev, uint64_t node,
		  const struct ccfs_open *open, bool keep)
{
	struct sharedpc_backing b = {
		.owner = o->id, .epoch = o->epoch, .server = o->server,
		.file = open->file,
		.size_phys = open->size_phys, .identity = open->identity, .node = node,
		.flags = keep ? SHAREDPC_BACKING_KEEP : 0,
	};
	int fd;

	if (o->dev < 0)
		return -ENODEV;
	fd = ioctl(dev < 0 ? o->dev : dev, SHAREDPC_IOC_BACKING, &b);
	if (fd >= 0)
		return fd;
	/* No such call: attach_end() was faster, the owner is gone. */
	return errno == ENOTTY ? -ENOTCONN : -errno;
}
