/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dir.h - what is in a directory.
 */
#ifndef PROXYD_DIR_H
#define PROXYD_DIR_H

#include "ccfs_proto.h"
#include "proxyd/names/conn.h"

/*
 * Answer @req with a listing of its node: as @args say, but not more than
 * fits. Call as root. 0 or -errno: ENOENT if the directory has been removed,
 * EINVAL if @args leave no room for the next entry.
 */
int dir_read(struct request *req, const struct ccfs_readdir *args);

#endif
