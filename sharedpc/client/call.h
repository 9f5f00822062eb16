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

/*
 * The same for a NAME, which waits for no slot (-EBUSY) but then for as long as the
 * server takes, or until *@left (-EIO, within a second).  Of one that succeeded the
 * bounce buffers are the caller's again, with the answer.
 */
int call_name(struct session *s, struct sharedpc_msg *msg, const bool *left);

/* Is the call, which was made with this name (@msg's slot), still open?  Then it may be done. */
bool call_open(struct session *s, u32 name);

/* The soft interrupt has an answer.  False: it is for the listening thread. */
bool call_done_now(u32 owner, const struct sharedpc_msg *msg);
/* The listening thread has one. */
void call_done(u32 owner, const struct sharedpc_msg *msg);
void call_framed(u32 owner, const struct sharedpc_msg *msg, const u64 *frame,
		 u32 nr);
/* Now and then: calls that @owner does not answer are sent again. */
void call_resend(u32 owner);
void call_session_ended(struct session *s);

#endif
