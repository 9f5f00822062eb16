/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frames.h - the frames of one file that this client holds
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <linux/fs.h>

int frames_add(struct inode *inode, u64 index, const u64 *frame, u32 nr, u64 need);
struct folio *frames_get(struct inode *inode, u64 index, bool write, bool wait);
bool frames_want(struct inode *inode, u64 index);
/* Whoever keeps frames of @owner for later only gives them up; main.c sets it. */
extern void (*frames_short)(u32 owner);

/* The frame in a value of a file's xarray of frames; 0: none, or it is being taken back. */
u64 frames_pfn(u64 value);
int frames_fetch(struct inode *inode, u64 index, u32 count, u16 flags);
int frames_revoke(struct inode *inode, u64 index, u64 count, bool write_only);
bool frames_dirtied(struct inode *inode, u64 index);
int frames_late(struct inode *inode);
int frames_drop(struct inode *inode);

#endif
