// SPDX-License-Identifier: GPL-2.0-only
/*
 * attach.c - what this image remembers of a mount, see attach.h
 *
 * The end comes while other threads tell. So the device's number is not closed
 * but made to mean /dev/null: who has just begun a call still has the device, and
 * it ends with that call, who comes later is refused, and nobody ever meets
 * another file under that number.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fs/attach.h"
#include "sharedpc_ioctl.h"

/* Bytes of a tale with so many of name and text. */
static size_t tale_size(size_t name_len, size_t text_len)
{
	return (sizeof(struct sharedpc_tale) + name_len + text_len + 7) & ~7ul;
}

static int root_attach(int dev, int root, const struct owner *o,
		       const struct ccfs_welcome *w, uint32_t generation, bool remember)
{
	struct sharedpc_attach attach = {
		.root = root, .owner = o->id, .epoch = o->epoch, .server = o->server,
		.bits = w->bits, .salt = w->salt, .root_ino = w->root.ino,
		.mount = w->mount, .generation = generation,
	};

	if (!remember)
		attach.flags |= SHAREDPC_ATTACH_FORGET;
	if (w->flags & CCFS_WELCOME_SQUASH_ROOT)
		attach.flags |= SHAREDPC_ATTACH_SQUASH_ROOT;
	if (w->flags & CCFS_WELCOME_SQUASH_ALL)
		attach.flags |= SHAREDPC_ATTACH_SQUASH_ALL;
	if (!ioctl(dev, SHAREDPC_IOC_ATTACH, &attach))
		return 0;
	return errno == ENOTTY ? -EOPNOTSUPP : -errno;
}

int attach_mount(struct attach *a, const struct owner *o, int root,
		 const struct ccfs_welcome *w, uint32_t generation, bool remember)
{
	int dev, null, ret;

	remember = remember && w->flags & CCFS_WELCOME_WORDS;
	dev = open(SHAREDPC_DEVICE, O_RDWR | O_CLOEXEC);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	ret = dev < 0 || null < 0 ? -errno : root_attach(dev, root, o, w, generation, remember);
	if (!ret) {
		a->dev = dev;
		a->null = null;
		a->remembers = remember;
		return 0;
	}
	if (dev >= 0)
		close(dev);
	if (null >= 0)
		close(null);
	return ret;
}

void attach_end(struct attach *a)
{
	if (a->dev < 0)
		return;
	/* First: a RAISE that waits for the owner would keep it open. */
	ioctl(a->dev, SHAREDPC_IOC_LEAVE);
	dup3(a->null, a->dev, O_CLOEXEC);
}

static void tale_write(uint8_t *to, uint64_t node, const struct ccfs_attr *a,
		       const struct tale_name *n)
{
	struct sharedpc_tale tale = {
		.node = node, .gen = a->gen, .dir = n->dir, .name_gen = n->gen,
		.ino = a->ino, .size = a->size, .blocks = a->blocks,
		.atime = a->atime, .mtime = a->mtime, .ctime = a->ctime,
		.atime_ns = a->atime_ns, .mtime_ns = a->mtime_ns,
		.ctime_ns = a->ctime_ns,
		.btime = a->btime, .btime_ns = a->btime_ns,
		.attributes = a->attributes, .attributes_mask = a->attributes_mask,
		.mode = a->mode, .nlink = a->nlink,
		.uid = a->uid, .gid = a->gid, .blksize = a->blksize,
		.flags = a->flags, .name_len = n->len, .text_len = n->text_len,
	};
	size_t size = tale_size(n->len, n->text_len);

	memset(to + size - 8, 0, 8);
	memcpy(to, &tale, sizeof(tale));
	if (n->len)
		memcpy(to + sizeof(tale), n->name, n->len);
	if (n->text_len)
		memcpy(to + sizeof(tale) + n->len, n->text, n->text_len);
}

static void tell(const struct attach *a, const void *tales, uint32_t bytes,
		 uint32_t count)
{
	struct sharedpc_tell tell = {
		.tales = (uintptr_t)tales, .bytes = bytes, .count = count,
	};

	/* what could not be told is asked of the owner each time */
	ioctl(a->dev, SHAREDPC_IOC_TELL, &tell);
}

void attach_tell(const struct attach *a, uint64_t node,
		 const struct ccfs_attr *attr, const struct tale_name *name)
{
	uint8_t buf[sizeof(struct sharedpc_tale) + CCFS_NAME_MAX + 8]
		__attribute__((aligned(8)));
	struct tale_name n = { 0 };

	if (a->dev < 0)
		return;
	if (name)
		n = *name;
	n.text_len = 0;
	tale_write(buf, node, attr, &n);
	tell(a, buf, tale_size(n.len, 0), 1);
}

void attach_real(const struct attach *a, uint64_t node, int fd)
{
	struct sharedpc_real real = { .node = node, .fd = fd };

	/* a file of which it could not be said has no locks: ENOLCK */
	if (a->dev >= 0)
		ioctl(a->dev, SHAREDPC_IOC_REAL, &real);
}

void tales_add(struct tales *t, uint64_t node, const struct ccfs_attr *attr,
	       const struct tale_name *name)
{
	struct tale_name n = *name;
	size_t left = SHAREDPC_TELL_MAX - t->bytes;

	if (!t->data)
		t->data = malloc(SHAREDPC_TELL_MAX);
	if (!t->data)
		return;
	if (tale_size(n.len, n.text_len) > left)
		n.text_len = 0;
	if (tale_size(n.len, n.text_len) > left)
		return;
	tale_write(t->data + t->bytes, node, attr, &n);
	t->bytes += tale_size(n.len, n.text_len);
	t->count++;
}

void tales_tell(const struct attach *a, struct tales *t)
{
	if (t->count && a->dev >= 0)
		tell(a, t->data, t->bytes, t->count);
	free(t->data);
	*t = (struct tales) { 0 };
}
