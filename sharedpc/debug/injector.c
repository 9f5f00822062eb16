// SPDX-License-Identifier: GPL-2.0-only
/*
 * injector.c - /sys/kernel/debug/sharedpc/inject: messages that do not arrive as they should
 *
 * Write "TYPE WHAT COUNT": the next COUNT messages of that type (its name in
 * sharedpc_wire.h, small letters) that this image sends are dropped, delayed, duplicated
 * or corrupted: WHAT is drop, delay, duplicate or corrupt; but none twice in a row. Or cut:
 * dropped, all of them. Read: how many are left of each type that has some.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "debug/injector.h"
#include "link/inject.h"
#include "sharedpc_wire.h"

static const char *const types[INJECT_TYPES] = {
	[SHAREDPC_OP_FAULT]	= "fault",
	[SHAREDPC_OP_WRITE]	= "write",
	[SHAREDPC_OP_FSYNC]	= "fsync",
	[SHAREDPC_OP_CLOSE]	= "close",
	[SHAREDPC_OP_NAME]	= "name",
	[SHAREDPC_OP_PUNCH]	= "punch",
	[SHAREDPC_MSG_FRAMES]	= "frames",
	[SHAREDPC_MSG_DONE]	= "done",
	[SHAREDPC_MSG_REVOKE]	= "revoke",
	[SHAREDPC_MSG_REVOKED]	= "revoked",
	[SHAREDPC_MSG_KEPT]	= "kept",
	[SHAREDPC_MSG_RELEASED]	= "released",
	[SHAREDPC_MSG_FREED]	= "freed",
	[SHAREDPC_MSG_LIFE]	= "life",
	[SHAREDPC_MSG_LIVES]	= "lives",
	[SHAREDPC_MSG_LEAVE]	= "leave",
	[SHAREDPC_MSG_LEFT]	= "left",
	[SHAREDPC_MSG_LOCKED]	= "locked",
	[SHAREDPC_MSG_WAKE]	= "wake",
	[SHAREDPC_MSG_REMOVED]	= "removed",
};

static const char *const whats[] = {
	[INJECT_DROP]		= "drop",
	[INJECT_DELAY]		= "delay",
	[INJECT_DUPLICATE]	= "duplicate",
	[INJECT_CORRUPT]	= "corrupt",
	[INJECT_CUT]		= "cut",
};

/* The index of @name, or -EINVAL. */
static int find(const char *const *names, u32 nr, const char *name)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (names[i] && !strcmp(names[i], name))
			return i;
	return -EINVAL;
}

static ssize_t inject_write(struct file *file, const char __user *from, size_t len,
			    loff_t *pos)
{
	char text[64] = "", name[16] = "", how[16] = "";
	int type, what, err;
	u32 count;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, len))
		return -EFAULT;
	if (sscanf(text, "%15s %15s %u", name, how, &count) != 3)
		return -EINVAL;
	type = find(types, ARRAY_SIZE(types), name);
	what = find(whats, ARRAY_SIZE(whats), how);
	if (type < 0 || what < 0)
		return -EINVAL;
	err = inject_arm(type, what, count);
	return err ?: len;
}

static int inject_show(struct seq_file *m, void *unused)
{
	u32 i;

	for (i = 0; i < INJECT_TYPES; i++)
		if (types[i] && inject_left(i))
			seq_printf(m, "%s %u\n", types[i], inject_left(i));
	return 0;
}
DEFINE_SHOW_STORE_ATTRIBUTE(inject);

void injector_init(struct dentry *dir)
{
	debugfs_create_file("inject", 0600, dir, NULL, &inject_fops);
}
