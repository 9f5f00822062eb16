/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_KERNEL_FILE_H
#define TEST_KERNEL_FILE_H

#include <linux/fs.h>

static inline struct file *get_file(struct file *file)
{
	if (__atomic_fetch_add(&file->count, 1, __ATOMIC_RELAXED) < 1)
		kernel_fail("get_file without a reference");
	return file;
}

static inline void fput(struct file *file)
{
	if (__atomic_sub_fetch(&file->count, 1, __ATOMIC_ACQ_REL) < 1)
		kernel_fail("fput of the test's own reference");
}

static inline struct inode *file_inode(const struct file *file)
{
	return file->inode;
}

/* The test's: with a reference, or NULL. */
struct file *fget_raw(unsigned int fd);

#endif
