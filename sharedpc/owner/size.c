// SPDX-License-Identifier: GPL-2.0-only
/*
 * size.c - where the sizes lie that a client reads
 *
 * A client reads a file's size straight from the owner's inode.  So that the
 * inode stays where it is for as long as the client may look, the server holds
 * the file open from SIZE to UNSIZE, or until the client has said that it
 * looks no more (server_close): a proxy may die at any moment.
 *
 * One entry for each inode, with a count, found by the address of i_size.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "owner/server.h"

struct size {
	struct file *file;
	u32 users;		/* SIZE minus UNSIZE; under sizes_lock */
};

static unsigned long size_key(u64 phys)
{
	return phys / sizeof(u64);
}

static int size_count(struct server *s, struct file *file, u64 phys)
{
	struct size *size;
	int err;

	size = xa_load(&s->sizes, size_key(phys));
	if (size) {
		size->users++;
		return 0;
	}
	size = kmalloc(sizeof(*size), GFP_KERNEL);
	if (!size)
		return -ENOMEM;
	size->file = get_file(file);
	size->users = 1;
	err = xa_err(xa_store(&s->sizes, size_key(phys), size, GFP_KERNEL));
	if (err) {
		fput(file);
		kfree(size);
	}
	return err;
}

int size_keep(struct server *s, int fd, struct sharedpc_size *out)
{
	struct file *file = fget(fd);
	struct inode *inode;
	int err = -EINVAL;

	if (!file)
		return -EBADF;
	inode = file_inode(file);
	if (S_ISREG(inode->i_mode) && virt_addr_valid(&inode->i_size)) {
		out->phys = virt_to_phys(&inode->i_size);
		/* Of an overlay's file, the one that is mapped. */
		out->identity = identity_of(d_real_inode(file_dentry(file)));
		mutex_lock(&s->sizes_lock);
		err = size_count(s, file, out->phys);
		mutex_unlock(&s->sizes_lock);
	}
	fput(file);
	return err;
}

int size_drop(struct server *s, u64 phys)
{
	struct file *file = NULL;
	struct size *size;

	mutex_lock(&s->sizes_lock);
	size = xa_load(&s->sizes, size_key(phys));
	if (size && !--size->users) {
		xa_erase(&s->sizes, size_key(phys));
		file = size->file;
		kfree(size);
	}
	mutex_unlock(&s->sizes_lock);
	if (file)
		fput(file);
	return size ? 0 : -ENOENT;
}

void size_drop_all(struct server *s)
{
	struct size *size;
	unsigned long key;

	xa_for_each(&s->sizes, key, size) {
		fput(size->file);
		kfree(size);
	}
	xa_destroy(&s->sizes);
}
