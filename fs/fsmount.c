// SPDX-License-Identifier: GPL-2.0-only
/*
 * fsmount.c - a FUSE mount that nobody sees until it is put in its place
 *
 * fsopen(2) and its kin. Of mount(2)'s flags some belong to the file system and
 * some to the mount; read-only to both. A source that is too long is shown as
 * far as there is room.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "fs/fsmount.h"

#define SHOWN_MAX	256	/* of a string that fsconfig(2) takes, with its NUL */

static const struct {
	unsigned long flag;
	const char *name;
} fs_flags[] = {
	{ MS_RDONLY, "ro" },
	{ MS_SYNCHRONOUS, "sync" },
	{ MS_LAZYTIME, "lazytime" },
};

static const struct {
	unsigned long flag;
	unsigned int attr;
} mount_flags[] = {
	{ MS_RDONLY, MOUNT_ATTR_RDONLY },
	{ MS_NOSUID, MOUNT_ATTR_NOSUID },
	{ MS_NODEV, MOUNT_ATTR_NODEV },
	{ MS_NOEXEC, MOUNT_ATTR_NOEXEC },
	{ MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
};

static unsigned int mount_attrs(unsigned long flags)
{
	unsigned int attrs = 0;

	for (size_t i = 0; i < sizeof(mount_flags) / sizeof(mount_flags[0]); i++)
		if (flags & mount_flags[i].flag)
			attrs |= mount_flags[i].attr;
	if (flags & MS_STRICTATIME)
		attrs |= MOUNT_ATTR_STRICTATIME;
	else if (flags & MS_NOATIME)
		attrs |= MOUNT_ATTR_NOATIME;
	return attrs;
}

static int set(int fs, const char *key, const char *value)
{
	return fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key,
			value, 0) ? -errno : 0;
}

static int set_flags(int fs, const struct fsmount *want)
{
	int ret = set(fs, "allow_other", NULL);

	for (size_t i = 0; i < sizeof(fs_flags) / sizeof(fs_flags[0]); i++)
		if (!ret && want->flags & fs_flags[i].flag)
			ret = set(fs, fs_flags[i].name, NULL);
	if (!ret && want->checks)
		ret = set(fs, "default_permissions", NULL);
	return ret;
}

static int set_all(int fs, const struct fsmount *want)
{
	char fd[16], shown[SHOWN_MAX];
	int ret;

	snprintf(shown, sizeof(shown), "%s", want->source);
	snprintf(fd, sizeof(fd), "%d", want->fuse_fd);
	ret = set(fs, "source", shown);
	if (!ret)
		ret = set(fs, "subtype", "ccfs");
	if (!ret)
		ret = set(fs, "fd", fd);
	if (!ret)
		ret = set(fs, "rootmode", "40000");
	if (!ret)
		ret = set(fs, "user_id", "0");
	if (!ret)
		ret = set(fs, "group_id", "0");
	return ret ? ret : set_flags(fs, want);
}

int fsmount_make(const struct fsmount *want)
{
	int fs = fsopen("fuse", FSOPEN_CLOEXEC), mount, ret;

	if (fs < 0)
		return -errno;
	ret = set_all(fs, want);
	if (!ret && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		ret = -errno;
	if (!ret) {
		mount = fsmount(fs, FSMOUNT_CLOEXEC, mount_attrs(want->flags));
		ret = mount < 0 ? -errno : mount;
	}
	close(fs);
	return ret;
}

int fsmount_place(int mount, const char *target)
{
	return move_mount(mount, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) ?
		-errno : 0;
}
