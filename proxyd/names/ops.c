// SPDX-License-Identifier: GPL-2.0-only
/*
 * ops.c - the table of operations. What is not in it (HELLO, PING, FORGET,
 * DROP) is done by the connection's reader.
 */
#include <stddef.h>

#include "proxyd/names/ops.h"

static const struct op ops[CCFS_OPS] = {
	[CCFS_LOOKUP]		= { op_lookup, 0 },
	[CCFS_GETATTR]		= { op_getattr, 0 },
	[CCFS_SETATTR]		= { op_setattr, 0 },
	[CCFS_READLINK]		= { op_readlink, OP_CALLER },
	[CCFS_MKNOD]		= { op_mknod, 0 },
	[CCFS_MKDIR]		= { op_mkdir, 0 },
	[CCFS_UNLINK]		= { op_unlink, OP_CALLER },
	[CCFS_RMDIR]		= { op_rmdir, OP_CALLER },
	[CCFS_SYMLINK]		= { op_symlink, 0 },
	[CCFS_RENAME]		= { op_rename, OP_CALLER },
	[CCFS_LINK]		= { op_link, 0 },
	[CCFS_OPEN]		= { op_open, 0 },
	[CCFS_CREATE]		= { op_create, 0 },
	[CCFS_READDIR]		= { op_readdir, 0 },
	[CCFS_FSYNCDIR]		= { op_fsyncdir, OP_SLOW },
	[CCFS_STATFS]		= { op_statfs, OP_CALLER },
	[CCFS_FSYNC]		= { op_fsync, OP_SLOW },
	[CCFS_FALLOCATE]	= { op_fallocate, OP_SLOW },
	[CCFS_LSEEK]		= { op_lseek, 0 },
	[CCFS_COPY]		= { op_copy, OP_SLOW },
	[CCFS_ACCESS]		= { op_access, OP_CALLER },
	[CCFS_GETXATTR]		= { op_getxattr, OP_CALLER },
	[CCFS_SETXATTR]		= { op_setxattr, OP_CALLER },
	[CCFS_LISTXATTR]	= { op_listxattr, OP_CALLER },
	[CCFS_REMOVEXATTR]	= { op_removexattr, OP_CALLER },
};

const struct op *op_find(unsigned int op)
{
	return op < CCFS_OPS && ops[op].run ? &ops[op] : NULL;
}
