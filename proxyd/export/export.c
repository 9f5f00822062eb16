// SPDX-License-Identifier: GPL-2.0-only
/*
 * export.c - which client may mount what, and the way into it.
 *
 * partitions.conf is read anew for each mount, so that it is true. What a
 * client gets is a private clone of the one mount at the exported path:
 * what is mounted below stays out of sight, ".." ends at its root, and a
 * read-only export is read-only because the owner's kernel says so. No
 * device can be opened through it: device files belong to whoever looks. No
 * link is followed on the way to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "boot/conf/conf.h"
#include "proxyd/export/export.h"
#include "proxyd/export/idmap.h"

static bool same_path(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	while (n > 1 && a[n - 1] == '/')
		n--;
	while (m > 1 && b[m - 1] == '/')
		m--;
	return n == m && !memcmp(a, b, n);
}

/* Of @e for @client. The owner itself is bound to it by nobody. */
static struct export_rules rules_of(const struct conf_export *e, bool local)
{
	struct export_rules rules = { .ro = e->ro };

	if (local)
		return rules;
	rules.nodev = e->nodev;
	rules.nosuid = e->nosuid;
	rules.squash = e->squash;
	rules.quota = e->quota.value;
	rules.nmaps = e->nmaps;
	memcpy(rules.map, e->map, sizeof(rules.map));
	return rules;
}

/* The export of @path to @client: 0 and its rules, or -errno and @why. */
static int export_find(const struct conf *conf, const char *owner,
		       const char *client, const char *path,
		       struct export_rules *rules, char *why, size_t len)
{
	int self = conf_find_image(conf, owner);
	int image = conf_find_image(conf, client);
	bool exists = false;
	int i;

	for (i = 0; i < conf->nexports; i++) {
		const struct conf_export *e = &conf->exports[i];

		if (e->image != self || !same_path(e->path.s, path))
			continue;
		exists = true;
		if (image >= 0 && (e->to & 1u << image)) {
			*rules = rules_of(e, image == self);
			return 0;
		}
	}
	if (exists) {
		snprintf(why, len, "%s does not export %s to %s", owner, path, client);
		return -EACCES;
	}
	snprintf(why, len, "%s has no export %s", owner, path);
	return -ENOENT;
}

static int config_find(const char *config, const char *owner,
		       const char *client, const char *path,
		       struct export_rules *rules, char *why, size_t len)
{
	struct conf *conf = NULL;
	struct diag diag;
	int ret;

	diag_init(&diag, config);
	ret = conf_read(config, &conf, &diag);
	if (ret) {
		snprintf(why, len, "%s: cannot use %s (see ccctl check)", owner, config);
		ret = -EINVAL;
	} else {
		ret = export_find(conf, owner, client, path, rules, why, len);
		conf_free(conf);
	}
	diag_free(&diag);
	return ret;
}

/*
 * The directory at @path, no part of which is a link: whoever may write one of
 * its parents could otherwise put a link there, and choose what is exported.
 */
static int export_dir(const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* A mount of its own of the directory @dir; @userns: with that map, -1: none. */
static int clone_mapped(int dir, bool ro, int userns)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_NODEV | (ro ? MOUNT_ATTR_RDONLY : 0),
		.propagation = MS_PRIVATE,
	};
	int fd, ret;

	if (userns >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = userns;
	}
	fd = syscall(SYS_open_tree, dir, "",
		     AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr))) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

static int export_clone(int dir, bool ro, const struct export_rules *rules)
{
	int userns, ret;

	if (!rules->nmaps)
		return clone_mapped(dir, ro, -1);
	userns = idmap_open(rules->map, rules->nmaps);
	if (userns < 0)
		return userns;
	ret = clone_mapped(dir, ro, userns);
	close(userns);
	return ret;
}

int export_open(const char *config, const char *owner, const char *client,
		const char *path, bool ro, struct export_rules *rules,
		char *why, size_t len)
{
	int dir, ret;

	ret = config_find(config, owner, client, path, rules, why, len);
	if (ret)
		return ret;
	if (rules->ro && !ro) {
		snprintf(why, len, "%s exports %s read-only; mount it with -o ro",
			 owner, path);
		return -EROFS;
	}
	dir = ret = export_dir(path);
	if (dir >= 0) {
		ret = export_clone(dir, ro, rules);
		close(dir);
	}
	if (ret == -ELOOP)
		snprintf(why, len, "%s cannot open its export %s: there is a symbolic link in the path",
			 owner, path);
	else if (ret == -EINVAL && rules->nmaps)
		snprintf(why, len, "%s cannot open its export %s: its file system cannot map users",
			 owner, path);
	else if (ret < 0)
		snprintf(why, len, "%s cannot open its export %s: %s", owner,
			 path, strerror(-ret));
	return ret;
}
