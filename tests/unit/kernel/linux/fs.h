/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fs.h - inodes and files that count who refers to them
 */
#ifndef TEST_KERNEL_FS_H
#define TEST_KERNEL_FS_H

#include <linux/spinlock.h>
#include <linux/sched/signal.h>

struct super_block {
	dev_t s_dev;
	const char *s_subtype;
};

struct address_space {
	void *host;
};

struct inode {
	int count;
	struct address_space *i_mapping;
	struct super_block *i_sb;
	unsigned long i_ino;
};

struct file {
	int count;
	struct inode *inode;
};

static inline void ihold(struct inode *inode)
{
	if (__atomic_fetch_add(&inode->count, 1, __ATOMIC_RELAXED) < 1)
		kernel_fail("ihold without a reference");
}

static inline void iput(struct inode *inode)
{
	if (!inode)
		return;
	might_sleep();		/* it may be the last one */
	if (__atomic_sub_fetch(&inode->count, 1, __ATOMIC_ACQ_REL) < 1)
		kernel_fail("iput of the test's own reference");
}

#endif
