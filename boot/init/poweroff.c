// SPDX-License-Identifier: GPL-2.0-only
/*
 * poweroff.c - asks an image to shut itself down, see poweroff.h
 *
 * Every step is bounded: a silent image costs LIMIT_POWEROFF_S at most.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "boot/init/poweroff.h"
#include "sharedpc_limits.h"
#include "stream.h"


static int talk(int fd)
{
	char answer[8] = "";

	if (write(fd, "poweroff\n", 9) != 9)
		return -EIO;
	if (read(fd, answer, sizeof(answer) - 1) < 2)
		return -EIO;
	return strncmp(answer, "ok", 2) ? -EPROTO : 0;
}

int poweroff_ask(unsigned int cid)
{
	struct timeval limit = { .tv_sec = LIMIT_POWEROFF_S };
	int ret, fd = stream_connect(cid, CCINIT_PORT, LIMIT_POWEROFF_S * 1000);

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		ret = -errno;
	else
		ret = talk(fd);
	close(fd);
	return ret;
}
