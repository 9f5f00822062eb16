/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * call.h - the client's side of a call to an owner's proxy
 */
#ifndef CALL_H
#define CALL_H

#include <linux/fs.h>
#include "sharedpc_wire.h"

/*
 * Send @msg (type, flags, file, pos, count, data, uid, gid) and wait for its
 * end.  @inode, if not NULL, is the backing inode that frames in the answer
 * belong to.  Returns the owner's error, or -EINTR (a fatal signal), -EIO
 * (the owner went), -ETIMEDOUT; 0 fills @msg's result and pos.
 * The bounce buffer of a WRITE is given back in any case, and not before the
 * owner is done with it.
 */
int call_run(u32 owner, struct sharedpc_msg *msg, struct inode *inode);

void call_init(void);
void call_done(u32 owner, const struct sharedpc_msg *msg);
void call_framed(u32 owner, const struct sharedpc_msg *msg, const u64 *frame,
		 u32 nr);
void call_peer_went(u32 owner);
u32 call_open(u32 owner);		/* calls that wait now */

#endif
