// SPDX-License-Identifier: GPL-2.0-only
/*
 * libfuse-bare.c - a libfuse on a kernel without passthrough, for
 * mount.ccfs-bare.
 */
#include "fs/ops.h"

bool __wrap_fuse_set_feature_flag(struct fuse_conn_info *conn, uint64_t flag);
bool __real_fuse_set_feature_flag(struct fuse_conn_info *conn, uint64_t flag);

bool __wrap_fuse_set_feature_flag(struct fuse_conn_info *conn, uint64_t flag)
{
	return flag != FUSE_CAP_PASSTHROUGH &&
	       __real_fuse_set_feature_flag(conn, flag);
}
