/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * call.h - the client's side of a call to a server of an owner
 */
#ifndef CALL_H
#define CALL_H

#include <linux/fs.h>
#include "client/session.h"

/*
 * Send @msg (type, flags, file, pos, count, data, uid, gid) and wait for its
 * end.  @inode, if not NULL, is the backing inode that frames in the answer
 * belong to.  Returns the owner's error, or -EINTR (a fatal signal), -EIO
 * (the session ended), -ETIMEDOUT; 0 fills @msg's result and pos.
 * The bounce buffers of a WRITE are given back in any case, and not before the
 * owner is done with them.
 */
int call_run(struct session *s, struct sharedpc_msg *msg, struct inode *inode);

/* The listening thread has an answer. */
void call_done(u32 owner, const struct sharedpc_msg *msg);
void call_framed(u32 owner, const struct sharedpc_msg *msg, const u64 *frame,
		 u32 nr);
void call_session_ended(struct session *s);

#endif
