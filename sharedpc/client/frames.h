/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frames.h - the frames of one file that this client holds
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <linux/fs.h>

/*
 * Remember @nr frames from page @index on.  Not remembering one is harmless:
 * whoever needs it asks again.  -EAGAIN: page @need is another file's here.  That may
 * be just going; or the page is one of two files of the owner's, as with an overlay
 * and what is below it, which a client can use by one of them at a time.
 */
int frames_add(struct inode *inode, u64 index, const u64 *frame, u32 nr, u64 need);
/*
 * The folio of page @index, locked and with a reference; NULL when we do not
 * hold it (with the right to write, if @write), or when @wait is false and
 * somebody else has it locked.
 */
struct folio *frames_get(struct inode *inode, u64 index, bool write, bool wait);
/*
 * Somebody wants to write page @index and may not yet.  True when that was so
 * before: nobody has asked for the right since.
 */
bool frames_want(struct inode *inode, u64 index);
/* Whoever keeps frames of @owner for later only gives them up; main.c sets it. */
extern void (*frames_short)(u32 owner);

/* The frame in a value of a file's xarray of frames; 0: none, or it is being taken back. */
u64 frames_pfn(u64 value);
/*
 * Ask the owner for @count pages from @index on.  0 when it answered; then
 * frames_get finds them, unless they have been revoked already.  An owner that
 * has none to spare is asked again when what is only kept has been given up,
 * here and (they look every two seconds) by the other clients.
 */
int frames_fetch(struct inode *inode, u64 index, u32 count, u16 flags);
/*
 * All are unmapped when this returns.  What I/O still uses is in pinned.c's
 * hands, or (an error) in nobody's.
 */
int frames_revoke(struct inode *inode, u64 index, u64 count, bool write_only);
/*
 * Page @index has been stored to, says the kernel, with any lock held.  The
 * owner knows as long as we have, or are just losing, the right to write.
 * Whoever got the page for direct I/O or ptrace before may store after that:
 * true, then frames_late must run.
 */
bool frames_dirtied(struct inode *inode, u64 index);
/*
 * Have the owner note those stores: it does when we ask for the right again.
 * 0; -errno: some are not noted yet, and should be tried again.
 */
int frames_late(struct inode *inode);
/*
 * Nobody uses the file any more: no mapping, no reader.  An error: I/O uses a
 * frame, which nobody could be made to remember; the file must not be closed.
 */
int frames_drop(struct inode *inode);

#endif
