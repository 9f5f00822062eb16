// SPDX-License-Identifier: GPL-2.0-only
/*
 * ccinit-helpers.c - in which root the kernel's helpers run
 *
 * What the kernel starts by itself (modprobe, core_pattern's pipe, request-key), and
 * what its threads open by name (firmware), it looks for in the root of its threads.
 * That one they share with the first process, and with no other (CLONE_FS, in
 * init/main.c): to move them it has to move itself.
 *
 * So it is in the image's root from when that is whole until the end, but looks up
 * nothing there, as that can take for ever when the owner is silent.  Its children go
 * outside before anything else, and it goes itself before it unmounts that root, which
 * the kernel's threads would keep busy.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "boot/init/ccinit.h"

/* The initramfs; until the root is entered, that is where this process is. */
static int outside = AT_FDCWD;

int ccinit_open(const char *path, int flags)
{
	return openat(outside, path + 1, flags | O_CLOEXEC);
}

int ccinit_enter_root(void)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		ret = -errno;
	else
		outside = fd;
	/* The directory as well: the kernel's helpers start in it. */
	if (!ret && (chdir(NEWROOT) || chroot(".")))
		ret = -errno;
	if (ret)
		ccinit_say("the kernel's helpers cannot have the root: %s", strerror(-ret));
	return ret;
}

void ccinit_leave_root(void)
{
	if (outside >= 0 && (fchdir(outside) || chroot(".")))
		ccinit_say("cannot leave the root: %s", strerror(errno));
}
