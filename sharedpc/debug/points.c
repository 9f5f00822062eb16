// SPDX-License-Identifier: GPL-2.0-only
/*
 * points.c - /sys/kernel/debug/sharedpc/point: where this image is to stop
 *
 * Write "POINT panic" or "POINT stop": when it next comes there this image's kernel
 * panics, or its CPU stops for good without a word.  "none panic": not any more.  Read:
 * the points (link/point.h), one on each line.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "debug/points.h"
#include "link/point.h"

static const char *const points[POINTS] = {
	[POINT_NONE]		= "none",
	[SHAREDPC_OP_FAULT]	= "fault",
	[SHAREDPC_OP_WRITE]	= "write",
	[SHAREDPC_OP_FSYNC]	= "fsync",
	[SHAREDPC_OP_CLOSE]	= "close",
	[SHAREDPC_OP_NAME]	= "name",
	[SHAREDPC_OP_PUNCH]	= "punch",
	[POINT_FILED]		= "filed",
	[POINT_REVOKING]	= "revoking",
	[POINT_REVOKED]		= "revoked",
	[POINT_KEPT]		= "kept",
	[POINT_TAKEN]		= "taken",
	[POINT_GRANTED]		= "granted",
	[POINT_ANSWERING]	= "answering",
	[POINT_TAKING]		= "taking",
};

static ssize_t point_write(struct file *file, const char __user *from, size_t len,
			   loff_t *pos)
{
	char text[64] = "", name[16] = "", how[16] = "";
	int point;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, len))
		return -EFAULT;
	if (sscanf(text, "%15s %15s", name, how) != 2)
		return -EINVAL;
	point = match_string(points, POINTS, name);
	if (point < 0 || (strcmp(how, "panic") && strcmp(how, "stop")))
		return -EINVAL;
	point_arm(point, !strcmp(how, "stop"));
	return len;
}

static int point_show(struct seq_file *m, void *unused)
{
	u32 i;

	for (i = 0; i < POINTS; i++)
		seq_printf(m, "%s\n", points[i]);
	return 0;
}
DEFINE_SHOW_STORE_ATTRIBUTE(point);

void points_init(struct dentry *dir)
{
	debugfs_create_file("point", 0600, dir, NULL, &point_fops);
}
