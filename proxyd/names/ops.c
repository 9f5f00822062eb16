// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops.c - the table of operations. What is not in it (HELLO, PING, DROP, EVENTS, and
 * FORGET when it comes by the stream) is done by the connection's reader.
 */
#include <stddef.h>

#include "proxyd/names/ops.h"

static const struct op ops[CCFS_OPS] = {
	[CCFS_LOOKUP]		= { request_lookup, 0 },
	[CCFS_GETATTR]		= { request_getattr, 0 },
	[CCFS_SETATTR]		= { request_setattr, 0 },
	[CCFS_READLINK]		= { request_readlink, OP_CALLER },
	[CCFS_MKNOD]		= { request_mknod, 0 },
	[CCFS_MKDIR]		= { request_mkdir, 0 },
	[CCFS_UNLINK]		= { request_unlink, 0 },
	[CCFS_RMDIR]		= { request_rmdir, 0 },
	[CCFS_SYMLINK]		= { request_symlink, 0 },
	[CCFS_RENAME]		= { request_rename, 0 },
	[CCFS_LINK]		= { request_link, 0 },
	[CCFS_OPEN]		= { request_open, 0 },
	[CCFS_CREATE]		= { request_create, 0 },
	[CCFS_READDIR]		= { request_readdir, 0 },
	[CCFS_FSYNCDIR]		= { request_fsyncdir, OP_SLOW },
	[CCFS_STATFS]		= { request_statfs, OP_CALLER },
	[CCFS_FSYNC]		= { request_fsync, OP_SLOW },
	[CCFS_FALLOCATE]	= { request_fallocate, OP_SLOW },
	[CCFS_LSEEK]		= { request_lseek, 0 },
	[CCFS_COPY]		= { request_copy, OP_SLOW },
	[CCFS_ACCESS]		= { request_access, OP_CALLER },
	[CCFS_GETXATTR]		= { request_getxattr, OP_CALLER },
	[CCFS_SETXATTR]		= { request_setxattr, 0 },
	[CCFS_LISTXATTR]	= { request_listxattr, OP_CALLER },
	[CCFS_REMOVEXATTR]	= { request_removexattr, 0 },
	[CCFS_REVALIDATE]	= { request_revalidate, 0 },
	[CCFS_HANDLE]		= { request_handle, 0 },
	[CCFS_PRESENT]		= { request_present, 0 },
	[CCFS_DOT]		= { request_dot, 0 },
	[CCFS_FORGET]		= { request_forget, 0 },
	[CCFS_LOCK]		= { request_lock, 0 },
	[CCFS_SYNC]		= { request_sync, OP_SLOW },
	[CCFS_TMPFILE]		= { request_tmpfile, 0 },
	[CCFS_IOCTL]		= { request_ioctl, 0 },
	[CCFS_WATCH]		= { request_watch, 0 },
};

const struct op *op_find(unsigned int op)
{
	return op < CCFS_OPS && ops[op].run ? &ops[op] : NULL;
}
